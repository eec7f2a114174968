"""The final fits: chosen once the search is over, run by workers like any other trial.

The winner is trained again from `seeds` fresh seeds on the whole development part, for the number
of epochs its best trial had; each baseline likewise (once where it has no randomness); the control
on its permuted labels (once a permutation where there are several). What else the report needs of
the workers (`further`) stands in the same list. Each fit is one trial of the part ``final``, named
by what it fits, so that a study that goes on with a larger budget fits again only what has changed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.errors import GenoHpoError
from geno_hpo.metrics import METRICS
from geno_hpo.study.front import score_of
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import Pool

__all__ = [
    "OPTIONAL",
    "SHARES",
    "FinalFit",
    "best_baseline",
    "control_winners",
    "enqueue_final",
    "finished_fits",
    "has_all_fits",
    "leaders",
    "planned_fits",
]

SHARES = (20, 40, 60, 80, 100)
"""Per cent of the training parts that a learning curve trains on."""

OPTIONAL = frozenset({"folds"})
"""Kinds that a report can do without: studies that finished before there were any stay finished."""

ON_FOLDS = frozenset({"folds", "restart", "share"})
"""Kinds that train on all folds, as a trial does: each takes as long as some fits together."""

SEEDLESS = frozenset({"ridge", "elastic_net", "kernel_ridge", "kmer"})
"""Baselines whose fit does not depend on a seed."""


@dataclass(frozen=True)
class FinalFit:
    """One fit on the whole development part.

    Parameters
    ----------
    kind
        ``network``, ``baseline`` or ``control``; or, of the folds, a kind of `further`.
    model
        Model family or baseline.
    params
        Short names and values.
    epochs
        Epochs or boosting rounds, fixed by the search.
    restart, seed
        Number of the restart from 1, and the seed it starts from.
    step
        Which permutation of the control, or how many per cent of the samples; else 0.
    """

    kind: str
    model: str
    params: dict[str, Any]
    epochs: int
    restart: int
    seed: int
    step: int = 0

    @property
    def name(self) -> str:
        """Unique for its content: kind, model, digest of the rest, seed."""
        told = [self.params, self.epochs, *([self.step] if self.step else [])]
        content = json.dumps(told, sort_keys=True)
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
            "step": self.step,
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
        kind = part if part in ("network", "control") else "baseline"
        if part == "control" and plan.permutations > 1:
            found = control_winners(plan, pools[part])
            fits += [_fit(plan, part, kind, best, 1, step) for step, best in found.items()]
            continue
        model = _params(plan, part, best)["family"]
        count = 1 if model in SEEDLESS else seeds
        fits += [_fit(plan, part, kind, best, number) for number in range(1, count + 1)]
    return fits + _further(plan, pools)


def control_winners(plan: StudyPlan, pool: Pool) -> dict[int, FrozenTrial]:
    """The best trial of each permutation that has one, by the permutation's number."""
    better = METRICS[plan.metric].better
    found: dict[int, FrozenTrial] = {}
    for trial in pool.trials():
        if trial.state == TrialState.COMPLETE:
            own = plan.permutation(trial.number)
            if own not in found or better(float(trial.value or 0), float(found[own].value or 0)):
                found[own] = trial
    return dict(sorted(found.items()))


def leaders(plan: StudyPlan, pools: dict[str, Pool]) -> list[FrozenTrial]:
    """The winner, and then the study's runners-up by their score."""
    sign = 1.0 if METRICS[plan.metric].maximise else -1.0
    winner = pools["network"].best()
    complete = [t for t in pools["network"].trials() if t.state == TrialState.COMPLETE]
    ranked = sorted(
        complete, key=lambda t: (t is not winner, -sign * (score_of(t) or 0.0), t.number)
    )
    return ranked[: plan.config.final.runners_up + 1]


def best_baseline(plan: StudyPlan, pools: dict[str, Pool]) -> str:
    """The baseline best in cross-validation; nothing where there is none."""
    sign = 1.0 if METRICS[plan.metric].maximise else -1.0
    best = {part: pools[part].best() for part in plan.baselines}
    scores = {part: sign * float(t.value or 0) for part, t in best.items() if t is not None}
    return max(scores, key=scores.__getitem__, default="")


def has_all_fits(plan: StudyPlan, pools: dict[str, Pool]) -> bool:
    """Whether every planned fit that a report needs is complete."""
    done = finished_fits(plan, pools)
    return all(fit.name in done for fit in planned_fits(plan, pools) if fit.kind not in OPTIONAL)


def _further(plan: StudyPlan, pools: dict[str, Pool]) -> list[FinalFit]:
    """Trivial models, the folds' networks, restarts on the folds, and the learning curve."""
    config = plan.config.final
    fits = [FinalFit("trivial", "trivial", {}, epochs=1, restart=1, seed=plan.seed)]
    winner = pools["network"].best()
    if config.folds and winner is not None:
        fits.append(_fit(plan, "network", "folds", winner, 1))
    if config.runners_up:
        fits += [
            _fit(plan, "network", "restart", trial, number)
            for trial in leaders(plan, pools)
            for number in range(1, config.seeds + 1)
        ]
    if config.learning_curve:
        for part in filter(None, ("network", best_baseline(plan, pools))):
            best = pools[part].best()
            if best is not None:
                fits += [_fit(plan, part, "share", best, 1, share) for share in SHARES]
    return fits


def _params(plan: StudyPlan, part: str, trial: FrozenTrial) -> dict[str, Any]:
    return dict(plan.baselines.get(part, plan.space).short(trial.params))


def _fit(
    plan: StudyPlan, part: str, kind: str, best: FrozenTrial, number: int, step: int = 0
) -> FinalFit:
    params = _params(plan, part, best)
    return FinalFit(
        kind,
        str(params["family"]),
        params,
        epochs=int(best.user_attrs["best_epoch"]),
        restart=number,
        seed=_seed_of(plan, number),
        step=step,
    )


def _seed_of(plan: StudyPlan, number: int) -> int:
    return int(np.random.default_rng([plan.seed, 104729, number]).integers(2**31))


def enqueue_final(plan: StudyPlan, pools: dict[str, Pool]) -> int:
    """Enqueue the fits that are not yet done or waiting, longest first; return how many."""
    pool = pools["final"]
    known = {t.user_attrs.get("name") for t in pool.trials() if t.state != TrialState.FAIL}
    wanted = [fit for fit in planned_fits(plan, pools) if fit.name not in known]
    for fit in sorted(wanted, key=lambda fit: fit.kind not in ON_FOLDS):
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
