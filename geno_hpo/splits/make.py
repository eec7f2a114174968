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

from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.splits.checks import check_classes, check_members
from geno_hpo.splits.deal import label_table
from geno_hpo.splits.groups import Names, group_names
from geno_hpo.splits.parts import given_part, held_out, k_parts, one_each, sealed_part
from geno_hpo.splits.split import Indices, Split, from_parts

__all__ = ["KINDS", "make_split", "outer_splits"]

KINDS = ("stratified", "grouped", "random", "leave_one_group_out", "holdout", "published")
# Kinds that may be drawn again, over the same sealed test set.
REPEATED = ("stratified", "grouped", "random", "holdout")


def make_split(
    dataset: Dataset,
    *,
    kind: str = "stratified",
    folds: int = 5,
    repeats: int = 1,
    test: float = 0.2,
    valid: float = 0.2,
    group: str | None = None,
    found: Names | None = None,
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
    names = group_names(dataset, kind, group, found)
    labels = label_table(dataset.target)
    if kind == "random":
        labels = np.ones((dataset.samples, 1), bool)
    if test_by is None:
        sealed = sealed_part(kind, names, labels, folds, test, test_groups, rng)
    else:
        sealed = given_part(dataset, names, test_by, test_groups)
    rest = np.flatnonzero(~sealed)
    if kind == "stratified":
        check_members(dataset.target, rest, folds)
    parts: list[Indices] = []
    for repeat in range(repeats):
        again = rng if repeat == 0 else np.random.default_rng([seed, 0x5EA1, repeat])
        here = None if names is None else names[rest]
        if kind in ("leave_one_group_out", "published") and here is not None:
            member_sets = one_each(here, kind)
        elif kind == "holdout":
            member_sets = held_out(here, labels[rest], valid, valid_groups, again)
        else:
            member_sets = k_parts(here, labels[rest], folds, again, shake=repeat > 0)
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
    found: Names | None = None,
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
    names = group_names(dataset, kind, group, found)
    labels = label_table(dataset.target)
    if kind == "random":
        labels = np.ones((dataset.samples, 1), bool)
    rng = np.random.default_rng([seed, 0x0DE5])
    splits = []
    for number, members in enumerate(k_parts(names, labels, outer, rng)):
        rest = np.setdiff1d(np.arange(dataset.samples), members)
        if kind == "stratified":
            check_members(dataset.target, rest, folds)
        inner = np.random.default_rng([seed, 0x0DE5, number])
        here = None if names is None else names[rest]
        parts = [rest[part] for part in k_parts(here, labels[rest], folds, inner)]
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
