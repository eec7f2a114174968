"""Bootstrap intervals made as wide as few samples, or few groups, ask for.

Resampling n units spreads as if their mean were known: by the share ``(n − 1) / n`` too little
variance, and with normal tails instead of Student's. The level is raised so that the interval of a
mean would be Student's. With hundreds of units this changes nothing to speak of; with 20 groups it
keeps the error rate of a comparison near its level.

References
----------
Hesterberg (2015). What teachers should know about the bootstrap. The American Statistician 69,
371-386, section 3.2 (the expanded percentile interval).
"""

from __future__ import annotations

import numpy as np

__all__ = ["expanded_level", "expanded_p"]


def expanded_level(level: float, units: int) -> float:
    """Level to ask the bootstrap for; the given one with fewer than two units."""
    from scipy.special import ndtr
    from scipy.stats import t as student

    if units < 2:
        return level
    reach = np.sqrt(units / (units - 1)) * student.ppf((1 + level) / 2, units - 1)
    return float(2 * ndtr(reach) - 1)


def expanded_p(p_value: float, units: int) -> float:
    """P-value that belongs to the expanded intervals, from the bootstrap's own."""
    from scipy.special import ndtri
    from scipy.stats import t as student

    if units < 2:
        return p_value
    reach = -ndtri(p_value / 2) / np.sqrt(units / (units - 1))
    return float(2 * student.sf(reach, units - 1))
