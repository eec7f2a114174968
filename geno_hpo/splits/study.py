"""The split that a study file asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.splits.file import read_split
from geno_hpo.splits.make import make_split, outer_splits
from geno_hpo.splits.related import find_groups
from geno_hpo.splits.split import Split

if TYPE_CHECKING:
    from geno_hpo.config import SplitConfig

__all__ = ["nested_splits", "split_for"]

Names = NDArray[np.str_]


def split_for(
    dataset: Dataset, config: SplitConfig, *, seed: int, root: Path, outer: int = 0
) -> Split:
    """Read or draw the split of a study.

    Parameters
    ----------
    dataset
        Its samples.
    config
        The study's ``split`` section.
    seed
        Seed of every draw.
    root
        Project folder, from which a relative ``file`` counts.
    outer
        Number of the outer fold where the study is nested, from 1; 0 gives the first.

    Raises
    ------
    InputError
        A split that cannot be made, with the reason.
    """
    if config.outer is not None:
        return nested_splits(dataset, config, outer=config.outer, seed=seed)[max(outer, 1) - 1]
    if config.file is not None:
        return read_split(root / config.file, dataset, seed)
    found, note = _found(dataset, config)
    split = make_split(
        dataset,
        kind=config.kind,
        folds=config.folds,
        repeats=config.repeats,
        test=config.test,
        valid=config.valid,
        group=config.group,
        found=found,
        test_groups=config.test_groups,
        test_by=config.test_by,
        valid_groups=config.valid_groups,
        seed=seed,
    )
    return replace(split, note=note)


def nested_splits(
    dataset: Dataset, config: SplitConfig, *, outer: int, seed: int
) -> tuple[Split, ...]:
    """Splits of a nested cross-validation with the study's folds and groups inside.

    Raises
    ------
    InputError
        A kind that cannot be nested, or too few samples, groups or members of a class.
    """
    found, note = _found(dataset, config)
    splits = outer_splits(
        dataset,
        outer=outer,
        folds=config.folds,
        kind=config.kind,
        group=config.group,
        found=found,
        seed=seed,
    )
    return tuple(
        replace(split, note=f"{note}; {split.note}" if note else split.note) for split in splits
    )


def _found(dataset: Dataset, config: SplitConfig) -> tuple[Names | None, str]:
    """Groups found from the data where the study asks for it, and what to tell of them."""
    if config.groups is None:
        return None, ""
    asked = config.groups
    groups = find_groups(
        dataset.codes, dataset.kind, by=asked.by, threshold=asked.threshold, count=asked.count
    )
    sizes = np.unique(groups, return_counts=True)[1]
    note = (
        f"split: {len(sizes)} groups found by {asked.by} among {dataset.samples} samples, "
        f"the largest of {sizes.max()}"
    )
    return groups, note
