"""Nested cross-validation: every outer fold is a study of its own, run one after another.

An outer fold (``inh~1``, ``inh~2``, …) has its own sealed test set, its own search of networks and
baselines with the whole budget, and its own final fits, under a plan of its own; a `Launch` runs
it like any other study. This module only says which comes next. An outer fold that has met its
plan is not opened again, so that an interrupted run goes on with the fold it was in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from geno_hpo.errors import InputError, StorageError
from geno_hpo.metrics import METRICS
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.final import finished_fits, has_all_fits
from geno_hpo.study.launch import Launch, Watcher
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.record import Record
from geno_hpo.study.storage import open_storage, study_names

__all__ = ["NestedLaunch", "cost", "fold_plans", "has_met_plan"]


def fold_plans(plan: StudyPlan) -> tuple[StudyPlan, ...]:
    """Plans of the outer folds of a nested study, in order; any other plan is its own only one."""
    if not plan.nested:
        return (plan,)
    outer = plan.config.split.outer or 0
    return tuple(replace(plan, key=replace(plan.key, outer=i)) for i in range(1, outer + 1))


def cost(plan: StudyPlan) -> str:
    """What a nested study asks for, in one sentence."""
    outer, budgets = plan.config.split.outer, dict(plan.budgets)
    sentence = f"nested cross-validation: {outer} searches of {budgets.pop('network')} trials each"
    if budgets:
        told = ", ".join(f"{trials} of {part}" for part, trials in budgets.items())
        sentence += f", each with baselines ({told})"
    limit = plan.config.budget.wall_time
    if limit is not None:
        sentence += f"; at most {limit:g} s of search each"
    return f"{sentence}; each ends on an outer fold that it never saw"


def has_met_plan(plan: StudyPlan, storage: TrialStorage) -> bool:
    """Whether an outer fold is done, with the budgets that the study file asks for now.

    Raises
    ------
    StudyChangedError
        Its trials are of another definition.
    """
    if str(plan.key) not in study_names(storage):
        return False
    try:
        maximise = METRICS[plan.metric].maximise
        pools = open_pools(plan, storage, maximise=maximise, create=False)
    except StorageError:  # a baseline that was not asked for before
        return False
    record = Record(pools["network"].study)
    if record.phase != "done" or record.get("met") != plan.promise:
        return False
    record.agree(plan)
    return has_all_fits(plan, pools)


@dataclass(frozen=True)
class NestedLaunch:
    """One launch of all outer folds on this machine.

    Parameters
    ----------
    project, name
        Where the study is.
    workers, per_gpu, fresh
        As for `Launch`; a fresh start begins a new generation of all outer folds.
    begin
        Called with an outer fold's key before it is launched.
    say, watch
        As for `Launch`.
    """

    project: Project
    name: str
    workers: int | None = None
    per_gpu: int = 1
    fresh: bool = False
    begin: Callable[[StudyKey], None] = lambda _: None
    say: Callable[[str], None] = lambda _: None
    watch: Watcher = lambda _: None

    def run(self) -> StudyKey:
        """Run every outer fold that is not done yet; return the key of the whole study.

        Raises
        ------
        InputError
            The study is not nested, or its files or data cannot be used.
        GenoHpoError
            An outer fold had to stop; the message says why and what to do.
        KeyboardInterrupt
            Passed on after the workers have given their trials back.
        """
        plan = load_plan(self.project, self.name)
        if not plan.nested:
            raise InputError(f"study {plan.key} has no outer folds: its split.outer is not given")
        self.say(cost(plan))
        outer = plan.config.split.outer or 0
        whole = plan.key
        for number in range(1, outer + 1):
            launch = Launch(
                self.project,
                f"{self.name}~{number}",
                workers=self.workers,
                per_gpu=self.per_gpu,
                fresh=self.fresh and number == 1,
                say=self.say,
                watch=self.watch,
            )
            whole = launch.plan.key.whole
            if has_met_plan(launch.plan, launch.storage):
                self.say(f"outer fold {number} of {outer} is done")
                continue
            self.say(f"outer fold {number} of {outer} is run as the study {launch.plan.key}")
            self.begin(launch.plan.key)
            launch.run()
            self.say(f"outer fold {number} of {outer} on its sealed part: {scores_of(launch)}")
        return whole


def scores_of(launch: Launch) -> str:
    """Each model's test score of a launched outer fold, mean over the restarts."""
    plan = launch.plan
    storage = open_storage(plan.project.storage_url)
    pools = open_pools(plan, storage, maximise=launch.maximise, create=False)
    found: dict[str, list[float]] = {}
    for fit, trial in finished_fits(plan, pools).values():
        found.setdefault(fit.model, []).append(float(trial.value or 0.0))
    told = ", ".join(f"{model} {np.mean(scores):.4f}" for model, scores in found.items())
    return f"{plan.metric} {told}"
