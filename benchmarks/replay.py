"""One pruner over recorded curves: what a study would have done with it, and what that cost.

The study is a real Optuna study in memory with the pruner that a study file would give, asked when
a worker would ask it. Workers are simulated: each takes the next configuration of an order as soon
as it is free, and an epoch lasts as long as it was recorded.
"""

from __future__ import annotations

import heapq
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.trial import Trial, TrialState

from benchmarks.curves import Curves
from geno_hpo.config import PrunerConfig
from geno_hpo.metrics import METRICS
from geno_hpo.study.pruners import decides_at, make_pruner

__all__ = ["Candidate", "Replay", "goal_of", "replay", "whole"]

WORKERS = 2


@dataclass(frozen=True)
class Candidate:
    """A pruner as the study file has it, and the patience beside it (None: no early stopping)."""

    pruner: PrunerConfig
    patience: int | None = None

    @property
    def name(self) -> str:
        """As in the tables."""
        config = self.pruner
        match config.name:
            case "asha" | "hyperband":
                text = f"{config.name} {config.warmup_epochs} × {config.reduction}"
            case "median":
                text = f"median {config.warmup_epochs}"
            case _:
                text = "none"
        return text if self.patience is None else f"{text}, patience {self.patience}"


@dataclass(frozen=True)
class Replay:
    """How one order of configurations went.

    Parameters
    ----------
    epochs, seconds
        Spent in all: epochs of all trials, processor seconds of all trials.
    best
        Best score of a trial that completed; NaN where none did.
    reached
        Epochs that were spent when a trial completed that reached the goal; None if none did.
    lost
        The configuration that is best without any pruning did not get to its best epoch.
    """

    epochs: int
    seconds: float
    best: float
    reached: int | None
    lost: bool


@dataclass(order=True)
class Running:
    """A worker with its trial, in the order of when its present epoch ends."""

    ends: float
    worker: int
    row: int = field(compare=False)
    trial: Trial = field(compare=False)
    epoch: int = field(default=1, compare=False)
    best: float = field(default=-np.inf, compare=False)
    best_epoch: int = field(default=0, compare=False)
    undecided: bool = field(default=False, compare=False)


def goal_of(curves: Curves, order: Sequence[int], share: float) -> float:
    """The score that is `share` of the way from chance to the best of these configurations.

    Raises
    ------
    ValueError
        The metric is not maximised or has no score of chance.
    """
    metric = METRICS[curves.metric]
    if not metric.maximise or metric.chance is None:
        raise ValueError(f"{curves.metric} has no scale from chance upwards")
    best = float(np.nanmax(curves.means[list(order)]))
    return metric.chance + share * (best - metric.chance)


def whole(curves: Curves) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Epochs and seconds of each configuration that nobody ends, each ``(configurations,)``."""
    failed = np.isnan(curves.means)
    epochs = np.where(failed.any(axis=1), failed.argmax(axis=1) + 1, failed.shape[1])
    return epochs, curves.seconds.astype(np.float64).sum(axis=1)


def replay(
    curves: Curves, order: Sequence[int], candidate: Candidate, goal: float, name: str = "replay"
) -> Replay:
    """Run the configurations `order` through a candidate's pruner.

    Parameters
    ----------
    goal
        See `goal_of`.
    name
        The Optuna study's name, by which hyperband deals trials out to its brackets.
    """
    means, limit = curves.means, curves.means.shape[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = optuna.create_study(
            study_name=name,
            direction="maximize",
            sampler=optuna.samplers.RandomSampler(seed=0),
            pruner=make_pruner(candidate.pruner, limit),
        )
    peaks = np.where(np.isnan(means), -np.inf, means).max(axis=1)
    winner = max(order, key=lambda row: peaks[row])
    waiting = iter(order)
    busy: list[Running] = []
    epochs, seconds, best, reached, lost = 0, 0.0, float("nan"), None, True

    def begin(now: float, worker: int) -> None:
        row = next(waiting, None)
        if row is not None:
            ends = now + float(curves.seconds[row, 0])
            heapq.heappush(busy, Running(ends, worker, int(row), study.ask()))

    for worker in range(WORKERS):
        begin(0.0, worker)
    while busy:
        run = heapq.heappop(busy)
        score = float(means[run.row, run.epoch - 1])
        epochs += 1
        seconds += float(curves.seconds[run.row, run.epoch - 1])
        state = _after(run, score, candidate, limit)
        if run.row == winner and run.best == peaks[winner]:
            lost = state is TrialState.PRUNED
        if state is None:
            run.ends += float(curves.seconds[run.row, run.epoch])
            run.epoch += 1
            heapq.heappush(busy, run)
            continue
        complete = state is TrialState.COMPLETE
        study.tell(run.trial, run.best if complete else None, state=state)
        if complete:
            best = float(np.fmax(best, run.best))
            if reached is None and run.best >= goal:
                reached = epochs
        begin(run.ends, run.worker)
    return Replay(epochs, seconds, best, reached, lost)


def _after(run: Running, score: float, candidate: Candidate, limit: int) -> TrialState | None:
    """State in which a trial ends with this epoch; None when it goes on, as a worker decides."""
    if np.isnan(score):
        return TrialState.FAIL
    if score > run.best:
        run.best, run.best_epoch = score, run.epoch
    run.trial.report(score, run.epoch)
    if run.epoch == limit:
        return TrialState.COMPLETE
    run.undecided = run.undecided or decides_at(candidate.pruner, run.epoch)
    if run.undecided:
        run.undecided = False
        if run.trial.should_prune():
            return TrialState.PRUNED
    if candidate.patience is not None and run.epoch - run.best_epoch >= candidate.patience:
        return TrialState.COMPLETE
    return None
