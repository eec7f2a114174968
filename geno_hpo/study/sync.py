"""MLflow runs written again from the trial storage, where they were lost.

The trial storage is what a study rests on; MLflow is its window. A trial that has ended and has no
run gets one: name, parameters, tags, its curve, state and times. What only the run held (its
worker, files of its own) stays lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS
from geno_hpo.study.jobs import curves_path
from geno_hpo.study.naming import FINAL, run_name
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.record import Record, find_run_study
from geno_hpo.study.storage import open_storage
from geno_hpo.study.worker import open_pools
from geno_hpo.tracking import PastRun, Tracking

__all__ = ["Synced", "sync_runs"]

TESTED = ("network", "baseline", "control")
"""Kinds of final fits that are scored on the sealed test set; others are on the folds."""
ENDINGS = {
    TrialState.COMPLETE: ("FINISHED", "complete"),
    TrialState.PRUNED: ("KILLED", "pruned"),
    TrialState.FAIL: ("FAILED", "failed"),
}


@dataclass(frozen=True)
class Synced:
    """Runs that were written, and trials that had one."""

    written: int
    present: int


def sync_runs(
    project: Project, name: str, seen: Callable[[int, int], None] = lambda *_: None
) -> Synced:
    """Write the missing runs of a study; `seen` is told how many trials of how many are done.

    Raises
    ------
    InputError
        The study has not been run, or is nested (its outer folds are synced one by one).
    """
    if load_plan(project, name).nested:
        raise InputError(
            f"the outer folds of a nested study are synced one by one: geno-hpo sync {name}~1"
        )
    key = find_run_study(project, name)
    plan = load_plan(project, str(key))
    maximise = METRICS[plan.metric].maximise
    storage = open_storage(project.storage_url)
    pools = open_pools(plan, storage, maximise=maximise, create=False)
    record = Record(pools["network"].study)
    local = project.tracking_uri.startswith("sqlite")
    tracking = Tracking(
        project.tracking_uri, project.mlruns / "artifacts" if local else None, plan.config.name
    )
    parent = _parent(plan, record, tracking)
    known = tracking.trials_of(parent)
    ended = [
        (part, pool.study.study_name, trial)
        for part, pool in pools.items()
        for trial in pool.trials()
        if trial.state in ENDINGS
    ]
    missing = [each for each in ended if f"{each[1]} {each[2].number}" not in known]
    for done, (part, study, trial) in enumerate(missing, start=1):
        tracking.write_past(parent, _past(plan, part, study, trial))
        seen(done, len(missing))
    if record.phase == "done":
        tracking.finish(parent)
    return Synced(len(missing), len(ended) - len(missing))


def _parent(plan: StudyPlan, record: Record, tracking: Tracking) -> str:
    """The study's run; made anew where it is gone."""
    known = str(record.get("mlflow_run") or "")
    if known and tracking.has_run(known):
        return known
    tags = {
        "question": plan.config.question,
        "definition": plan.definition,
        "metric": plan.metric,
        "data_fingerprint": str(record.get("dataset") or ""),
        "rebuilt": "from the trial storage",
        **plan.fold_tag,
    }
    run = tracking.study_run(str(plan.key), tags)
    record.set(mlflow_run=run)
    return run


def _past(plan: StudyPlan, part: str, study: str, trial: FrozenTrial) -> PastRun:
    attributes = trial.user_attrs
    task: dict[str, Any] = attributes.get("task") or {}
    space = plan.baselines.get(part, plan.space)
    params = task.get("params") or (dict(space.short(trial.params)) if trial.params else {})
    name, stage = run_name(part, trial.number, params, task)
    status, state = ENDINGS[trial.state]
    seconds = attributes.get("seconds") or {}
    curves = _curves(plan, part, trial)
    if trial.value is not None:
        score = "test_score" if task.get("kind") in TESTED else "cv_score"
        curves[score] = [(int(attributes.get("best_epoch", 0)), float(trial.value))]
    return PastRun(
        name=name,
        params=params,
        tags={
            "stage": stage,
            "model": str(params.get("family", part)),
            "trial": f"{study} {trial.number}",
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
