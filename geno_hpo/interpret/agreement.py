"""Whether two attributions say the same.

An attribution that hardly changes when the network's weights are replaced by random ones shows the
data, not what the network learnt.

References
----------
Adebayo J, Gilmer J, Muelly M, Goodfellow I, Hardt M, Kim B (2018). Sanity checks for saliency maps.
NeurIPS 31: 9505-9515.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["rank_correlation"]


def rank_correlation(first: NDArray[Any], second: NDArray[Any]) -> float:
    """Spearman's rank correlation; NaN where one of the two is constant or has under 3 values.

    Raises
    ------
    ValueError
        Lengths differ.
    """
    from scipy.stats import rankdata

    if first.shape != second.shape:
        raise ValueError(f"attributions must have one shape, got {first.shape} and {second.shape}")
    known = np.isfinite(first) & np.isfinite(second)
    a, b = rankdata(first[known]), rankdata(second[known])
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
