"""Which samples train, validate and test: the sealed test set first, then the folds.

- ``stratified``: every part holds each class in the same share (binary, multiclass), the same
  share of each tenth of the trait (regression; several traits by the mean of their z-scores), or
  nearly the same share of the known labels of each output (multilabel: iterative stratification).
- ``grouped``: no group lies in two parts; groups are dealt, largest first, to the part whose
  label counts they bring nearest to its share (the seed decides between groups of one size).
- ``random``: by lot.
- ``leave_one_group_out``: every group outside the test set is a fold of its own.
- ``holdout``: one validation part; it is never trained on, the rest never validates.
- ``published``: a grouping tells the parts: ``test``, ``train`` (never validates), and any other
  value is a fold.

A chromosome, locus or region is a group like any other where the *samples* are sequences or
regions (``group: chromosome``, ``test_groups: [chr8, chr9]``). Where samples are individuals,
chromosomes divide the features, and no split of the samples can hold one out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.splits.checks import check_classes, check_members
from geno_hpo.splits.deal import deal, deal_groups, label_table
from geno_hpo.splits.split import Indices, Split, from_parts

__all__ = ["KINDS", "make_split", "outer_splits"]

KINDS = ("stratified", "grouped", "random", "leave_one_group_out", "holdout", "published")
# Kinds that may be drawn again, over the same sealed test set.
REPEATED = ("stratified", "grouped", "random", "holdout")
# Most folds that groups may make: each is trained in every trial.
MOST_FOLDS = 50
TEST, TRAIN = "test", "train"

Mask = NDArray[np.bool_]


def make_split(
    dataset: Dataset,
    *,
    kind: str = "stratified",
    folds: int = 5,
    repeats: int = 1,
    test: float = 0.2,
    valid: float = 0.2,
    group: str | None = None,
    found: NDArray[np.str_] | None = None,
    test_groups: tuple[str, ...] = (),
    test_by: str | None = None,
    valid_groups: tuple[str, ...] = (),
    seed: int = 1,
) -> Split:
    """Divide a dataset into a sealed test set and folds; the same seed gives the same split.

    Parameters
    ----------
    dataset
        Samples that have at least one label.
    kind
        One of the kinds above.
    folds
        ``stratified``, ``grouped``, ``random``: number of folds over the development part, at
        least 2.
    repeats
        How often the development part is divided anew; all repeats share the sealed test set.
    test
        Share of the samples to seal, in (0, 0.5].
    valid
        ``holdout``: share of the development part that validates, in (0, 0.5].
    group
        Name of the grouping in ``dataset.groups``.
    found
        ``(samples,)`` groups found from the data, instead of `group`.
    test_groups
        Groups that make the sealed test set, instead of a share.
    test_by
        Name of the grouping that `test_groups` are of, where it is not `group`.
    valid_groups
        ``holdout``: groups that validate, instead of a share.
    seed
        Seed of every draw.

    Raises
    ------
    InputError
        An unknown kind or group, fewer groups or members of a class than parts, or a part in
        which a class is missing.
    """
    _check_numbers(dataset, kind, folds, repeats, test, valid)
    rng = np.random.default_rng([seed, 0x5EA1])
    names = _group_names(dataset, kind, group, found)
    labels = label_table(dataset.target)
    if kind == "random":
        labels = np.ones((dataset.samples, 1), bool)
    if test_by is None:
        sealed = _sealed(kind, names, labels, folds, test, test_groups, rng)
    else:
        sealed = _given(dataset, names, test_by, test_groups)
    rest = np.flatnonzero(~sealed)
    if kind == "stratified":
        check_members(dataset.target, rest, folds)
    parts: list[Indices] = []
    for repeat in range(repeats):
        again = rng if repeat == 0 else np.random.default_rng([seed, 0x5EA1, repeat])
        here = None if names is None else names[rest]
        if kind in ("leave_one_group_out", "published") and here is not None:
            member_sets = _one_each(here, kind)
        elif kind == "holdout":
            member_sets = _held_out(here, labels[rest], valid, valid_groups, again)
        else:
            member_sets = _k_parts(here, labels[rest], folds, again, shake=repeat > 0)
        parts += [rest[members] for members in member_sets]
    kept = None if kind == "published" else names
    split = from_parts(rest, np.flatnonzero(sealed), parts, seed, groups=kept)
    check_classes(split, dataset.target, kind)
    return split


def outer_splits(
    dataset: Dataset,
    *,
    outer: int = 5,
    folds: int = 5,
    kind: str = "stratified",
    group: str | None = None,
    found: NDArray[np.str_] | None = None,
    seed: int = 1,
) -> tuple[Split, ...]:
    """Nested cross-validation: every sample is in the sealed test set of exactly one split.

    Each split stands for itself: a search on its folds, judged once on its test set, never sees
    the other splits.

    Parameters
    ----------
    dataset, folds, kind, group, found, seed
        As for `make_split`; `kind` is ``stratified``, ``grouped`` or ``random``.
    outer
        Number of splits, at least 2.

    Raises
    ------
    InputError
        A kind that cannot be nested, or too few samples, groups or members of a class.
    """
    if kind not in ("stratified", "grouped", "random"):
        raise InputError(f"nested folds are stratified, grouped or random, got {kind!r}")
    if outer < 2:
        raise InputError(f"nested cross-validation needs at least 2 outer folds, got {outer}")
    _check_numbers(dataset, kind, folds, 1, 1 / outer, 0.2)
    names = _group_names(dataset, kind, group, found)
    labels = label_table(dataset.target)
    if kind == "random":
        labels = np.ones((dataset.samples, 1), bool)
    rng = np.random.default_rng([seed, 0x0DE5])
    splits = []
    for number, members in enumerate(_k_parts(names, labels, outer, rng)):
        rest = np.setdiff1d(np.arange(dataset.samples), members)
        if kind == "stratified":
            check_members(dataset.target, rest, folds)
        inner = np.random.default_rng([seed, 0x0DE5, number])
        here = None if names is None else names[rest]
        parts = [rest[part] for part in _k_parts(here, labels[rest], folds, inner)]
        split = from_parts(
            rest, members, parts, seed, groups=names, note=f"outer fold {number + 1} of {outer}"
        )
        check_classes(split, dataset.target, kind)
        splits.append(split)
    return tuple(splits)


def _check_numbers(
    dataset: Dataset, kind: str, folds: int, repeats: int, test: float, valid: float
) -> None:
    """Refuse numbers out of their range.

    Raises
    ------
    InputError
        The rule and the number.
    """
    if kind not in KINDS:
        raise InputError(f"split kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if folds < 2:
        raise InputError(f"a split needs at least 2 folds, got {folds}")
    if not 0 < test <= 0.5:
        raise InputError(f"the test share must lie in (0, 0.5], got {test}")
    if not 0 < valid <= 0.5:
        raise InputError(f"the validation share must lie in (0, 0.5], got {valid}")
    if repeats < 1 or (repeats > 1 and kind not in REPEATED):
        raise InputError(f"{', '.join(REPEATED)} splits can be repeated, got {repeats} of {kind}")
    least = 2 * (folds + 1) if kind in ("stratified", "grouped", "random") else 6
    if dataset.samples < least:
        what = f"{folds} folds" if least > 6 or folds == 2 else "a validation part"
        raise InputError(f"{what} and a test set need {least} samples, got {dataset.samples}")


def _group_names(
    dataset: Dataset, kind: str, group: str | None, found: NDArray[np.str_] | None
) -> NDArray[np.str_] | None:
    """Group of each sample, None where none is asked for.

    Raises
    ------
    InputError
        No or an unknown grouping, or samples without a group.
    """
    if found is not None:
        return found
    if group is None and kind in ("stratified", "random", "holdout"):
        return None
    if group is not None and kind in ("stratified", "random"):
        raise InputError(f"group {group!r} is for split kind 'grouped', the kind is {kind!r}")
    known = ", ".join(dataset.groups) or "none"
    if group is None or group not in dataset.groups:
        what = "names no group" if group is None else f"names group {group!r}"
        raise InputError(f"a {kind} split {what}; data set {dataset.name!r} has: {known}")
    names = dataset.groups[group]
    if nameless := int((names == "").sum()):
        raise InputError(f"{nameless} samples have no {group!r}: a {kind} split cannot place them")
    return names


def _codes(names: NDArray[np.str_], least: int, what: str) -> Indices:
    """Group number of each sample.

    Raises
    ------
    InputError
        Fewer groups than parts.
    """
    unique, codes = np.unique(names, return_inverse=True)
    if len(unique) < least:
        shown = ", ".join(map(str, unique[:10]))
        raise InputError(f"{what} need {least} groups, there are {len(unique)}: {shown}")
    return codes.astype(np.intp)


def _sealed(
    kind: str,
    names: NDArray[np.str_] | None,
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
        return _members(names, test_groups, "test_groups")
    if kind == "published" and (names == TEST).any():
        given: Mask = names == TEST
        return given
    least = {"grouped": folds, "holdout": 2, "published": 1}.get(kind, 2)
    parts = f"{folds} folds" if kind == "grouped" else f"a {kind} split"
    codes = _codes(names, least + 1, f"{parts} and a test set")
    trains = names == TRAIN if kind == "published" else np.zeros(len(names), bool)
    sealed = np.zeros(len(names), bool)
    open_ = np.flatnonzero(~trains)
    sealed[open_] = deal_groups(codes[open_], labels[open_], shares, np.array([least, 1]), rng) == 1
    return sealed


def _given(
    dataset: Dataset, names: NDArray[np.str_] | None, test_by: str, test_groups: tuple[str, ...]
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
    sealed = _members(dataset.groups[test_by], test_groups, "test_groups")
    if names is not None:
        torn = np.intersect1d(names[sealed], names[~sealed])
        if len(torn):
            raise InputError(
                f"groups stay together, but {len(torn)} of them have samples inside and outside "
                f"the test set that {test_by!r} gives, such as {str(torn[0])!r}"
            )
    return sealed


def _members(names: NDArray[np.str_], chosen: tuple[str, ...], key: str) -> Mask:
    """Samples of the chosen groups.

    Raises
    ------
    InputError
        A group that no sample belongs to.
    """
    known = np.unique(names)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        shown = ", ".join(map(str, known[:10])) + (" …" if len(known) > 10 else "")
        raise InputError(
            f"{key} names {', '.join(unknown)}, which no sample belongs to (groups: {shown})"
        )
    members: Mask = np.isin(names, chosen)
    return members


def _one_each(names: NDArray[np.str_], kind: str) -> list[Indices]:
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


def _held_out(
    names: NDArray[np.str_] | None,
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
        return [np.flatnonzero(_members(names, valid_groups, "valid_groups"))]
    codes = _codes(names, 2, "training and validation part")
    parts = deal_groups(codes, labels, shares, np.array([1, 1]), rng, shake=True)
    return [np.flatnonzero(parts == 1)]


def _k_parts(
    names: NDArray[np.str_] | None,
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
        codes = _codes(names, folds, f"{folds} folds")
        parts = deal_groups(codes, labels, even, np.ones(folds, np.intp), rng, shake=shake)
    return [np.flatnonzero(parts == i) for i in range(folds)]
