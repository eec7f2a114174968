"""Bootstrap intervals of scores on a test set, by group where groups exist.

Single scores have BCa intervals (`geno_hpo.compare.bca`); paired differences have Student's, on the
bootstrap's standard error (`geno_hpo.compare.student`).

A resample draws as many samples as there are, with replacement (or whole groups, where samples
of a group resemble each other). It is held as counts ``(resamples, samples)``, so that all models
see the same draws, and so do all the seeds of a model. The score of a model on a resample is the
mean over its seeds: the interval speaks of the test samples, not of one lucky seed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.bca import bca
from geno_hpo.compare.student import student_interval
from geno_hpo.metrics import Metric

__all__ = [
    "Interval",
    "difference_interval",
    "mean_score",
    "score_interval",
    "statistic_interval",
]

Array = NDArray[Any]
Floats = NDArray[np.float64]
# counts (resamples, samples) → values (resamples,)
Statistic = Callable[[Array], Floats]

# Counts held at once, and parts left out in turn to learn the skew.
BLOCK = 4_000_000
JACKKNIFE_PARTS = 500


@dataclass(frozen=True)
class Interval:
    """An estimate and what the resamples say about it.

    Parameters
    ----------
    value
        On the samples themselves.
    low, high
        Ends of the interval; NaN when too few resamples have a value.
    p_value
        Two-sided, of the value being 0: one minus the level of the widest interval without 0. It
        is below ``1 - level`` just when 0 lies outside of `low` and `high`, ends included.
    error
        Standard error: the standard deviation over the resamples; NaN with fewer than two.
    level
        Coverage aimed at.
    resamples, undefined
        How many were drawn, and how many of them have no value (a class is missing).
    """

    value: float
    low: float
    high: float
    p_value: float
    error: float
    level: float
    resamples: int
    undefined: int


def mean_score(metric: Metric, truth: Array, predictions: Array) -> float:
    """Score of a model: mean over its seeds.

    Parameters
    ----------
    metric
        What is scored.
    truth
        ``(samples, outputs)``.
    predictions
        ``(seeds, samples, units)``.
    """
    return float(np.mean([metric.score(truth, one) for one in predictions]))


def score_interval(
    truth: Array,
    predictions: Array,
    metric: Metric,
    *,
    resamples: int = 2000,
    seed: int = 1,
    level: float = 0.95,
    groups: Array | None = None,
) -> Interval:
    """Interval of a model's mean score over its seeds.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    predictions
        ``(seeds, samples, units)``.
    metric
        What is scored.
    resamples, seed, level
        Number of draws, their seed, the coverage aimed at.
    groups
        ``(samples,)``: draw whole groups.

    Raises
    ------
    ValueError
        Shapes that do not belong together, or a level outside (0, 1).
    """
    return statistic_interval(
        lambda counts: _mean_resampled(metric, truth, predictions, counts),
        len(truth),
        resamples=resamples,
        seed=seed,
        level=level,
        groups=groups,
    )


def statistic_interval(
    statistic: Statistic,
    samples: int,
    *,
    resamples: int = 2000,
    seed: int = 1,
    level: float = 0.95,
    groups: Array | None = None,
) -> Interval:
    """BCa interval of any statistic of weighted samples.

    Parameters
    ----------
    statistic
        From counts ``(resamples, samples)`` to values ``(resamples,)``, NaN where undefined.
    samples
        Number of samples.
    resamples, seed, level, groups
        See `score_interval`.

    Raises
    ------
    ValueError
        A level outside (0, 1), no resamples, or groups of another length.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    if resamples < 1:
        raise ValueError(f"resamples must be at least 1, got {resamples}")
    if groups is not None and len(groups) != samples:
        raise ValueError(f"groups must be ({samples},), got {np.shape(groups)}")
    rng = np.random.default_rng([seed, 0xB007])
    unit = np.arange(samples) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(unit.max()) + 1
    step = max(1, BLOCK // samples)
    drawn = [
        statistic(
            rng.multinomial(units, np.full(units, 1 / units), min(step, resamples - done))[:, unit]
        )
        for done in range(0, resamples, step)
    ]
    values = np.concatenate(drawn)
    part = rng.permutation(units) % min(units, JACKKNIFE_PARTS)
    left_out = statistic((part[unit] != np.arange(part.max() + 1)[:, None]).astype(np.int64))
    value = float(statistic(np.ones((1, samples), np.int64))[0])
    defined = values[~np.isnan(values)]
    low, high, p_value = bca(value, defined, left_out[~np.isnan(left_out)], level)
    error = float(defined.std(ddof=1)) if len(defined) > 1 else float("nan")
    undefined = len(values) - len(defined)
    return Interval(value, low, high, p_value, error, level, resamples, undefined)


def difference_interval(
    truth: Array,
    first: Array,
    second: Array,
    metric: Metric,
    *,
    resamples: int = 2000,
    seed: int = 1,
    level: float = 0.95,
    groups: Array | None = None,
) -> Interval:
    """Interval of a difference of two models' mean scores, `first` − `second`, paired.

    Student's interval on the bootstrap's standard error (`student`), so that what is claimed by it
    errs at its level.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    first, second
        ``(seeds, samples, units)``; the numbers of seeds may differ.
    metric, resamples, seed, level, groups
        See `score_interval`.

    Raises
    ------
    ValueError
        Shapes that do not belong together, or a level outside (0, 1).
    """
    units = len(truth) if groups is None else len(np.unique(groups))
    found = statistic_interval(
        lambda counts: (
            _mean_resampled(metric, truth, first, counts)
            - _mean_resampled(metric, truth, second, counts)
        ),
        len(truth),
        resamples=resamples,
        seed=seed,
        level=level,
        groups=groups,
    )
    low, high, p_value, error = student_interval(found.value, found.error, units, level=level)
    return replace(found, low=low, high=high, p_value=p_value, error=error)


def _mean_resampled(metric: Metric, truth: Array, predictions: Array, counts: Array) -> Floats:
    """Mean score over the seeds on each resample, ``(resamples,)``."""
    total = np.zeros(len(counts))
    for one in predictions:
        total += metric.resampled(truth, one, counts)
    return total / len(predictions)
