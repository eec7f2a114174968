"""The status of a study: progress and failures, for people and programs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from optuna.trial import TrialState

from geno_hpo.metrics import METRICS
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.progress import Progress, take_progress
from geno_hpo.study.record import Record, find_run_study
from geno_hpo.study.storage import open_storage
from geno_hpo.study.worker import open_pools

__all__ = ["Status", "read_status"]


@dataclass(frozen=True)
class Status:
    """Name, phase, progress, seconds spent so far, and how often each failure came."""

    name: str
    phase: str
    progress: Progress
    seconds_spent: float
    failures: dict[str, int]


def read_status(root: Path, name: str) -> Status:
    """Read a study's status.

    Raises
    ------
    InputError
        No such study, or it has not been run yet.
    """
    project = Project(root)
    load_plan(project, name.partition("@")[0])
    key = find_run_study(project, name)
    storage = open_storage(project.storage_url)
    plan = load_plan(project, key.name, key.generation)
    maximise = METRICS[plan.metric].maximise
    pools = open_pools(plan, storage, maximise=maximise, create=False)
    record = Record(pools["network"].study)
    failures = Counter(
        f"{part}: {trial.user_attrs.get('reason', 'unknown')}"
        for part, pool in pools.items()
        for trial in pool.trials()
        if trial.state == TrialState.FAIL
    )
    spent = record.get("spent") or {}
    workers = plan.config.workers or 1
    return Status(
        name=str(key),
        phase=record.phase,
        progress=take_progress(plan, record.phase, pools, workers),
        seconds_spent=float(spent.get("search", 0.0)) + float(spent.get("final", 0.0)),
        failures=dict(failures.most_common()),
    )
