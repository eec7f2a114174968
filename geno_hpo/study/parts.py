"""The parts of a study, each a pool of trials: networks, baselines, control, and the final fits."""

from __future__ import annotations

import optuna

from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.naming import FINAL
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.pruners import make_pruner
from geno_hpo.study.storage import Pool, open_pool

__all__ = ["open_pools"]


def open_pools(
    plan: StudyPlan, storage: TrialStorage, *, maximise: bool, create: bool
) -> dict[str, Pool]:
    """Open every part of a study, the final fits last."""
    epochs = plan.config.budget.epochs
    lock = plan.work if plan.project.storage_url.startswith("sqlite") else None
    pools = {}
    for part, name in {**plan.parts, FINAL: plan.key.part(FINAL)}.items():
        searched = part in ("network", "lightgbm")
        pruner = make_pruner(plan.config.pruner, epochs) if searched else optuna.pruners.NopPruner()
        pools[part] = open_pool(
            storage,
            name,
            maximise=maximise,
            costs=len(plan.costs) if part == "network" else 0,
            lock_folder=lock,
            pruner=pruner,
            create=create,
        )
    return pools
