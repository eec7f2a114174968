"""A study's data as the checks look at them: which part each sample lies in, and its label.

``part`` is ``(samples,)``: 0 for the sealed test set, i for the validation part of fold i. What
concerns labels is looked at in the development part only: the test set's labels stay sealed, save
that each part's labels are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.splits import Split, make_split

__all__ = ["Bools", "Ints", "View"]

Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class View:
    """Data and split of a study.

    Parameters
    ----------
    dataset, split
        What the study has prepared.
    seed
        Seed of what is sampled where the data are big.
    """

    dataset: Dataset
    split: Split
    seed: int = 0

    @cached_property
    def part(self) -> Ints:
        """Part of each sample, ``(samples,)``."""
        part = np.zeros(self.dataset.samples, np.intp)
        for number, fold in enumerate(self.split.folds, start=1):
            part[fold.valid] = number
        return part

    @property
    def parts(self) -> int:
        """Number of parts: the test set and the folds."""
        return len(self.split.folds) + 1

    @cached_property
    def labels(self) -> tuple[tuple[str, Floats], ...]:
        """Each output of the development part by name, ``(development,)``, NaN where missing.

        A target of several classes gives one output of 0 and 1 a class.
        """
        target = self.dataset.target
        values = target.values[self.split.development].astype(np.float64)
        if target.task != "multiclass":
            return tuple(zip(target.names, values.T, strict=True))
        known = np.isfinite(values[:, 0])
        return tuple(
            (name, np.where(known, values[:, 0] == index, np.nan))
            for index, name in enumerate(target.classes)
        )

    def name(self, sample: int) -> str:
        """Id of a sample and the part it lies in."""
        part = self.part[sample]
        return f"{self.dataset.ids[sample]} ({'test' if part == 0 else f'fold {part}'})"

    def offer(self, group: str) -> str:
        """Give the line for a study file that keeps this group's samples in one part.

        It is tried first; with fewer folds where a part would else lack a class, and empty where
        even that cannot be done.
        """
        if group not in self._offers:
            self._offers[group] = ""
            for folds in dict.fromkeys((len(self.split.folds), 3, 2)):
                try:
                    make_split(
                        self.dataset,
                        kind="grouped",
                        folds=folds,
                        test=min(len(self.split.test) / self.dataset.samples, 0.5),
                        group=group,
                        seed=self.split.seed,
                    )
                except InputError:
                    continue
                fewer = "" if folds == len(self.split.folds) else f", folds: {folds}"
                self._offers[group] = f"`split: {{group: {group}{fewer}}}`"
                break
        return self._offers[group]

    @cached_property
    def _offers(self) -> dict[str, str]:
        return {}

    def grouping(self, together: Ints) -> str:
        """How to keep samples with the same number in `together` in one part, as advice.

        Parameters
        ----------
        together
            ``(samples,)``; equal numbers belong together.
        """
        shares = []
        for name, group in self.dataset.groups.items():
            names, number = np.unique(group, return_inverse=True)
            shares.append((_kept(together, number), len(names), name))
        shares.sort(reverse=True)
        fitting = [
            f"{self.offer(name)} ({share:.0%} of the pairs, {count:,} groups)"
            for share, count, name in shares
            if share > 0 and self.offer(name)
        ]
        if fitting:
            return "Keep them together: " + " or ".join(fitting[:2])
        return (
            "Keep them together: `split: {groups: {by: clones}}` finds them (a larger `threshold` "
            "those less alike), or name their clone or family in a column and write "
            "`split: {group: COLUMN}`"
        )


def _kept(together: Ints, group: Ints) -> float:
    """Share of the pairs that belong together and lie in one group; 0 without such pairs."""
    pairs = _pairs(together)
    both = np.unique(together * (group.max() + 1) + group, return_inverse=True)[1]
    return _pairs(both) / pairs if pairs else 0.0


def _pairs(number: Ints) -> float:
    sizes = np.bincount(number).astype(np.float64)
    return float((sizes * (sizes - 1) / 2).sum())
