"""Would more data help? Scores over growing training parts, and a cautious look on.

The distance from a perfect score is taken to fall as a power of the number of training samples, in
each fold by itself; the curve is followed to twice the samples and no further. Its interval is
Student's over the folds, on the logarithm of the distance, so that it ends before a perfect score.
Where the distance grew between the last two sizes, or a score is perfect, nothing is foretold.

References
----------
Hestness et al. (2017). Deep learning scaling is predictable, empirically. arXiv:1712.00409.
Figueroa et al. (2012). Predicting sample size required for classification performance. BMC Medical
Informatics and Decision Making 12, 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.folds import corrected_t_test
from geno_hpo.metrics import Metric

__all__ = ["FURTHER", "Growth", "growth"]

Array = NDArray[Any]

FURTHER = 2.0
"""How many times the largest training part the curve is followed to."""

# Fewer sizes tell no curve.
LEAST = 3


@dataclass(frozen=True)
class Growth:
    """A model's scores over growing training parts.

    Parameters
    ----------
    samples, scores, spread
        For each size: mean number of training samples, mean score over the folds, and the
        standard deviation over them (NaN with one fold).
    gain
        Mean by which the score got better between the last two sizes.
    p_value
        Of that gain, by the corrected t-test; NaN with one fold.
    twice, twice_ci
        Score foretold for twice the samples and its 95 % interval; NaN where nothing is foretold.
    """

    samples: tuple[float, ...]
    scores: tuple[float, ...]
    spread: tuple[float, ...]
    gain: float
    p_value: float
    twice: float
    twice_ci: tuple[float, float]


def growth(samples: Array, scores: Array, metric: Metric, *, valid: float) -> Growth:
    """Follow a model's scores over the size of its training parts.

    Parameters
    ----------
    samples
        ``(sizes, folds)`` training samples, growing.
    scores
        ``(sizes, folds)`` validation scores.
    metric
        What is scored.
    valid
        Mean number of validation samples of a fold.

    Raises
    ------
    ValueError
        Shapes that differ, or fewer than `LEAST` sizes.
    """
    if samples.shape != scores.shape or len(samples) < LEAST:
        raise ValueError(
            f"a curve needs (sizes, folds) samples and scores of {LEAST} or more sizes, got "
            f"{samples.shape} and {scores.shape}"
        )
    sign, folds = (1.0 if metric.maximise else -1.0), scores.shape[1]
    gains = sign * (scores[-1] - scores[-2])
    test = None
    if folds > 1 and np.isfinite(gains).all():
        train = float(samples[-1].mean())
        test = corrected_t_test(gains.tolist(), [0.0] * folds, train=train, valid=valid)
    told = np.array([_twice(samples[:, i], scores[:, i], metric) for i in range(folds)])
    middle, low, high = _followed(told, metric)
    steady = float(gains.mean()) > 0 and bool(np.isfinite(told).all())
    return Growth(
        samples=tuple(map(float, samples.mean(axis=1))),
        scores=tuple(map(float, scores.mean(axis=1))),
        spread=tuple(map(float, _spread(scores))),
        gain=float(gains.mean()),
        p_value=float("nan") if test is None else test.p_value,
        twice=middle if steady else float("nan"),
        twice_ci=(low, high) if steady else (float("nan"), float("nan")),
    )


def _twice(samples: Array, scores: Array, metric: Metric) -> float:
    """Log distance of one fold's power law at twice its samples; it never grows on the way."""
    left = np.abs(metric.perfect - scores)
    if not np.isfinite(left).all() or (left <= 0).any():
        return float("nan")
    x = np.log(samples / samples[-1])
    power, height = np.polyfit(x, np.log(left), 1)
    return float(height + min(power, 0.0) * np.log(FURTHER))


def _spread(scores: Array) -> Array:
    if scores.shape[1] < 2:
        return np.full(len(scores), np.nan)
    spread: Array = scores.std(axis=1, ddof=1)
    return spread


def _followed(told: Array, metric: Metric) -> tuple[float, float, float]:
    """Score, and its 95 % interval over the folds, from their log distances."""
    from scipy.stats import t as student

    reach = float("nan")
    if len(told) > 1:
        reach = student.ppf(0.975, len(told) - 1) * told.std(ddof=1) / np.sqrt(len(told))
    away = np.exp(told.mean() + np.array([0.0, reach, -reach]))
    score, *ends = metric.perfect + (-away if metric.maximise else away)
    return float(score), float(min(ends)), float(max(ends))
