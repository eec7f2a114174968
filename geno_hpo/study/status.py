"""The status of a study: progress and failures, for people and programs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS
from geno_hpo.study.lease import LEASE, Lease
from geno_hpo.study.nested import fold_plans
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.plan import load_plan
from geno_hpo.study.progress import Progress, take_progress
from geno_hpo.study.record import Record, find_key, find_run_study
from geno_hpo.study.storage import open_storage, study_names

__all__ = ["Status", "read_outer_status", "read_status"]


@dataclass(frozen=True)
class AtWork:
    """A worker and its trial.

    Parameters
    ----------
    worker, job, gpu
        ``host:process``, job of the scheduler, and GPUs that it sees; empty where there is none.
    part, trial, epoch
        What it works at; epochs that were reported.
    lease_age
        Seconds since it last renewed its lease, by its own clock and that of this machine.
    """

    worker: str
    job: str
    gpu: str
    part: str
    trial: int
    epoch: int
    lease_age: float


@dataclass(frozen=True)
class Status:
    """Name, phase, progress, seconds spent so far, and how often each failure came.

    `outer_fold` is its number in a nested cross-validation; 0 without one. `asked` is what
    somebody asked of all workers (``stop``, ``pause``), `workers` who works at what.
    """

    name: str
    outer_fold: int
    phase: str
    progress: Progress
    seconds_spent: float
    failures: dict[str, int]
    asked: str = ""
    workers: tuple[AtWork, ...] = ()


def read_outer_status(root: Path, name: str) -> tuple[Status | None, ...] | None:
    """Read the status of every outer fold of a nested study, None for one that was not begun.

    Returns
    -------
    tuple or None
        None where the study is not nested.

    Raises
    ------
    InputError
        No such study, or it has not been run yet.
    """
    project = Project(root)
    if not load_plan(project, name).nested:
        return None
    storage = open_storage(project.storage_url) if project.has_trials else None
    begun = set[str]() if storage is None else set(study_names(storage))
    key = StudyKey.parse(name) if storage is None else find_key(storage, name)
    folds = [fold.key for fold in fold_plans(load_plan(project, str(key)))]
    if not begun.intersection(map(str, folds)):
        raise InputError(
            f"study {key} has not been run yet; start it with: geno-hpo run {key.name}"
        )
    return tuple(read_status(root, fold.exact) if str(fold) in begun else None for fold in folds)


def read_status(root: Path, name: str) -> Status:
    """Read a study's status.

    Raises
    ------
    InputError
        No such study, or it has not been run yet.
    """
    project = Project(root)
    load_plan(project, name)
    key = find_run_study(project, name)
    storage = open_storage(project.storage_url)
    plan = load_plan(project, str(key))
    maximise = METRICS[plan.metric].maximise
    pools = open_pools(plan, storage, maximise=maximise, create=False)
    record = Record(pools["network"].study)
    failures = Counter(
        f"{part}: {trial.user_attrs.get('reason', 'unknown')}"
        for part, pool in pools.items()
        for trial in pool.trials()
        if trial.state == TrialState.FAIL
    )
    running = [
        (part, trial)
        for part, pool in pools.items()
        for trial in pool.trials()
        if trial.state == TrialState.RUNNING
    ]
    spent = record.get("spent") or {}
    workers = plan.config.workers or 1
    return Status(
        name=str(key),
        outer_fold=key.outer,
        phase=record.phase,
        progress=take_progress(plan, record.phase, pools, workers),
        seconds_spent=float(spent.get("search", 0.0)) + float(spent.get("final", 0.0)),
        failures=dict(failures.most_common()),
        asked=record.asked,
        workers=tuple(_at_work(part, trial) for part, trial in running),
    )


def _at_work(part: str, trial: FrozenTrial) -> AtWork:
    lease = Lease.read(trial.system_attrs.get(LEASE))
    return AtWork(
        worker=lease.worker or str(trial.user_attrs.get("worker", "")),
        job=lease.job,
        gpu=lease.gpu,
        part=part,
        trial=trial.number,
        epoch=trial.last_step or 0,
        lease_age=round(max(time.time() - lease.at, 0.0), 1) if lease.at else 0.0,
    )
