"""A finished study: its plan, data and storage, and the files that its final fits left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS, Metric
from geno_hpo.study.files import final_path, unseen_path
from geno_hpo.study.final import FinalFit, finished_fits, has_all_fits
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.prepared import Prepared, load_prepared
from geno_hpo.study.record import Record, find_run_study
from geno_hpo.study.storage import Pool, open_storage

__all__ = ["Finished", "load_finished"]


@dataclass(frozen=True)
class Finished:
    """A study whose final fits are done: plan, data, and the storage's parts."""

    plan: StudyPlan
    prepared: Prepared
    pools: dict[str, Pool]
    record: Record

    @property
    def metric(self) -> Metric:
        """The study's score."""
        return METRICS[self.plan.metric]

    @property
    def test_groups(self) -> NDArray[np.str_] | None:
        """Groups of the test samples, which resample as one where the split keeps them together."""
        split = self.prepared.split
        return None if split.groups is None else split.groups[split.test]

    def best(self, part: str) -> FrozenTrial:
        """The best complete trial of a part.

        Raises
        ------
        InputError
            It has none.
        """
        best = self.pools[part].best()
        if best is None:
            raise InputError(f"study {self.plan.key} has no complete trial of {part}")
        return best

    def saved(self, fit: FinalFit) -> dict[str, NDArray[Any]]:
        """What a final fit left.

        Raises
        ------
        InputError
            Its file is gone.
        """
        path = final_path(self.plan.work, fit.name)
        if not path.exists():
            raise InputError(
                f"the final fit {fit.name} is recorded, but its file {path} is gone; "
                f"start the study anew with: geno-hpo run {self.plan.key.name} --fresh"
            )
        with np.load(path) as arrays:
            return dict(arrays)

    def kept(self, *kinds: str) -> list[tuple[FinalFit, dict[str, NDArray[Any]]]]:
        """The final fits of these kinds, and what they left."""
        fits = finished_fits(self.plan, self.pools).values()
        return [(fit, self.saved(fit)) for fit, _ in fits if fit.kind in kinds]

    def unseen(self) -> tuple[NDArray[Any], NDArray[Any]] | None:
        """Labels and predictions of the winner's validation folds, repeats averaged.

        None where they were not kept.
        """
        path = unseen_path(self.plan.work, self.best("network").number)
        if not path.exists():
            return None
        with np.load(path) as arrays:
            samples, place = np.unique(arrays["samples"], return_inverse=True)
            total = np.zeros((len(samples), arrays["predictions"].shape[1]))
            np.add.at(total, place, arrays["predictions"])
        told: NDArray[Any] = total / np.bincount(place)[:, None]
        return self.prepared.dataset.target.take(samples), told


def load_finished(project: Project, name: str, *, test: bool = True) -> Finished:
    """Open a finished study; without its test set, one whose search has a winner.

    Raises
    ------
    InputError
        It has not been run, or is not finished yet.
    """
    load_plan(project, name)
    key = find_run_study(project, name)
    storage = open_storage(project.storage_url)
    plan = load_plan(project, str(key))
    maximise = METRICS[plan.metric].maximise
    pools = open_pools(plan, storage, maximise=maximise, create=False)
    record = Record(pools["network"].study)
    record.agree(plan)
    go_on = f"go on with: geno-hpo run {key.name}"
    if not test:
        without = [part for part in ("network", *plan.baselines) if pools[part].best() is None]
        if without:
            raise InputError(f"study {key} has no complete trial of {', '.join(without)}; {go_on}")
    else:
        if not record.get("seal") or not has_all_fits(plan, pools):
            raise InputError(f"study {key} is not finished yet; {go_on}")
    return Finished(plan, load_prepared(plan, record.get("data")), pools, record)
