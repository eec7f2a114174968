"""The bias-corrected and accelerated bootstrap interval, and the p-value that goes with it.

References
----------
Efron (1987). Better bootstrap confidence intervals. JASA 82, 171-185.
Efron, Tibshirani (1993). An introduction to the bootstrap. Chapman & Hall, chapters 11 and 14.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["bca"]

Floats = NDArray[np.float64]


def bca(
    value: float, resampled: Floats, left_out: Floats, level: float
) -> tuple[float, float, float]:
    """Bias-corrected and accelerated interval, and the p-value of 0 that goes with it.

    Parameters
    ----------
    value
        The estimate.
    resampled
        ``(resamples,)`` values on resamples, without NaN.
    left_out
        ``(parts,)`` values with a part of the samples left out: the jackknife.
    level
        Coverage aimed at.

    Returns
    -------
    tuple of float
        Low end, high end, two-sided p-value; NaN with fewer than two resamples.
    """
    from scipy.special import ndtr, ndtri

    size = len(resampled)
    if size < 2 or np.isnan(value):
        return float("nan"), float("nan"), float("nan")
    bias = ndtri(_share_below(resampled, value))
    skew = _acceleration(left_out)
    tails = ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    shifted = bias + tails
    low, high = np.quantile(resampled, ndtr(bias + shifted / (1 - skew * shifted)))
    below, above = _levels_of_zero(np.sort(resampled))
    p_value = 2 * min(_tail(below, bias, skew), 1 - _tail(above, bias, skew))
    return float(low), float(high), float(np.clip(p_value, 1 / (size + 1), 1))


def _levels_of_zero(ordered: Floats) -> tuple[float, float]:
    """Highest level whose quantile is at most 0, and lowest whose quantile is at least 0.

    They differ where many resamples are exactly 0, as when both models are perfect on them: such
    resamples speak for no difference, whichever end of the interval is asked for.
    """
    size = len(ordered)
    return _last_level(ordered, size), 1 - _last_level(-ordered[::-1], size)


def _last_level(ordered: Floats, size: int) -> float:
    """Highest level whose (linearly interpolated) quantile is at most 0."""
    count = int(np.sum(ordered <= 0))
    if count in (0, size):
        return float(count > 0)
    step = ordered[count] - ordered[count - 1]
    return float((count - 1 - ordered[count - 1] / step) / (size - 1))


def _tail(level: float, bias: float, skew: float) -> float:
    """The nominal tail whose bias-corrected and accelerated end lies at a resampling level."""
    from scipy.special import ndtr, ndtri

    if level <= 0 or level >= 1:
        return float(level > 0)
    shifted = ndtri(level) - bias
    return float(ndtr(shifted / max(1 + skew * shifted, np.finfo(float).eps) - bias))


def _share_below(resampled: Floats, value: float) -> float:
    """Share of resamples below `value`, ties counting half, never quite 0 or 1."""
    size = len(resampled)
    below = (np.sum(resampled < value) + 0.5 * np.sum(resampled == value)) / size
    return float(np.clip(below, 0.5 / size, 1 - 0.5 / size))


def _acceleration(left_out: Floats) -> float:
    """Skew of the jackknife values."""
    if len(left_out) == 0:
        return 0.0
    deviation = left_out.mean() - left_out
    spread = float((deviation**2).sum())
    # Squares of rounding errors are no skew.
    if spread <= len(left_out) * (1e-12 * max(1.0, float(np.abs(left_out).max()))) ** 2:
        return 0.0
    return float((deviation**3).sum() / (6 * spread**1.5))
