"""Genotypes that were not called, told by the nearest samples of the training part.

The distance of two samples is the root of the mean squared difference of their dosages over the
variants in which both were called (the NaN-Euclidean distance of scikit-learn's `KNNImputer`, but
for a constant factor). A missing dosage becomes the mean of the nearest training samples that were
called in that variant. Donors are training samples alone: whoever validates or tests only receives.

References
----------
Troyanskaya et al. (2001). Missing value estimation methods for DNA microarrays. Bioinformatics 17,
520-525.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.preprocess.association import blocks

__all__ = ["Neighbours"]

Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

ROWS = 256
"""Samples whose distances are held at once."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The training samples that missing dosages are taken from.

    Parameters
    ----------
    donors
        ``(training samples, k)`` int8 dosages of the kept variants, −1 not called.
    fill
        ``(k,)`` float32: the dosage where no training sample can tell one.
    count
        How many of the nearest samples are averaged, at least 1.
    weights
        ``uniform``: all count alike; ``distance``: each by the inverse of its distance, and where
        some are at distance 0, these alone.

    Raises
    ------
    InputError
        Not fewer neighbours than training samples.
    """

    donors: Codes
    fill: Matrix
    count: int
    weights: str = "uniform"

    def __post_init__(self) -> None:
        if not 1 <= self.count < len(self.donors):
            raise InputError(
                f"neighbours must lie in [1, {len(self.donors)}), the number of training samples, "
                f"got {self.count}"
            )

    def impute(self, codes: Codes) -> Matrix:
        """Dosages ``(samples, k)`` float32 of the kept variants, none missing.

        A training sample is never its own donor: where it lacks a call, it has none to give.

        Parameters
        ----------
        codes
            ``(samples, k)`` int8 dosages of the kept variants, −1 not called.
        """
        dosage = codes.astype(np.float32)
        lacking = np.flatnonzero((codes < 0).any(axis=1))
        for start in range(0, len(lacking), ROWS):
            rows = lacking[start : start + ROWS]
            for row, distance in zip(rows, self._distances(codes[rows]), strict=True):
                missing = np.flatnonzero(codes[row] < 0)
                dosage[row, missing] = self._told(missing, distance)
        return dosage

    def _distances(self, codes: Codes) -> Floats:
        """To every donor ``(samples, donors)``; infinite where no variant was called in both."""
        shape = (len(codes), len(self.donors))
        shared, squares = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        for here in blocks(self.donors.shape[1], len(self.donors)):
            own, own_called = _parted(codes[:, here])
            other, other_called = _parted(self.donors[:, here])
            shared += own_called @ other_called.T
            squares -= 2 * (own @ other.T)
            squares += own**2 @ other_called.T
            squares += own_called @ (other**2).T
        mean = np.full(shape, np.inf)
        np.divide(squares, shared, out=mean, where=shared > 0)
        distances: Floats = np.sqrt(mean)
        return distances

    def _told(self, missing: NDArray[np.intp], distance: Floats) -> Matrix:
        """What the nearest donors say of one sample's missing variants, ``(missing,)``."""
        order = np.argsort(distance, kind="stable")
        order = order[np.isfinite(distance[order])]
        told = self.fill[missing]
        width = 4 * self.count
        left = np.arange(len(missing))
        while len(left) and len(order):
            nearest = order[:width]
            values = self.donors[np.ix_(nearest, missing[left])]
            called = values >= 0
            enough = called.sum(axis=0) >= self.count
            if len(nearest) == len(order):
                enough = called.any(axis=0)
            taken = called & (called.cumsum(axis=0) <= self.count)
            weight = self._weight(taken, distance[nearest])
            total = np.maximum(weight.sum(axis=0), np.finfo(float).tiny)
            mean = (weight * values).sum(axis=0) / total
            told[left[enough]] = mean[enough]
            if len(nearest) == len(order):
                break
            left, width = left[~enough], 4 * width
        return told

    def _weight(self, taken: NDArray[np.bool_], distance: Floats) -> Floats:
        """Weight of each donor in each variant, ``(donors, variants)``; 0 where not taken."""
        if self.weights == "uniform":
            return taken.astype(np.float64)
        same = taken & (distance == 0)[:, None]
        inverse = np.divide(1, distance, out=np.zeros_like(distance), where=distance > 0)
        return np.where(same.any(axis=0), same, taken * inverse[:, None])


def _parted(codes: Codes) -> tuple[Matrix, Matrix]:
    """Dosages, 0 where not called, and whether they were called: whole numbers, sums are exact."""
    return np.maximum(codes, 0).astype(np.float32), (codes >= 0).astype(np.float32)
