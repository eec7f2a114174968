"""Wilson's interval of a proportion.

References
----------
Wilson (1927). Probable inference, the law of succession, and statistical inference. JASA 22,
209-212.
"""

from __future__ import annotations

__all__ = ["wilson"]


def wilson(hits: int, samples: int, *, level: float = 0.95) -> tuple[float, float]:
    """Interval of the share `hits` of `samples`; NaN without samples.

    Raises
    ------
    ValueError
        More hits than samples, or a level outside (0, 1).
    """
    from scipy.stats import binomtest

    if samples == 0:
        return float("nan"), float("nan")
    found = binomtest(hits, samples).proportion_ci(level, method="wilson")
    return float(found.low), float(found.high)
