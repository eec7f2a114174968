"""Holm's correction: p-values of several comparisons, made honest together.

References
----------
Holm (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics 6, 65-70.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["holm"]


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values so that a wrong claim among all of them is as rare as among one.

    Parameters
    ----------
    p_values
        In any order; a NaN stays NaN, and does not count among the comparisons.

    Raises
    ------
    ValueError
        A number outside [0, 1].
    """
    given = np.asarray(p_values, np.float64)
    known = np.flatnonzero(~np.isnan(given))
    if ((given[known] < 0) | (given[known] > 1)).any():
        raise ValueError(f"p-values must lie in [0, 1], got {list(p_values)}")
    order = known[np.argsort(given[known], kind="stable")]
    raised = given[order] * np.arange(len(order), 0, -1)
    adjusted = np.full(len(given), np.nan)
    adjusted[order] = np.minimum(np.maximum.accumulate(raised), 1)
    return [float(p) for p in adjusted]
