"""A trial's whole MLflow run, told from the trial storage and the work folder.

What only the run held (files of its own) stays lost.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.metrics import METRICS
from geno_hpo.study.files import curves_path
from geno_hpo.study.front import costs_of, score_of
from geno_hpo.study.naming import FINAL, run_name
from geno_hpo.study.plan import StudyPlan
from geno_hpo.tracking import DatasetTag, PastRun

__all__ = ["ENDINGS", "past_run", "run_tag"]

ENDINGS = {
    TrialState.COMPLETE: ("FINISHED", "complete"),
    TrialState.PRUNED: ("FINISHED", "pruned"),
    TrialState.FAIL: ("FAILED", "failed"),
}
"""MLflow's status and the tag ``state`` of a trial that has ended; to be pruned is no failure."""

TESTED = ("network", "baseline", "control")
"""Kinds of final fits that are scored on the sealed test set; others are on the folds."""


def run_tag(study: str, trial: FrozenTrial) -> str:
    """Tag ``trial`` of a run: the storage's study and the trial's number."""
    return f"{study} {trial.number}"


def past_run(
    plan: StudyPlan, part: str, study: str, trial: FrozenTrial, dataset: DatasetTag | None
) -> PastRun:
    """The run of a trial that has ended, on `dataset`; `study`: its part's name in the storage."""
    attributes = trial.user_attrs
    task: dict[str, Any] = attributes.get("task") or {}
    space = plan.baselines.get(part, plan.space)
    params = task.get("params") or (dict(space.short(trial.params)) if trial.params else {})
    name, stage = run_name(part, trial.number, params, task)
    status, state = ENDINGS[trial.state]
    seconds = attributes.get("seconds") or {}
    curves = _curves(plan, part, trial)
    score = _score(plan, trial)
    if score is not None:
        name_of = "test_score" if task.get("kind") in TESTED else "cv_score"
        told = {name_of: score, **dict(zip(plan.costs, costs_of(trial), strict=False))}
        step = int(attributes.get("best_epoch", 0))
        curves |= {metric: [(step, value)] for metric, value in told.items()}
    return PastRun(
        name=name,
        params=params,
        tags={
            "stage": stage,
            "model": str(params.get("family", task.get("model", part))),
            "worker": str(attributes.get("worker", "")),
            "device": str(attributes.get("device", "")),
            "trial": run_tag(study, trial),
            "state": state,
            "reason": str(attributes.get("reason", "")),
            "rebuilt": "from the trial storage",
            **plan.fold_tag,
            **_told(attributes),
            **{f"seconds.{key}": f"{value:.3f}" for key, value in seconds.items()},
        },
        curves=curves,
        status=status,
        started=_milliseconds(trial.datetime_start),
        ended=_milliseconds(trial.datetime_complete),
        dataset=dataset,
    )


def _score(plan: StudyPlan, trial: FrozenTrial) -> float | None:
    """The trial's score; of a pruned one the best that it had reached."""
    if (told := score_of(trial)) is not None:
        return told
    reached = [x for x in trial.intermediate_values.values() if np.isfinite(x)]
    if trial.state != TrialState.PRUNED or not reached:
        return None
    return float(max(reached) if METRICS[plan.metric].maximise else min(reached))


def _told(attributes: dict[str, Any]) -> dict[str, str]:
    """Tags of how a network was computed."""
    found = {}
    if "reused" in attributes:
        found["compiled_function"] = "reused" if attributes["reused"] else "traced"
    if attributes.get("way"):
        found["computed"] = str(attributes["way"])
    if attributes.get("notes"):
        found["notes"] = "; ".join(attributes["notes"])
    return found


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
