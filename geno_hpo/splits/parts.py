"""The parts of a split: the sealed test set, and the validation parts of each kind."""

from __future__ import annotations

import numpy as np

from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.splits.deal import deal, deal_groups
from geno_hpo.splits.groups import Mask, Names, group_numbers, members_of
from geno_hpo.splits.split import Indices

__all__ = ["given_part", "held_out", "k_parts", "one_each", "sealed_part"]

MOST_FOLDS = 50
"""Most folds that groups may make: each is trained in every trial."""
TEST, TRAIN = "test", "train"


def sealed_part(
    kind: str,
    names: Names | None,
    labels: Mask,
    folds: int,
    test: float,
    test_groups: tuple[str, ...],
    rng: np.random.Generator,
) -> Mask:
    """Which samples are sealed, ``(samples,)``."""
    shares = np.array([1 - test, test])
    if names is None:
        if test_groups:
            raise InputError(f"test_groups {', '.join(test_groups)} need a group")
        drawn: Mask = deal(labels, shares, rng) == 1
        return drawn
    if test_groups:
        return members_of(names, test_groups, "test_groups")
    if kind == "published" and (names == TEST).any():
        given: Mask = names == TEST
        return given
    least = {"grouped": folds, "holdout": 2, "published": 1}.get(kind, 2)
    parts = f"{folds} folds" if kind == "grouped" else f"a {kind} split"
    codes = group_numbers(names, least + 1, f"{parts} and a test set")
    trains = names == TRAIN if kind == "published" else np.zeros(len(names), bool)
    sealed = np.zeros(len(names), bool)
    open_ = np.flatnonzero(~trains)
    sealed[open_] = deal_groups(codes[open_], labels[open_], shares, np.array([least, 1]), rng) == 1
    return sealed


def given_part(
    dataset: Dataset, names: Names | None, test_by: str, test_groups: tuple[str, ...]
) -> Mask:
    """Samples that another grouping than the folds' puts into the sealed test set.

    Raises
    ------
    InputError
        No such grouping, or a group of the folds with samples inside and outside the test set.
    """
    if test_by not in dataset.groups:
        known = ", ".join(dataset.groups) or "none"
        raise InputError(f"test_by names group {test_by!r}; data set {dataset.name!r} has: {known}")
    sealed = members_of(dataset.groups[test_by], test_groups, "test_groups")
    if names is not None:
        torn = np.intersect1d(names[sealed], names[~sealed])
        if len(torn):
            raise InputError(
                f"groups stay together, but {len(torn)} of them have samples inside and outside "
                f"the test set that {test_by!r} gives, such as {str(torn[0])!r}"
            )
    return sealed


def one_each(names: Names, kind: str) -> list[Indices]:
    """Members of each group, a fold each, ordered by number where all names are numbers."""
    unique = [str(name) for name in np.unique(names) if kind != "published" or name != TRAIN]
    if all(name.isdecimal() for name in unique):
        unique.sort(key=int)
    if not unique or (len(unique) < 2 and kind == "leave_one_group_out"):
        raise InputError(f"a {kind} split needs groups outside the test set, got {len(unique)}")
    if len(unique) > MOST_FOLDS:
        raise InputError(
            f"a {kind} split makes each group a fold, at most {MOST_FOLDS}, got {len(unique)}: "
            "take kind grouped, which joins groups into folds"
        )
    return [np.flatnonzero(names == name) for name in unique]


def held_out(
    names: Names | None,
    labels: Mask,
    valid: float,
    valid_groups: tuple[str, ...],
    rng: np.random.Generator,
) -> list[Indices]:
    """The one validation part of a hold-out."""
    shares = np.array([1 - valid, valid])
    if names is None:
        if valid_groups:
            raise InputError(f"valid_groups {', '.join(valid_groups)} need a group")
        return [np.flatnonzero(deal(labels, shares, rng) == 1)]
    if valid_groups:
        return [np.flatnonzero(members_of(names, valid_groups, "valid_groups"))]
    codes = group_numbers(names, 2, "training and validation part")
    parts = deal_groups(codes, labels, shares, np.array([1, 1]), rng, shake=True)
    return [np.flatnonzero(parts == 1)]


def k_parts(
    names: Names | None,
    labels: Mask,
    folds: int,
    rng: np.random.Generator,
    *,
    shake: bool = False,
) -> list[Indices]:
    """Parts of k-fold cross-validation."""
    even = np.full(folds, 1 / folds)
    if names is None:
        parts = deal(labels, even, rng)
    else:
        codes = group_numbers(names, folds, f"{folds} folds")
        parts = deal_groups(codes, labels, even, np.ones(folds, np.intp), rng, shake=shake)
    return [np.flatnonzero(parts == i) for i in range(folds)]
