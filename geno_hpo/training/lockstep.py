"""The course of a trial on any backend: epochs in lockstep, scores, early end, best epoch.

It is a generator: before each epoch it gives the turn that it waits for, see
`geno_hpo.training.turns`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import TrialFailed
from geno_hpo.training.checkpoint import Arrays, Snapshot
from geno_hpo.training.protocol import EpochReport, FitPlan, FitResult, Report, Score, Weights
from geno_hpo.training.turns import Course, ReplicaEpoch, Turn

__all__ = ["lockstep"]

FLOAT_BYTES = 4


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


def _snapshot(
    batch_size: int,
    best: int,
    history: list[EpochReport],
    results: list[ReplicaEpoch],
    kept: list[ReplicaEpoch],
    lean: Callable[[Any], Any],
) -> Snapshot:
    """Where the replicas stand."""
    states = tuple(tuple(result.state) for result in results)
    return Snapshot(
        batch_size=batch_size,
        best=best,
        history=tuple(history),
        states=states,
        kept=states if kept is results else tuple(tuple(lean(one.state)) for one in kept),
        predictions=tuple(result.predictions for result in kept),
    )


def _size(states: list[Any]) -> int:
    """Bytes of states: float32 arrays, on whatever device."""
    return FLOAT_BYTES * sum(int(math.prod(part.shape)) for state in states for part in state)


def lockstep(
    plan: FitPlan,
    states: list[Any],
    turn: Callable[[int, list[Any]], Turn],
    weights: Callable[[Any], Weights],
    truth: list[NDArray[np.float32]],
    score: Score,
    report: Report,
    *,
    batch_size: int = 0,
    resume: Snapshot | None = None,
    revive: Callable[[Arrays], Any] = tuple,
    lean: Callable[[Any], Any] = tuple,
) -> Course[FitResult]:
    """Train all replicas epoch by epoch, from the first or from where a snapshot stands.

    Parameters
    ----------
    plan
        The trial.
    states
        The replicas' initial states. A state is never changed in place.
    turn
        ``turn(epoch, states)`` tells how the replicas are trained for one epoch.
    weights
        From a state to inference weights; called once a replica, at the end.
    truth
        The replicas' validation targets ``(n_valid, outputs)``.
    score, report
        See `geno_hpo.training.protocol`.
    batch_size
        Samples a step, for the plan's checkpoint.
    resume
        Where an earlier attempt stood; its epochs are not reported again.
    revive
        From a snapshot's arrays to a state; a state is a sequence of arrays where the plan has a
        checkpoint.
    lean
        From a state to one of as many arrays that `weights` can read; what only training needs
        may be empty.

    Returns
    -------
    FitResult
        With seconds of ``train``, ``validate``, ``report`` and ``other``, of what turns told, and
        of ``neighbours``, which was waited for other trials, where there were any.

    Raises
    ------
    TrialFailed
        ``non-finite``: a loss or a validation prediction left the numbers.
    """
    begun = time.perf_counter()
    spent = {"train": 0.0, "validate": 0.0, "report": 0.0}
    size = 0
    if plan.checkpoint is not None:
        spent["checkpoint"] = 0.0
        size = _size(states) + _size([lean(state) for state in states])
    judged = len(plan.replicas[0].valid) > 0
    history: list[EpochReport] = []
    kept: list[ReplicaEpoch] = []
    best, best_score = 0, math.nan
    ended: Literal["epochs", "early stopping", "stopped"] = "epochs"
    if resume is not None:
        history = list(resume.history)
        best, best_score = resume.best, resume.history[resume.best - 1].score
        states = [revive(state) for state in resume.states]
        kept = [
            ReplicaEpoch(revive(state), math.nan, math.nan, math.nan, math.nan, predictions)
            for state, predictions in zip(resume.kept, resume.predictions, strict=True)
        ]
    for epoch in range(len(history) + 1, plan.epochs + 1):
        asked = time.perf_counter()
        answer = yield turn(epoch, states)
        start = time.perf_counter()
        results: list[ReplicaEpoch] = []
        for fold, result in enumerate(answer.replicas):
            results.append(result)
            _refuse_non_finite(plan, epoch, fold, result)
        states = [result.state for result in results]
        trained = time.perf_counter()
        for part, taken in answer.seconds.items():
            spent[part] = spent.get(part, 0.0) + taken
        if answer.among > 1:
            waited = start - asked - sum(answer.seconds.values())
            spent["neighbours"] = spent.get("neighbours", 0.0) + max(waited, 0.0)
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
            seconds=scored - start + answer.seconds.get("train", 0.0),
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
        if plan.checkpoint is not None and epoch < plan.epochs and plan.checkpoint.due(size):
            saving = time.perf_counter()
            plan.checkpoint.save(_snapshot(batch_size, best, history, results, kept, lean))
            spent["checkpoint"] += time.perf_counter() - saving
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
        training_seconds=sum(told.seconds for told in history),
    )
