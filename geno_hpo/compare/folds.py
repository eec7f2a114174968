"""Whether two models differ over the folds, when the folds share their training samples.

Scores of overlapping training sets are correlated, so the plain paired t-test finds differences
that are not there. Nadeau and Bengio widen its variance by the ratio of validation to training
samples.

References
----------
Nadeau, Bengio (2003). Inference for the generalization error. Machine Learning 52, 239-281.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["FoldTest", "corrected_t_test"]


@dataclass(frozen=True)
class FoldTest:
    """The corrected resampled t-test of paired fold scores.

    Parameters
    ----------
    difference
        Mean difference, first − second.
    low, high
        Interval of it.
    statistic, freedom
        t and its degrees of freedom; t is NaN when all differences are equal.
    p_value
        Two-sided; NaN when t is.
    level
        Coverage aimed at.
    """

    difference: float
    low: float
    high: float
    statistic: float
    freedom: int
    p_value: float
    level: float


def corrected_t_test(
    first: Sequence[float],
    second: Sequence[float],
    *,
    train: float,
    valid: float,
    level: float = 0.95,
) -> FoldTest:
    """Test the mean difference of two models' scores on the same folds.

    Parameters
    ----------
    first, second
        Score of each fold (over all repeats, if repeated), in the same order.
    train, valid
        Mean number of training and validation samples of a fold.
    level
        Coverage aimed at.

    Raises
    ------
    ValueError
        Fewer than two folds, different numbers of folds, or empty parts.
    """
    from scipy.stats import t as student

    if len(first) != len(second) or len(first) < 2:
        raise ValueError(
            f"two models need the same 2 or more folds, got {len(first)}, {len(second)}"
        )
    if train <= 0 or valid <= 0:
        raise ValueError(f"parts must hold samples, got train {train}, valid {valid}")
    gaps = np.asarray(first, np.float64) - np.asarray(second, np.float64)
    mean, folds = float(gaps.mean()), len(gaps)
    variance = float(gaps.var(ddof=1)) if np.ptp(gaps) > 0 else 0.0
    error = np.sqrt((1 / folds + valid / train) * variance)
    reach = float(student.ppf((1 + level) / 2, folds - 1) * error)
    statistic = mean / error if error > 0 else float("nan")
    return FoldTest(
        difference=mean,
        low=mean - reach,
        high=mean + reach,
        statistic=float(statistic),
        freedom=folds - 1,
        p_value=float(2 * student.sf(abs(statistic), folds - 1)),
        level=level,
    )
