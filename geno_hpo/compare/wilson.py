"""Wilson's interval of a proportion; of samples in groups, with the sample size they are worth.

Samples of a group resemble each other, so that n of them say less than n independent ones: their
number is divided by the design effect, the ratio of the share's variance by groups to that of
independent samples (never below 1), and Student's quantile stands for the normal one.

References
----------
Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22,
209-212.
Rao, Scott (1992). A simple method for the analysis of clustered binary data. Biometrics 48,
577-585.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["wilson", "wilson_of"]

Array = NDArray[Any]


def wilson(hits: float, samples: float, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the share `hits` of `samples`; NaN without samples.

    Raises
    ------
    ValueError
        More hits than samples, or a level outside (0, 1).
    """
    from scipy.special import ndtri

    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    return _ends(hits, samples, float(ndtri((1 + level) / 2)))


def wilson_of(hits: Array, groups: Array | None, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the share of samples that are hits.

    Parameters
    ----------
    hits
        ``(samples,)`` true or false.
    groups
        ``(samples,)``, or None where samples are independent. With a single group nothing is known
        of the share, and the interval is NaN.
    level
        Coverage aimed at.
    """
    from scipy.stats import t as student

    count, total = len(hits), float(np.sum(hits))
    if groups is None or count == 0:
        return wilson(total, count, level=level)
    place = np.unique(groups, return_inverse=True)[1]
    units = int(place.max()) + 1
    if units < 2:
        return float("nan"), float("nan")
    share = total / count
    if share in (0.0, 1.0):  # no scatter to learn from: each group counts as one sample
        worth = float(units)
    else:
        apart = np.bincount(place, hits - share)
        variance = units / (units - 1) * float(apart @ apart) / count**2
        worth = count / max(variance / (share * (1 - share) / count), 1.0)
    return _ends(share * worth, worth, float(student.ppf((1 + level) / 2, units - 1)))


def _ends(hits: float, samples: float, quantile: float) -> tuple[float, float]:
    if hits > samples:
        raise ValueError(f"hits must not be more than the samples, got {hits:g} of {samples:g}")
    if samples == 0:
        return float("nan"), float("nan")
    share, square = hits / samples, quantile**2
    centre = (share + square / (2 * samples)) / (1 + square / samples)
    within = share * (1 - share) / samples + square / (4 * samples**2)
    reach = quantile * np.sqrt(within) / (1 + square / samples)
    return max(0.0, float(centre - reach)), min(1.0, float(centre + reach))
