"""The course of a trial on any backend: epochs in lockstep, scores, early end, best epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import TrialFailed
from geno_hpo.training.protocol import EpochReport, FitPlan, FitResult, Report, Score, Weights

__all__ = ["ReplicaEpoch", "run_lockstep"]


@dataclass(frozen=True)
class ReplicaEpoch:
    """What one replica gives after one epoch.

    `state` is the backend's own; `predictions` are ``(n_valid, units)`` in original units.
    """

    state: Any
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    predictions: NDArray[np.float32]


def _refuse_non_finite(plan: FitPlan, epoch: int, fold: int, result: ReplicaEpoch) -> None:
    """Raise TrialFailed when a replica left the numbers."""
    what = ""
    if not math.isfinite(result.train_loss):
        what = f"loss is {result.train_loss}"
    elif not np.isfinite(result.predictions).all():
        what = "a validation prediction is not finite"
    if what:
        rate = plan.params.get("learning_rate", "default")
        shown = f"{rate:g}" if isinstance(rate, float) else rate
        raise TrialFailed(
            "non-finite", f"{what} in epoch {epoch}, fold {fold + 1} (learning rate {shown})"
        )


def run_lockstep(
    plan: FitPlan,
    states: list[Any],
    advance: Callable[[int, int, Any], ReplicaEpoch],
    weights: Callable[[Any], Weights],
    truth: list[NDArray[np.float32]],
    score: Score,
    report: Report,
) -> FitResult:
    """Train all replicas epoch by epoch.

    Parameters
    ----------
    plan
        The trial.
    states
        The replicas' initial states. A state is never changed in place.
    advance
        ``advance(replica, epoch, state)`` trains one replica for one epoch.
    weights
        From a state to inference weights; called once a replica, at the end.
    truth
        The replicas' validation targets ``(n_valid, outputs)``.
    score, report
        See `geno_hpo.training.protocol`.

    Returns
    -------
    FitResult
        With seconds of ``train``, ``validate``, ``report`` and ``other``.

    Raises
    ------
    TrialFailed
        ``non-finite``: a loss or a validation prediction left the numbers.
    """
    begun = time.perf_counter()
    spent = {"train": 0.0, "validate": 0.0, "report": 0.0}
    judged = len(plan.replicas[0].valid) > 0
    history: list[EpochReport] = []
    kept: list[ReplicaEpoch] = []
    best, best_score = 0, math.nan
    ended: Literal["epochs", "early stopping", "stopped"] = "epochs"
    for epoch in range(1, plan.epochs + 1):
        start = time.perf_counter()
        results = []
        for fold, state in enumerate(states):
            results.append(advance(fold, epoch, state))
            _refuse_non_finite(plan, epoch, fold, results[-1])
        states = [result.state for result in results]
        trained = time.perf_counter()
        scores = [
            score(values, result.predictions) if judged else math.nan
            for values, result in zip(truth, results, strict=True)
        ]
        mean = float(np.mean(scores))
        better = mean > best_score if plan.maximise else mean < best_score
        first = not best or (math.isnan(best_score) and not math.isnan(mean))
        if not judged or better or first:
            best, best_score = epoch, mean
        if epoch == best or plan.restore == "last":
            kept = results
        scored = time.perf_counter()
        spent["train"] += trained - start
        spent["validate"] += scored - trained
        told = EpochReport(
            epoch=epoch,
            score=mean,
            fold_scores=tuple(scores),
            train_loss=np.array([x.train_loss for x in results]),
            valid_loss=np.array([x.valid_loss for x in results]),
            train_accuracy=np.array([x.train_accuracy for x in results]),
            valid_accuracy=np.array([x.valid_accuracy for x in results]),
            seconds=scored - start,
        )
        history.append(told)
        stop = report(told)
        spent["report"] += time.perf_counter() - scored
        if stop:
            ended = "stopped"
            break
        if plan.patience is not None and epoch - best >= plan.patience and epoch < plan.epochs:
            ended = "early stopping"
            break
    final = tuple(weights(result.state) for result in kept)
    spent["other"] = time.perf_counter() - begun - sum(spent.values())
    return FitResult(
        scores=np.array([x.fold_scores for x in history]).T,
        train_loss=np.array([x.train_loss for x in history]).T,
        valid_loss=np.array([x.valid_loss for x in history]).T,
        train_accuracy=np.array([x.train_accuracy for x in history]).T,
        valid_accuracy=np.array([x.valid_accuracy for x in history]).T,
        epochs=len(history),
        best_epoch=best,
        ended=ended,
        valid_predictions=tuple(result.predictions for result in kept),
        weights=final,
        seconds=spent,
    )
