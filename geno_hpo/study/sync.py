"""MLflow runs written again from the trial storage, where they were lost.

The trial storage is what a study rests on; MLflow is its window. A trial that has ended and has no
run gets one: name, parameters, tags, its curve, state and times. What only the run held (files
of its own) stays lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS
from geno_hpo.study.parent import open_parent, tracking_of
from geno_hpo.study.parts import open_pools
from geno_hpo.study.past import ENDINGS, past_run, run_tag
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.prepared import Prepared, load_prepared
from geno_hpo.study.record import Record, find_run_study
from geno_hpo.study.storage import open_storage
from geno_hpo.tracking import DatasetTag, Tracking

__all__ = ["Synced", "sync_runs"]


@dataclass(frozen=True)
class Synced:
    """Runs that were written, trials that had one, and whether the study is done."""

    written: int
    present: int
    done: bool = True


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
    tracking = tracking_of(plan)
    prepared = load_prepared(plan, record.get("data"))
    dataset = DatasetTag.of(prepared.dataset)
    parent = _parent(plan, record, tracking, prepared)
    known = tracking.trials_of(parent)
    ended = [
        (part, pool.study.study_name, trial)
        for part, pool in pools.items()
        for trial in pool.trials()
        if trial.state in ENDINGS
    ]
    missing = [each for each in ended if run_tag(each[1], each[2]) not in known]
    for done, (part, study, trial) in enumerate(missing, start=1):
        tracking.write_past(parent, past_run(plan, part, study, trial, dataset))
        seen(done, len(missing))
    if record.phase == "done":
        tracking.finish(parent)
    return Synced(len(missing), len(ended) - len(missing), record.phase == "done")


def _parent(plan: StudyPlan, record: Record, tracking: Tracking, prepared: Prepared) -> str:
    """The study's run; made anew where it is gone."""
    known = str(record.get("mlflow_run") or "")
    if known and tracking.has_run(known):
        return known
    run = open_parent(plan, prepared, tracking, {"rebuilt": "from the trial storage"})
    record.set(mlflow_run=run)
    return run
