"""The final fits: chosen once the search is over, run by workers like any other trial.

The winner is trained again from `seeds` fresh seeds on the whole development part, for the number
of epochs its best trial had; each baseline likewise (once where it has no randomness); the control
on its permuted labels. Each fit is one trial of the part ``final``, named by what it fits, so that
a study that goes on with a larger budget fits again only what has changed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.errors import GenoHpoError
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import Pool

__all__ = ["FinalFit", "enqueue_final", "planned_fits"]

SEEDLESS = frozenset({"ridge", "elastic_net", "kernel_ridge", "kmer"})
"""Baselines whose fit does not depend on a seed."""


@dataclass(frozen=True)
class FinalFit:
    """One fit on the whole development part.

    Parameters
    ----------
    kind
        ``network``, ``baseline`` or ``control``.
    model
        Model family or baseline.
    params
        Short names and values.
    epochs
        Epochs or boosting rounds, fixed by the search.
    restart, seed
        Number of the restart from 1, and the seed it starts from.
    """

    kind: str
    model: str
    params: dict[str, Any]
    epochs: int
    restart: int
    seed: int

    @property
    def name(self) -> str:
        """Unique for its content: kind, model, digest of the rest, seed."""
        content = json.dumps([self.params, self.epochs], sort_keys=True)
        digest = hashlib.sha256(content.encode()).hexdigest()[:8]
        return f"{self.kind}-{self.model}-{digest}-{self.seed}"

    @property
    def task(self) -> dict[str, Any]:
        """What the worker is told."""
        return {
            "kind": self.kind,
            "model": self.model,
            "params": self.params,
            "epochs": self.epochs,
            "restart": self.restart,
            "seed": self.seed,
        }


def planned_fits(plan: StudyPlan, pools: dict[str, Pool]) -> list[FinalFit]:
    """The fits that the search's winners ask for.

    Raises
    ------
    GenoHpoError
        A part has no complete trial to choose from.
    """
    fits: list[FinalFit] = []
    seeds = plan.config.final.seeds
    for part in plan.parts:
        best = pools[part].best()
        if best is None:
            raise GenoHpoError(
                f"no trial of {part} completed, so there is no winner to fit; raise the budget or "
                "look at the reasons with: geno-hpo status " + plan.key.name
            )
        space = plan.baselines.get(part, plan.space)
        params = dict(space.short(best.params))
        kind = part if part in ("network", "control") else "baseline"
        model = str(params["family"])
        count = 1 if model in SEEDLESS else seeds
        fits += [
            FinalFit(
                kind,
                model,
                params,
                epochs=int(best.user_attrs["best_epoch"]),
                restart=number,
                seed=_seed_of(plan, number),
            )
            for number in range(1, count + 1)
        ]
    return fits


def _seed_of(plan: StudyPlan, number: int) -> int:
    return int(np.random.default_rng([plan.seed, 104729, number]).integers(2**31))


def enqueue_final(plan: StudyPlan, pools: dict[str, Pool]) -> int:
    """Enqueue the fits that are not yet done or waiting; return how many."""
    pool = pools["final"]
    known = {t.user_attrs.get("name") for t in pool.trials() if t.state != TrialState.FAIL}
    wanted = [fit for fit in planned_fits(plan, pools) if fit.name not in known]
    for fit in wanted:
        pool.enqueue({"name": fit.name, "task": fit.task})
    return len(wanted)


def finished_fits(
    plan: StudyPlan, pools: dict[str, Pool]
) -> dict[str, tuple[FinalFit, FrozenTrial]]:
    """The planned fits that are complete, by name."""
    complete = {
        t.user_attrs.get("name"): t
        for t in pools["final"].trials()
        if t.state == TrialState.COMPLETE
    }
    fits = planned_fits(plan, pools)
    return {fit.name: (fit, complete[fit.name]) for fit in fits if fit.name in complete}
