"""How alike samples are: a centred kernel, linear or Gaussian, decomposed once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines.protocol import Matrix, Parameters, number
from geno_hpo.errors import InputError

__all__ = ["Array", "Basis", "Floats", "decomposed"]

Array = NDArray[Any]
Floats = NDArray[np.float64]

KERNELS = ("linear", "rbf")
# Pairs of samples whose distances tell the median.
PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class Basis:
    """A centred kernel of training samples, decomposed once for all penalties and labels.

    Parameters
    ----------
    rows, shift
        ``(samples, features)`` float32 less their means, and those means.
    scale
        0 for the linear kernel, else the Gaussian's 1 / (2 width²).
    column, mean
        ``(samples,)`` column means of the kernel, and their mean.
    values, vectors
        Eigenvalues and eigenvectors of the centred kernel.
    """

    rows: Array
    shift: Array
    scale: float
    column: Floats
    mean: float
    values: Floats
    vectors: Floats

    @property
    def diagonal(self) -> float:
        """Mean diagonal of the centred kernel, above 0."""
        return float(max(self.values.mean(), np.finfo(np.float32).tiny))

    def against(self, x: Matrix) -> Floats:
        """Kernel of other samples and the training ones, centred: ``(others, samples)``."""
        kernel = _kernel(x.astype(np.float32) - self.shift, self.rows, self.scale)
        centred: Floats = kernel - kernel.mean(axis=1, keepdims=True) - self.column + self.mean
        return centred


def decomposed(x: Matrix, params: Parameters, seed: int) -> Basis:
    """Centre and decompose the kernel of these samples.

    Parameters
    ----------
    x
        ``(samples, features)``.
    params
        ``kernel``, and ``width`` of the Gaussian one.
    seed
        Of the pairs whose distances tell the median.

    Raises
    ------
    InputError
        A hyperparameter that is missing or out of its range.
    """
    kind = params.get("kernel")
    if kind not in KERNELS:
        raise InputError(
            f"kernel_ridge: hyperparameter 'kernel' must be one of {', '.join(KERNELS)}, "
            f"got {kind!r}"
        )
    shift = x.mean(axis=0, dtype=np.float64).astype(np.float32)
    rows = x.astype(np.float32) - shift
    scale = 0.0
    if kind == "rbf":
        width = number(params, "width")
        if width <= 0:
            raise InputError(f"kernel_ridge: width must be positive, got {width:g}")
        scale = 1 / (2 * width**2 * _typical(rows, seed))
    kernel = _kernel(rows, rows, scale)
    column = kernel.mean(axis=0)
    mean = float(column.mean())
    values, vectors = np.linalg.eigh(kernel - column[:, None] - column + mean)
    return Basis(rows, shift, scale, column, mean, np.maximum(values, 0), vectors)


def _typical(rows: Array, seed: int) -> float:
    """Median squared distance of two samples that differ; 1 where none do."""
    pairs = np.random.default_rng(seed).integers(len(rows), size=(2, PAIRS))
    length = (rows**2).sum(axis=1)
    squared = np.concatenate(
        [
            length[a] + length[b] - 2 * np.einsum("ij,ij->i", rows[a], rows[b])
            for a, b in zip(*(np.array_split(side, 40) for side in pairs), strict=True)
        ]
    )
    least = max(1e-5 * float(length.max()), float(np.finfo(np.float32).tiny))
    apart = squared[squared > least]
    return float(np.median(apart)) if len(apart) else 1.0


def _kernel(first: Array, second: Array, scale: float) -> Floats:
    """Inner products ``(first, second)`` float64, or the Gaussian of their distances."""
    product = (first @ second.T).astype(np.float64)
    if scale == 0:
        return product
    lengths = [(rows.astype(np.float64) ** 2).sum(axis=1) for rows in (first, second)]
    gaussian: Floats = np.exp(-scale * (lengths[0][:, None] + lengths[1] - 2 * product))
    return gaussian
