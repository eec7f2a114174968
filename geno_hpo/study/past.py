"""A trial's whole MLflow run, told from the trial storage and the work folder.

What only the run held (files of its own) stays lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.study.front import costs_of, score_of
from geno_hpo.study.jobs import curves_path
from geno_hpo.study.naming import FINAL, run_name
from geno_hpo.study.plan import StudyPlan
from geno_hpo.tracking import PastRun

__all__ = ["ENDINGS", "past_run", "run_tag"]

TESTED = ("network", "baseline", "control")
"""Kinds of final fits that are scored on the sealed test set; others are on the folds."""
ENDINGS = {
    TrialState.COMPLETE: ("FINISHED", "complete"),
    TrialState.PRUNED: ("KILLED", "pruned"),
    TrialState.FAIL: ("FAILED", "failed"),
}
"""MLflow's status and the tag ``state`` of a trial that has ended."""

TESTED = ("network", "baseline", "control")
"""Kinds of final fits that are scored on the sealed test set; others are on the folds."""


def run_tag(study: str, trial: FrozenTrial) -> str:
    """Tag ``trial`` of a run: the storage's study and the trial's number."""
    return f"{study} {trial.number}"


def past_run(plan: StudyPlan, part: str, study: str, trial: FrozenTrial) -> PastRun:
    """The run of a trial that has ended; `study`: its part's name in the storage."""
    attributes = trial.user_attrs
    task: dict[str, Any] = attributes.get("task") or {}
    space = plan.baselines.get(part, plan.space)
    params = task.get("params") or (dict(space.short(trial.params)) if trial.params else {})
    name, stage = run_name(part, trial.number, params, task)
    status, state = ENDINGS[trial.state]
    seconds = attributes.get("seconds") or {}
    curves = _curves(plan, part, trial)
    if (found := score_of(trial)) is not None:
        score = "test_score" if task.get("kind") in TESTED else "cv_score"
        told = {score: found, **dict(zip(plan.costs, costs_of(trial), strict=False))}
        step = int(attributes.get("best_epoch", 0))
        curves |= {name: [(step, value)] for name, value in told.items()}
    return PastRun(
        name=name,
        params=params,
        tags={
            "stage": stage,
            "model": str(params.get("family", part)),
            "worker": str(attributes.get("worker", "")),
            "trial": run_tag(study, trial),
            "state": state,
            "reason": str(attributes.get("reason", "")),
            "rebuilt": "from the trial storage",
            **plan.fold_tag,
            **{f"seconds.{key}": f"{value:.3f}" for key, value in seconds.items()},
        },
        curves=curves,
        status=status,
        started=_milliseconds(trial.datetime_start),
        ended=_milliseconds(trial.datetime_complete),
    )


def _curves(plan: StudyPlan, part: str, trial: FrozenTrial) -> dict[str, list[tuple[int, float]]]:
    """The score at each epoch, and a network's losses where its curves were kept."""
    found = {"score": sorted(trial.intermediate_values.items())} if part != FINAL else {}
    path = curves_path(plan.work, part, trial.number)
    if part in ("network", "control") and path.exists():
        with np.load(path) as arrays:
            for name in ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy"):
                means = arrays[name].mean(axis=0)
                found[name] = [(epoch, float(value)) for epoch, value in enumerate(means, start=1)]
            for fold, scores in enumerate(arrays["valid_score"], start=1):
                found[f"score.fold{fold}"] = [
                    (epoch, float(value)) for epoch, value in enumerate(scores, start=1)
                ]
    return found


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
