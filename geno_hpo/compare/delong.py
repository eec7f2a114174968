"""DeLong's test of two areas under the ROC curve on the same samples, by midranks.

An area is the mean over positives of the share of negatives that score below them (the positives'
*placements*), and as well the mean over negatives of the share of positives above them. The
covariances of both kinds of placements give those of the areas. Midranks give all placements in
O(n log n) instead of comparing all pairs.

A model of several seeds has the mean of their areas; as an area is a mean of placements, the
placements are averaged over seeds.

References
----------
DeLong, DeLong, Clarke-Pearson (1988). Comparing the areas under two or more correlated receiver
operating characteristic curves. Biometrics 44, 837-845.
Sun, Xu (2014). Fast implementation of DeLong's algorithm. IEEE Signal Processing Letters 21,
1389-1393.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["AreaTest", "area_covariance", "delong_test"]

Array = NDArray[Any]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AreaTest:
    """Two areas under the ROC curve, compared.

    Parameters
    ----------
    difference
        First − second.
    error
        Its standard error.
    statistic, p_value
        z and its two-sided p-value; NaN where the error is 0 (both areas perfect, or equal
        placements throughout).
    """

    difference: float
    error: float
    statistic: float
    p_value: float


def area_covariance(truth: Array, models: Sequence[Array]) -> tuple[Floats, Floats]:
    """Areas under the ROC curve and their covariances.

    Parameters
    ----------
    truth
        ``(samples,)`` 0 or 1.
    models
        ``(seeds, samples)`` scores of each; the numbers of seeds may differ.

    Returns
    -------
    tuple of ndarray
        ``(models,)`` areas, ``(models, models)`` covariances.

    Raises
    ------
    ValueError
        Fewer than two samples of a class, or shapes that do not belong together.
    """
    if any(model.ndim != 2 or model.shape[1] != len(truth) for model in models):
        shapes = ", ".join(str(model.shape) for model in models)
        raise ValueError(f"each model must be (seeds, {len(truth)}), got {shapes}")
    positive = truth == 1
    sizes = int(positive.sum()), int((~positive).sum())
    if min(sizes) < 2:
        raise ValueError(f"each class needs 2 or more samples, got {sizes[0]} and {sizes[1]}")
    pairs = [(model[:, positive], model[:, ~positive]) for model in models]
    of_positives = np.stack([_placements(own, other).mean(axis=0) for own, other in pairs])
    of_negatives = np.stack([1 - _placements(own, other).mean(axis=0) for other, own in pairs])
    covariance = _covariance(of_positives) / sizes[0] + _covariance(of_negatives) / sizes[1]
    return of_positives.mean(axis=1), covariance


def delong_test(truth: Array, first: Array, second: Array) -> AreaTest:
    """Test whether two models' areas under the ROC curve differ.

    Parameters
    ----------
    truth
        ``(samples,)`` 0 or 1, NaN where the label is missing.
    first, second
        ``(seeds, samples)``; the numbers of seeds may differ.

    Raises
    ------
    ValueError
        Fewer than two samples of a class, or shapes that do not belong together.
    """
    from scipy.special import ndtr

    known = ~np.isnan(truth)
    areas, covariance = area_covariance(truth[known], [first[:, known], second[:, known]])
    difference = float(areas[0] - areas[1])
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    # Rounding leaves about 1e-17 where the placements of both models agree.
    error = float(np.sqrt(variance)) if variance > 1e-15 else 0.0
    statistic = difference / error if error > 0 else float("nan")
    return AreaTest(difference, error, statistic, float(2 * ndtr(-abs(statistic))))


def _placements(own: Array, other: Array) -> Floats:
    """Share of `other` below each of `own`, ties counting one half, along the last axis."""
    from scipy.stats import rankdata

    both = rankdata(np.concatenate([own, other], axis=-1), axis=-1)[..., : own.shape[-1]]
    below: Floats = (both - rankdata(own, axis=-1)) / other.shape[-1]
    return below


def _covariance(placements: Floats) -> Floats:
    centred = placements - placements.mean(axis=1, keepdims=True)
    product: Floats = centred @ centred.T / (placements.shape[1] - 1)
    return product
