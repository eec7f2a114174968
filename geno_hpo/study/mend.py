"""MLflow's runs made to agree with the storage, one run a trial.

The storage is what counts. A worker that is killed right after its trial ended has not told MLflow
yet; a trial that failed because its workers were lost never told. Before a study is done, what is
missing is written from the storage, and what is there twice goes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from geno_hpo.study.naming import run_name
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import Pool
from geno_hpo.tracking import Tracking

__all__ = ["mend_runs"]

WORDS = {
    TrialState.COMPLETE: ("FINISHED", "complete"),
    TrialState.PRUNED: ("KILLED", "pruned"),
    TrialState.FAIL: ("FAILED", "failed"),
}


def mend_runs(plan: StudyPlan, pools: dict[str, Pool], tracking: Tracking, parent: str) -> int:
    """Write every finished trial's run that is missing or open; return how many were mended."""
    found: dict[str, list[Any]] = defaultdict(list)
    for run in tracking.runs_below(parent):
        found[run.data.tags.get("trial", "")].append(run)
    mended = 0
    for part, pool in pools.items():
        for trial in pool.trials():
            if not trial.state.is_finished():
                continue
            name = f"{pool.study.study_name} {trial.number}"
            status, word = WORDS[trial.state]
            runs = sorted(found[name], key=lambda run: run.data.tags.get("state") != word)
            if len(runs) == 1 and runs[0].data.tags.get("state") == word:
                continue
            for run in runs:
                tracking.delete(run.info.run_id)
            mended += 1
            _write(plan, part, trial, (name, status, word), tracking, parent)
    return mended


def _write(
    plan: StudyPlan,
    part: str,
    trial: FrozenTrial,
    told: tuple[str, str, str],
    tracking: Tracking,
    parent: str,
) -> None:
    """Write one run from what the storage knows of its trial."""
    name, status, word = told
    task: dict[str, Any] = trial.user_attrs.get("task") or {}
    space = plan.baselines.get(part, plan.space)
    params = task.get("params") or (dict(space.short(trial.params)) if trial.params else {})
    title, stage = run_name(part, trial.number, params, task)
    tags = {
        "stage": stage,
        "model": str(params.get("family", part)),
        "worker": str(trial.user_attrs.get("worker", "")),
        "trial": name,
        "state": word,
        "reason": str(trial.user_attrs.get("reason", "")),
        "mended": "written from the storage: its worker ended before MLflow was told",
        **plan.fold_tag,
    }
    started = None if trial.datetime_start is None else trial.datetime_start.timestamp()
    run = tracking.start_run(title, parent=parent, tags=tags, started=started)
    steps = {step: {"score": score} for step, score in trial.intermediate_values.items()}
    if trial.value is not None and trial.state == TrialState.COMPLETE:
        best = int(trial.user_attrs.get("best_epoch", 0))
        score = "test_score" if part == "final" else "cv_score"
        steps[best] = {**steps.get(best, {}), score: float(trial.value)}
    tracking.write_steps(run, params, steps)
    tracking.finish(run, status)
