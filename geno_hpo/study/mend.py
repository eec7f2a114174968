"""MLflow's runs made to agree with the storage, one run a trial.

The storage is what counts. A worker that is killed right after its trial ended has not told MLflow
yet; a trial that failed because its workers were lost never told. Before a study is done, what is
missing is written from the storage, and what is there twice goes.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from geno_hpo.study.past import ENDINGS, past_run, run_tag
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import Pool
from geno_hpo.tracking import DatasetTag, Tracking

__all__ = ["mend_runs"]


def mend_runs(
    plan: StudyPlan,
    pools: dict[str, Pool],
    tracking: Tracking,
    parent: str,
    dataset: DatasetTag | None = None,
) -> int:
    """Write every finished trial's run that is missing or open; return how many were mended."""
    found: dict[str, list[Any]] = defaultdict(list)
    for run in tracking.runs_below(parent):
        found[run.data.tags.get("trial", "")].append(run)
    mended = 0
    for part, pool in pools.items():
        study = pool.study.study_name
        for trial in pool.trials():
            if not trial.state.is_finished():
                continue
            _, word = ENDINGS[trial.state]
            name = run_tag(study, trial)
            runs = sorted(found[name], key=lambda run: run.data.tags.get("state") != word)
            if len(runs) == 1 and runs[0].data.tags.get("state") == word:
                continue
            for run in runs:
                tracking.delete(run.info.run_id)
            mended += 1
            tracking.write_past(parent, past_run(plan, part, study, trial, dataset))
    return mended
