"""Where to call a sample positive, and how often that is right.

The threshold is learnt from predictions of samples that the networks had not trained on (the
validation folds), never from the test set: there it would flatter itself. It maximises Youden's J,
sensitivity + specificity − 1, which weighs both classes alike whatever their shares.

References
----------
Youden (1950). Index for rating diagnostic tests. Cancer 3, 32-35.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.wilson import wilson_of

__all__ = ["OperatingPoint", "best_threshold", "operating_point"]

Array = NDArray[Any]


@dataclass(frozen=True)
class OperatingPoint:
    """What a threshold does on samples.

    Parameters
    ----------
    threshold
        A probability of at least this is called positive.
    positives, negatives
        Samples of each class.
    sensitivity, specificity
        Share of positives called positive, of negatives called negative; NaN without any.
    sensitivity_ci, specificity_ci
        Their Wilson intervals.
    """

    threshold: float
    positives: int
    negatives: int
    sensitivity: float
    sensitivity_ci: tuple[float, float]
    specificity: float
    specificity_ci: tuple[float, float]


def best_threshold(truth: Array, probability: Array) -> float:
    """Threshold with the largest Youden's J; of equal ones that nearest to one half.

    Parameters
    ----------
    truth
        ``(samples,)`` 0 or 1, NaN where the label is missing.
    probability
        ``(samples,)``, NaN where there is no prediction.

    Returns
    -------
    float
        Midway between two predictions that occur; NaN when a class is missing or all predictions
        are equal.
    """
    known = ~(np.isnan(truth) | np.isnan(probability))
    positive, p = truth[known] == 1, probability[known].astype(np.float64)
    levels, place = np.unique(p, return_inverse=True)
    hits = np.bincount(place, positive, minlength=len(levels))
    misses = np.bincount(place, ~positive, minlength=len(levels))
    if len(levels) < 2 or hits.sum() == 0 or misses.sum() == 0:
        return float("nan")
    # Called positive: all levels above each gap.
    youden = np.cumsum(misses)[:-1] / misses.sum() - np.cumsum(hits)[:-1] / hits.sum()
    gaps = (levels[1:] + levels[:-1]) / 2
    best = gaps[youden >= youden.max() - 1e-12]
    return float(best[np.argmin(np.abs(best - 0.5))])


def operating_point(
    truth: Array,
    probability: Array,
    threshold: float,
    *,
    level: float = 0.95,
    groups: Array | None = None,
) -> OperatingPoint:
    """Sensitivity and specificity of a threshold.

    Parameters
    ----------
    truth
        ``(samples,)`` 0 or 1, NaN where the label is missing.
    probability
        ``(samples,)``.
    threshold
        A probability of at least this is called positive.
    level
        Coverage of the intervals.
    groups
        ``(samples,)`` where samples of a group resemble each other; see `wilson`.
    """
    called = probability >= threshold
    positive, negative = truth == 1, truth == 0
    hits, positives = int((called & positive).sum()), int(positive.sum())
    spared, negatives = int((~called & negative).sum()), int(negative.sum())
    return OperatingPoint(
        threshold=threshold,
        positives=positives,
        negatives=negatives,
        sensitivity=hits / positives if positives else float("nan"),
        sensitivity_ci=wilson_of(called[positive], _of(groups, positive), level=level),
        specificity=spared / negatives if negatives else float("nan"),
        specificity_ci=wilson_of(~called[negative], _of(groups, negative), level=level),
    )


def _of(groups: Array | None, chosen: Array) -> Array | None:
    return None if groups is None else groups[chosen]
