"""Arithmetic of scores that may not be defined: NaN is no score, and no error."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["CLIP", "Array", "Floats", "mean_of_defined", "ratio"]

Array = NDArray[Any]
Floats = NDArray[np.float64]

CLIP = 1e-7
"""A probability nearer to 0 or 1 counts as this far away, so that no loss is infinite."""


def mean_of_defined(columns: list[Floats]) -> Floats:
    """Mean over the scores that are not NaN, ``(resamples,)``."""
    stacked = np.stack(columns)
    defined = ~np.isnan(stacked)
    total = np.where(defined, stacked, 0.0).sum(axis=0)
    return ratio(total, defined.sum(axis=0).astype(np.float64))


def ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, NaN where `below` is not positive."""
    out = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out
