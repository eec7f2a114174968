"""Univariate tests of every variant at once, by sums that are matrix products over blocks.

Each variant is tested over the samples in which it was called and whose label is known: a trait
by the t-test of the correlation, classes by the analysis of variance of the dosage. Both are told
as F (t² for a trait) with its p-value. Counts and sums of dosages are whole numbers, exact in
float32 below 2^24, which a tile of samples never reaches; everything after them is float64.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["BlockSums", "Responses", "block_sums", "blocks", "tested"]

Codes = NDArray[np.int8]
Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]

BLOCK_BYTES = 8 * 2**20
"""Bytes of float32 that a block of variants may take: about a processor's cache."""


def blocks(variants: int, samples: int) -> Iterator[slice]:
    """Slices of variants, of which so many samples fit into `BLOCK_BYTES`; one at least."""
    width = max(1, BLOCK_BYTES // (4 * max(samples, 1)))
    for start in range(0, variants, width):
        yield slice(start, min(start + width, variants))


@dataclass(frozen=True, eq=False)
class Responses:
    """Columns that dosages are multiplied with, made once for all training parts of a pass.

    Where a trait's zero and unit lie changes no test, so they may be those of several parts.

    Parameters
    ----------
    weights
        ``(samples, columns)``: first ones, then for each output its columns, 0 where the label is
        missing. A trait: known, z, z² (z has mean 0, variance 1); classes: one indicator each.
    places
        Columns of each output in `weights`.
    regression
        Whether the outputs are traits.
    """

    weights: Matrix
    places: tuple[slice, ...]
    regression: bool

    @classmethod
    def of(cls, labels: NDArray[np.float32], task: str) -> Responses:
        """Prepare labels ``(samples, outputs)``, NaN where missing; none when `labels` is empty."""
        columns: list[Floats] = [np.ones(len(labels))]
        places = []
        for column in labels.T.astype(np.float64):
            known = ~np.isnan(column)
            start = len(columns)
            if task == "regression":
                spread = column[known].std() if known.any() else 0.0
                centred = np.where(known, column - (column[known].mean() if known.any() else 0), 0)
                z = centred / (spread if spread > 0 else 1.0)
                columns += [known.astype(np.float64), z, z**2]
            else:
                classes = np.unique(column[known])
                columns += [(column == value).astype(np.float64) for value in classes]
            places.append(slice(start, len(columns)))
        weights = np.stack(columns, axis=1).astype(np.float32)
        return cls(weights, tuple(places), task == "regression")


@dataclass(frozen=True, eq=False)
class BlockSums:
    """Sums over called samples, ``(variants, columns)`` of `Responses.weights`.

    Parameters
    ----------
    called, total, squares
        Sums of 1, dosage and dosage².
    """

    called: Floats
    total: Floats
    squares: Floats


def block_sums(codes: Codes, responses: Responses, rows: slice = slice(None)) -> BlockSums:
    """Multiply a block of dosages ``(samples, variants)`` with these rows of the responses."""
    weights = responses.weights[rows]
    missing = codes < 0
    some = bool(missing.any())
    dosage = (np.maximum(codes, 0) if some else codes).astype(np.float32)
    total = (dosage.T @ weights).astype(np.float64)
    if some:
        called = ((~missing).astype(np.float32).T @ weights).astype(np.float64)
    else:
        called = np.broadcast_to(weights.sum(axis=0, dtype=np.float64), total.shape)
    np.multiply(dosage, dosage, out=dosage)
    if responses.regression:
        known = [0, *(place.start for place in responses.places)]
        squares = np.zeros_like(total)
        squares[:, known] = dosage.T @ np.ascontiguousarray(weights[:, known])
    else:
        squares = (dosage.T @ weights).astype(np.float64)
    return BlockSums(called, total, squares)


def tested(sums: BlockSums, responses: Responses) -> tuple[Floats, Floats]:
    """Smallest p-value over the outputs, and its F, of each variant of a block."""
    from scipy.special import fdtrc

    variants = len(sums.total)
    smallest, largest = np.ones(variants), np.zeros(variants)
    for place in responses.places:
        f, first, second = (_trait if responses.regression else _classes)(sums, place)
        valid = (first >= 1) & (second >= 1) & ~np.isnan(f)
        f = np.where(valid, f, 0.0)
        p = fdtrc(np.where(valid, first, 1), np.where(valid, second, 1), f)
        better = (p < smallest) | ((p == smallest) & (f > largest))
        smallest, largest = np.where(better, p, smallest), np.where(better, f, largest)
    return smallest, largest


def _trait(sums: BlockSums, place: slice) -> tuple[Floats, Floats, Floats]:
    """F of the correlation, and its degrees of freedom."""
    n, z, zz = sums.called[:, place].T
    x, xz, _ = sums.total[:, place].T
    xx = sums.squares[:, place.start]
    count = np.maximum(n, 1)
    explained, varied = (xz - x * z / count) ** 2, xx - x**2 / count
    total = np.maximum(zz - z**2 / count, 0)
    between = np.divide(explained, varied, out=np.zeros_like(n), where=varied > 1e-9 * count)
    total[total <= 1e-6 * zz] = 0  # the trait is the same in all, up to rounding
    return _f(between, total, np.ones_like(n), n - 2), np.ones_like(n), n - 2


def _classes(sums: BlockSums, place: slice) -> tuple[Floats, Floats, Floats]:
    """F of the analysis of variance, and its degrees of freedom."""
    counts, totals = sums.called[:, place], sums.total[:, place]
    n, x = counts.sum(axis=1), totals.sum(axis=1)
    correction = x**2 / np.maximum(n, 1)
    total = sums.squares[:, place].sum(axis=1) - correction
    between = (totals**2 / np.maximum(counts, 1)).sum(axis=1) - correction
    groups = (counts > 0).sum(axis=1).astype(np.float64)
    return _f(between, total, groups - 1, n - groups), groups - 1, n - groups


def _f(between: Floats, total: Floats, first: Floats, second: Floats) -> Floats:
    """Variance between over variance within; infinite where nothing is left within."""
    within = np.maximum(total - between, 0)
    f = np.full_like(total, np.inf)
    some = (within > 1e-9 * total) & (first > 0) & (second > 0)
    np.divide(between / np.maximum(first, 1), within / np.maximum(second, 1), out=f, where=some)
    f[total <= 1e-9] = 0  # no variation among the samples that have this label
    return f
