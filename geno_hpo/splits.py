"""Which samples train, validate and test: the sealed test set first, then the folds.

Everything is an index into the dataset, ``intp`` and sorted. The test set is set aside before
anything else; the folds divide the rest (the development part): each fold validates on one part
and trains on the others.

- ``stratified``: every part holds each class in the same share (binary, multiclass), the same
  share of each tenth of the trait (regression; several traits by the mean of their z-scores), or
  nearly the same share of the known labels of each output (multilabel: iterative stratification).
- ``grouped``: no group lies in two parts; groups are dealt, largest first, to the part whose
  label counts they bring nearest to its share (the seed decides between groups of one size).
- ``random``: by lot.

References
----------
Sechidis, Tsoumakas, Vlahavas (2011). On the stratification of multi-label data. ECML PKDD,
145-158.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Target
from geno_hpo.errors import InputError

__all__ = ["Fold", "Split", "make_split"]

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

KINDS = ("stratified", "grouped", "random")
# Number of equally large classes a trait is cut into, so that folds share its whole range.
TRAIT_BINS = 10


@dataclass(frozen=True, eq=False)
class Fold:
    """Samples that train and samples that validate, ``(n,)`` sorted indices."""

    train: Indices
    valid: Indices


@dataclass(frozen=True, eq=False)
class Split:
    """A sealed test set and the folds over the rest.

    Parameters
    ----------
    development, test
        Sorted, disjoint indices into the dataset.
    folds
        Their validation parts divide `development`; each trains on the rest of it.
    seed
        What it was drawn from.

    Raises
    ------
    InputError
        Parts that overlap, are empty, or do not divide the development part.
    """

    development: Indices
    test: Indices
    folds: tuple[Fold, ...]
    seed: int

    def __post_init__(self) -> None:
        if len(self.folds) < 2:
            raise InputError(f"a split needs at least 2 folds, got {len(self.folds)}")
        if len(self.test) == 0 or len(np.intersect1d(self.development, self.test)):
            raise InputError("the test set must not be empty, nor share samples with the rest")
        valid = np.concatenate([fold.valid for fold in self.folds])
        if not np.array_equal(np.sort(valid), self.development):
            raise InputError("the folds' validation parts must divide the development part")
        for number, fold in enumerate(self.folds, start=1):
            both = np.sort(np.concatenate([fold.train, fold.valid]))
            if len(fold.valid) == 0 or not np.array_equal(both, self.development):
                raise InputError(
                    f"fold {number}: training and validation part must divide the development part"
                )

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) over the indices of every part."""
        digest = hashlib.sha256()
        for part in (self.test, *(fold.valid for fold in self.folds)):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the split to `path` (npz)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts: dict[str, Any] = {f"valid{i}": fold.valid for i, fold in enumerate(self.folds)}
        with path.open("wb") as stream:
            np.savez(stream, test=self.test, seed=np.array(self.seed), **parts)

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what `save` wrote."""
        with np.load(path) as held:
            count = sum(name.startswith("valid") for name in held.files)
            valid = [held[f"valid{i}"].astype(np.intp) for i in range(count)]
            return _from_parts(held["test"].astype(np.intp), valid, int(held["seed"]))


def make_split(
    dataset: Dataset,
    *,
    kind: str = "stratified",
    folds: int = 5,
    test: float = 0.2,
    group: str | None = None,
    seed: int = 1,
) -> Split:
    """Divide a dataset into a sealed test set and folds; the same seed gives the same split.

    Parameters
    ----------
    dataset
        Samples that have at least one label.
    kind
        ``stratified``, ``grouped`` or ``random``.
    folds
        Number of folds over the development part, at least 2.
    test
        Share of the samples to seal, in (0, 0.5].
    group
        For ``grouped``: the name of the grouping in ``dataset.groups``.
    seed
        Seed of every draw.

    Raises
    ------
    InputError
        An unknown kind or group, fewer groups or members of a class than parts, or a part in
        which a class is missing.
    """
    if kind not in KINDS:
        raise InputError(f"split kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if folds < 2:
        raise InputError(f"a split needs at least 2 folds, got {folds}")
    if not 0 < test <= 0.5:
        raise InputError(f"the test share must lie in (0, 0.5], got {test}")
    if dataset.samples < 2 * (folds + 1):
        raise InputError(
            f"{folds} folds and a test set need {2 * (folds + 1)} samples, got {dataset.samples}"
        )
    rng = np.random.default_rng([seed, 0x5EA1])
    shares = np.array([1 - test, test])
    even = np.full(folds, 1 / folds)
    labels = _labels(dataset.target)
    members = np.arange(dataset.samples)
    if kind == "grouped":
        codes = _group_codes(dataset, group, folds)
        sealed = _deal_groups(codes, labels, shares, np.array([folds, 1]), rng) == 1
        rest = members[~sealed]
        parts = _deal_groups(codes[rest], labels[rest], even, np.ones(folds, np.intp), rng)
    elif group is not None:
        raise InputError(f"group {group!r} is for split kind 'grouped', the kind is {kind!r}")
    else:
        if kind == "random":
            labels = np.ones((dataset.samples, 1), bool)
        sealed = _deal(labels, shares, rng) == 1
        rest = members[~sealed]
        if kind == "stratified":
            _check_members(dataset.target, rest, folds)
        parts = _deal(labels[rest], even, rng)
    split = _from_parts(members[sealed], [rest[parts == i] for i in range(folds)], seed)
    _check_classes(split, dataset.target, kind)
    return split


def _from_parts(test: Indices, valid: list[Indices], seed: int) -> Split:
    """Build the split from its validation parts."""
    development = np.sort(np.concatenate(valid))
    folds = tuple(Fold(np.setdiff1d(development, part), np.sort(part)) for part in valid)
    return Split(development, np.sort(test), folds, seed)


def _labels(target: Target) -> NDArray[np.bool_]:
    """Tell which labels each sample carries, ``(samples, labels)``.

    One column a class, a tenth of the trait, or an output's 0 and 1.
    """
    values = target.values
    if target.task in ("binary", "multiclass"):
        return np.equal(values[:, :1], np.arange(len(target.classes)))
    if target.task == "multilabel":
        return np.concatenate([values == 0, values == 1], axis=1)
    spread = np.nanstd(values, axis=0)
    scores = (values - np.nanmean(values, axis=0)) / np.where(spread > 0, spread, 1)
    known = ~np.isnan(scores)
    trait = np.where(known, scores, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    rank = np.argsort(np.argsort(trait, kind="stable"), kind="stable")
    return np.equal((rank * TRAIT_BINS // len(rank))[:, None], np.arange(TRAIT_BINS))


def _deal(labels: NDArray[np.bool_], shares: Floats, rng: np.random.Generator) -> Indices:
    """Part of each sample, by its labels."""
    if (labels.sum(axis=1) == 1).all():
        return _deal_classes(labels.argmax(axis=1), shares, rng)
    return _deal_labels(labels, shares, rng)


def _deal_classes(classes: Indices, shares: Floats, rng: np.random.Generator) -> Indices:
    """Shuffle each class, line the classes up, and cut the line into evenly spread turns.

    The parts' sizes differ from their shares by less than one, and each class's by less than
    two, however small the class.
    """
    lot = rng.permutation(len(classes))
    line = lot[np.argsort(classes[lot], kind="stable")]
    parts = np.empty(len(classes), np.intp)
    parts[line] = _turns(len(classes), shares)
    return parts


def _turns(n: int, shares: Floats) -> Indices:
    """Whose turn it is, ``(n,)``: at every point the part furthest behind its share."""
    turns = np.empty(n, np.intp)
    taken = np.zeros(len(shares))
    for i in range(n):
        turns[i] = np.argmax(shares * (i + 1) - taken)
        taken[turns[i]] += 1
    return turns


def _deal_labels(labels: NDArray[np.bool_], shares: Floats, rng: np.random.Generator) -> Indices:
    """Stratify iteratively (Sechidis et al. 2011), the rarest label first.

    Each of its samples goes to the part that still wants most of that label, then most samples.
    """
    parts = np.full(len(labels), -1, np.intp)
    wanted = shares[:, None] * labels.sum(axis=0)
    room = shares * len(labels)
    lot = rng.permutation(len(labels))
    while len(free := lot[parts[lot] < 0]):
        left = labels[free].sum(axis=0)
        if left.any():
            label = int(np.argmin(np.where(left > 0, left, len(labels) + 1)))
            chosen = free[labels[free, label]]
        else:
            label, chosen = -1, free
        for sample in chosen:
            need = wanted[:, label] if label >= 0 else room
            part = int(np.lexsort((-room, -np.round(need, 9)))[0])
            parts[sample] = part
            room[part] -= 1
            wanted[part, labels[sample]] -= 1
    return parts


def _group_codes(dataset: Dataset, group: str | None, folds: int) -> Indices:
    """Group number of each sample.

    Raises
    ------
    InputError
        No or an unknown grouping, samples without a group, too few groups.
    """
    known = ", ".join(dataset.groups) or "none"
    if group is None or group not in dataset.groups:
        what = "names no group" if group is None else f"names group {group!r}"
        raise InputError(f"a grouped split {what}; data set {dataset.name!r} has: {known}")
    names = dataset.groups[group]
    if nameless := int((names == "").sum()):
        raise InputError(f"{nameless} samples have no {group!r}: a grouped split cannot place them")
    unique, codes = np.unique(names, return_inverse=True)
    if len(unique) < folds + 1:
        raise InputError(
            f"{folds} folds and a test set need {folds + 1} groups, "
            f"{group!r} has {len(unique)}: {', '.join(map(str, unique))}"
        )
    return codes.astype(np.intp)


def _deal_groups(
    codes: Indices,
    labels: NDArray[np.bool_],
    shares: Floats,
    least: Indices,
    rng: np.random.Generator,
) -> Indices:
    """Part of each sample, whole groups together; each part gets at least `least` groups."""
    _, group = np.unique(codes, return_inverse=True)
    table = np.zeros((group.max() + 1, labels.shape[1] + 1))
    np.add.at(table, group, np.column_stack([np.ones(len(labels)), labels]))
    # Deviations count as shares of a label's total, so that a rare label weighs like a common one.
    table /= np.maximum(table.sum(axis=0), 1)
    lot = rng.permutation(len(table))
    order = lot[np.argsort(-table[lot, 0], kind="stable")]
    held = np.zeros((len(shares), table.shape[1]))
    count = np.zeros(len(shares), np.intp)
    part_of = np.empty(len(table), np.intp)
    for done, g in enumerate(order):
        short = np.maximum(least - count, 0)
        # Squared deviation from the share after taking the group, less that before.
        gap = shares[:, None] - held
        cost = ((gap - table[g]) ** 2 - gap**2).sum(axis=1)
        if short.sum() >= len(order) - done:
            cost[short == 0] = np.inf
        part_of[g] = np.argmin(cost)
        held[part_of[g]] += table[g]
        count[part_of[g]] += 1
    return part_of[group]


def _classes(target: Target) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and membership, ``(samples,)``, of every class of every output."""
    if target.task == "regression":
        return []
    if target.task == "multilabel":
        return [
            (f"value {value} of {name!r}", target.values[:, column] == value)
            for column, name in enumerate(target.names)
            for value in (0, 1)
        ]
    return [
        (f"class {name!r}", target.values[:, 0] == index)
        for index, name in enumerate(target.classes)
    ]


def _check_members(target: Target, rest: Indices, folds: int) -> None:
    """Refuse a class of which not every fold can validate a member.

    Raises
    ------
    InputError
        Naming the class and its count.
    """
    for name, members in _classes(target):
        if (left := int(members[rest].sum())) < folds:
            raise InputError(
                f"{folds} folds need {folds} members of each class, {name} has {left} outside the "
                f"test set (of {int(members.sum())}): take fewer folds, or leave the class out"
            )


def _check_classes(split: Split, target: Target, kind: str) -> None:
    """Refuse parts that cannot be trained on or scored because a class is missing.

    Raises
    ------
    InputError
        Naming the part and the class.
    """
    if target.task == "multilabel":
        return  # an output without both classes in a part has no score there; the others do
    folds = list(enumerate(split.folds, start=1))
    named = [(f"the training part of fold {i}", fold.train) for i, fold in folds]
    if target.task == "binary":
        named += [(f"the validation part of fold {i}", fold.valid) for i, fold in folds]
        named += [("the test set", split.test)]
    for part, samples in named:
        for name, members in _classes(target):
            if not members[samples].any():
                raise InputError(
                    f"{part} ({len(samples)} samples) holds no sample of {name}: take fewer folds"
                    + (", or a finer grouping" if kind == "grouped" else ", or a stratified split")
                )
