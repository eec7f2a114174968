"""A logistic curve from a model's scores to probabilities.

References
----------
Platt (1999). Probabilistic outputs for support vector machines. Advances in Large Margin
Classifiers, 61-74.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["fit_curve"]

Array = NDArray[Any]


def fit_curve(scores: Array, labels: Array, weights: Array | None = None) -> tuple[float, float]:
    """Slope and height of the curve: the probability is ``expit(slope × score + height)``.

    Labels are drawn in a little from 0 and 1, as Platt does, so that the slope stays finite. Scores
    that fall with the label carry no information for new samples: their slope is 0.

    Parameters
    ----------
    scores, labels
        ``(samples,)``; labels 0 and 1, both of which occur.
    weights
        ``(samples,)``; None weighs all alike.
    """
    from scipy.optimize import minimize
    from scipy.special import expit, logit

    share = np.ones(len(scores)) if weights is None else np.asarray(weights, np.float64)
    share = share / share.sum()
    ones = labels.sum()
    high, low = (ones + 1) / (ones + 2), 1 / (len(labels) - ones + 2)
    aim = np.where(labels > 0.5, high, low)
    centre, spread = float(share @ scores), float(scores.std()) or 1.0
    x = (scores - centre) / spread

    def loss(at: Array) -> tuple[float, Array]:
        value = at[0] * x + at[1]
        off = share * (expit(value) - aim)
        return float(share @ (np.logaddexp(0, value) - aim * value)), np.array([off @ x, off.sum()])

    start = float(logit(share @ aim))
    slope, height = minimize(loss, np.array([0.0, start]), jac=True, method="L-BFGS-B").x
    if slope <= 0:
        return 0.0, start
    return float(slope / spread), float(height - slope * centre / spread)
