"""The value `Split`: a sealed test set and folds over the rest, as sorted ``intp`` indices."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError

__all__ = ["Fold", "Indices", "Split", "from_parts"]

Indices = NDArray[np.intp]


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
        Each divides `development` into a training and a validation part. In k-fold
        cross-validation the validation parts divide `development` too; in a hold-out some samples
        never validate, in repeated cross-validation each validates once a repeat.
    seed
        What it was drawn from.
    groups
        ``(samples,)`` group of every sample of the dataset where groups were kept together, else
        None.
    note
        What a reader of the report must know about how it was made.

    Raises
    ------
    InputError
        No fold; parts that overlap, are empty, do not divide the development part, or cut a group.
    """

    development: Indices
    test: Indices
    folds: tuple[Fold, ...]
    seed: int
    groups: NDArray[np.str_] | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if not self.folds:
            raise InputError("a split needs at least 1 fold, got 0")
        if len(self.test) == 0 or len(np.intersect1d(self.development, self.test)):
            raise InputError("the test set must not be empty, nor share samples with the rest")
        self._keeps_groups("the test set", self.test, self.development)
        for number, fold in enumerate(self.folds, start=1):
            both = np.sort(np.concatenate([fold.train, fold.valid]))
            if (
                len(fold.valid) == 0
                or len(fold.train) == 0
                or not np.array_equal(both, self.development)
            ):
                raise InputError(
                    f"fold {number}: training and validation part must divide the development part"
                )
            self._keeps_groups(f"the validation part of fold {number}", fold.valid, fold.train)

    def _keeps_groups(self, name: str, part: Indices, rest: Indices) -> None:
        if self.groups is None:
            return
        cut = np.intersect1d(self.groups[part], self.groups[rest])
        if len(cut):
            raise InputError(
                f"{name} must not share groups with the rest, shares {len(cut)}: "
                f"{', '.join(map(str, cut[:5]))}"
            )

    @cached_property
    def rounds(self) -> tuple[range, ...]:
        """Numbers of the folds of each repeat: a repeat ends where a sample validates again."""
        starts, seen = [0], np.empty(0, np.intp)
        for number, fold in enumerate(self.folds):
            if np.isin(fold.valid, seen).any():
                starts.append(number)
                seen = np.empty(0, np.intp)
            seen = np.concatenate([seen, fold.valid])
        ends = [*starts[1:], len(self.folds)]
        return tuple(range(a, b) for a, b in zip(starts, ends, strict=True))

    def parts(self, samples: int, repeat: int = 0) -> NDArray[np.int16]:
        """Tell the part of each sample in one repeat.

        Parameters
        ----------
        samples
            Number of samples of the dataset.
        repeat
            Which repeat, from 0.

        Returns
        -------
        ndarray
            ``(samples,)``: the fold that it validates in, from 0 in every repeat; −1 in the sealed
            test set, −2 where it only trains.
        """
        parts = np.full(samples, -2, np.int16)
        parts[self.test] = -1
        for place, number in enumerate(self.rounds[repeat]):
            parts[self.folds[number].valid] = place
        return parts

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) over the indices of every part."""
        digest = hashlib.sha256()
        whole = np.unique(np.concatenate([fold.valid for fold in self.folds]))
        train_only = np.setdiff1d(self.development, whole)
        parts = (self.test, *(fold.valid for fold in self.folds))
        for part in (*parts, *([train_only] if len(train_only) else [])):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part.astype("<i8").tobytes())
        return digest.hexdigest()[:16]

    def save(self, path: Path) -> None:
        """Write the split to `path` (npz)."""
        path.parent.mkdir(parents=True, exist_ok=True)
        parts: dict[str, Any] = {f"valid{i}": fold.valid for i, fold in enumerate(self.folds)}
        if self.groups is not None:
            parts["groups"] = self.groups.astype(np.str_)
        with path.open("wb") as stream:
            np.savez(
                stream,
                development=self.development,
                test=self.test,
                seed=np.array(self.seed),
                note=np.array(self.note),
                **parts,
            )

    @classmethod
    def load(cls, path: Path) -> Split:
        """Read what `save` wrote."""
        with np.load(path) as held:
            count = sum(name.startswith("valid") for name in held.files)
            return from_parts(
                held["development"].astype(np.intp),
                held["test"].astype(np.intp),
                [held[f"valid{i}"].astype(np.intp) for i in range(count)],
                int(held["seed"]),
                groups=held["groups"] if "groups" in held.files else None,
                note=str(held["note"]),
            )


def from_parts(
    development: Indices,
    test: Indices,
    valid: list[Indices],
    seed: int,
    *,
    groups: NDArray[np.str_] | None = None,
    note: str = "",
) -> Split:
    """Build the split from its validation parts: each fold trains on the rest."""
    development = np.sort(development)
    folds = tuple(Fold(np.setdiff1d(development, part), np.sort(part)) for part in valid)
    return Split(development, np.sort(test), folds, seed, groups, note)
