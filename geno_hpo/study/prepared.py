"""From a plan to prepared data, which every worker finds in the work folder.

To *prepare* a study reads the data, seals the test set, makes the folds, checks that every
configuration the spaces can draw is buildable on this data, and writes all of it.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from geno_hpo.data.dataset import Dataset
from geno_hpo.data.saved import load_dataset, save_dataset
from geno_hpo.errors import StudyChangedError
from geno_hpo.space import Parameters, check_space
from geno_hpo.splits import Split, split_for, write_split
from geno_hpo.study.fingerprint import fingerprint
from geno_hpo.study.plan import StudyPlan

__all__ = ["Prepared", "fit_folds", "load_prepared", "prepare"]

MARKER = "prepared.json"


@dataclass(frozen=True)
class Prepared:
    """The data and folds of a study.

    Parameters
    ----------
    dataset, split
        The samples, and which of them are for what.
    fingerprint
        Of data and split together; computed where it is not given.
    """

    dataset: Dataset
    split: Split
    fingerprint: str = ""

    def __post_init__(self) -> None:
        if not self.fingerprint:
            both = [self.dataset.fingerprint, self.split.fingerprint]
            object.__setattr__(self, "fingerprint", fingerprint(both))


def prepare(plan: StudyPlan) -> Prepared:
    """Read the data, seal the test set, make the folds and check the spaces against them.

    Raises
    ------
    InputError
        Data, split or spaces that cannot be used, with the reason.
    """
    from geno_hpo.data.source import open_dataset
    from geno_hpo.evaluation.baseline import features_of
    from geno_hpo.evaluation.shape import chosen, model_shape, shaped
    from geno_hpo.interpret import read_motifs
    from geno_hpo.models import check

    config = plan.config
    if config.motifs is not None:
        read_motifs(plan.project.root / config.motifs)
    dataset = open_dataset(
        config.data,
        target=config.target,
        task=config.task,
        positive=config.positive,
        root=plan.project.root,
        seed=config.seed,
        scratch=plan.work,
    )
    if config.loss == "poisson":
        dataset = dataset.counting()
    split = split_for(
        dataset,
        config.split,
        seed=config.split_seed,
        root=plan.project.root,
        outer=plan.key.outer,
    )
    dataset = dataset.noting(split.note)
    shape = model_shape(dataset, plan.settings)
    facts = {
        "length": shape.length,
        "samples": dataset.samples,
        "variants": shape.length,
        "units": shape.units,
    }

    def selectable(params: Parameters) -> None:
        features_of(plan.settings, params, dataset)

    def buildable(params: Parameters) -> None:
        check(params, shaped(shape, chosen(plan.settings, params, dataset), dataset))

    check_space(plan.space, facts, buildable)
    for space in plan.baselines.values():
        check_space(space, facts, selectable)
    prepared = Prepared(dataset, split)
    _write(plan.work, prepared)
    return prepared


def fit_folds(plan: StudyPlan, prepared: Prepared, threads: int) -> None:
    """Fit the preprocessing of every fold and of the development part, for the workers to read.

    Raises
    ------
    InputError
        A training part from which the preprocessing cannot be learned.
    """
    from geno_hpo.evaluation.fits import Fits
    from geno_hpo.evaluation.inputs import Inputs

    parts = [fold.train for fold in prepared.split.folds]
    fits = Fits(plan.fits, prepared.fingerprint)
    inputs = Inputs(prepared.dataset, prepared.split, plan.settings, fits, most=plan.most_selected)
    inputs.fit_ahead([*parts, prepared.split.development], threads)


def load_prepared(plan: StudyPlan, expected: str) -> Prepared:
    """What the launcher prepared; made here where the work folder is not shared.

    Raises
    ------
    StudyChangedError
        This machine's data are not those that the study's trials saw.
    """
    if not _holds(plan.work, expected):
        prepared = prepare(plan)
        if prepared.fingerprint != expected:
            raise StudyChangedError(
                f"study {plan.key}: the data or folds on this machine ({prepared.fingerprint}) are "
                f"not those of the study's trials ({expected}); give this worker the same files"
            )
    dataset, split = load_dataset(plan.work / "data"), Split.load(plan.work / "split.npz")
    return Prepared(dataset, split, expected)


def _write(folder: Path, prepared: Prepared) -> None:
    """Write data and split for the workers; the same content is not written twice.

    Old data make room as a whole folder: processes that have mapped them keep what they mapped.
    """
    if _holds(folder, prepared.fingerprint):
        return
    marker = folder / MARKER
    marker.unlink(missing_ok=True)
    for old in ("data", "folds"):
        shutil.rmtree(folder / old, ignore_errors=True)
    save_dataset(prepared.dataset, folder / "data")
    prepared.split.save(folder / "split.npz")
    write_split(folder / "split.csv", prepared.split, prepared.dataset.ids)
    marker.write_text(json.dumps({"fingerprint": prepared.fingerprint}))


def _holds(folder: Path, expected: str) -> bool:
    """Whether a work folder holds the data of this fingerprint."""
    marker = folder / MARKER
    return marker.exists() and json.loads(marker.read_text())["fingerprint"] == expected
