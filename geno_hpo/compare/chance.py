"""What a model without skill would score: the same predictions against shuffled labels.

The control of a study (the whole pipeline on permuted labels) must score within this interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.bootstrap import mean_score
from geno_hpo.metrics import Metric

__all__ = ["ChanceInterval", "chance_interval"]

Array = NDArray[Any]
# Size of the noise that breaks the ties of a prediction of the base rate, which it hardly moves.
NOISE = 1e-3


@dataclass(frozen=True)
class ChanceInterval:
    """Where scores without skill lie.

    Parameters
    ----------
    centre
        Their mean.
    low, high
        Quantiles that hold `level` of them.
    level, permutations
        Share held, and number of shuffles.
    """

    centre: float
    low: float
    high: float
    level: float
    permutations: int

    def holds(self, score: float) -> bool:
        """Whether `score` is one that chance alone gives."""
        return bool(self.low <= score <= self.high)


def chance_interval(
    truth: Array,
    metric: Metric,
    prediction: Array | None = None,
    *,
    permutations: int = 2000,
    level: float = 0.99,
    seed: int = 1,
) -> ChanceInterval:
    """Scores of predictions that have nothing to do with the labels.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing; rows are shuffled whole.
    metric
        What is scored.
    prediction
        ``(seeds, samples, units)`` of the model in question; the score is the mean over its
        seeds. None for a model that knows the base rate (the trait's mean) and nothing else.
    permutations, level, seed
        Number of shuffles, share of the scores held, seed of the shuffles.

    Raises
    ------
    ValueError
        A level outside (0, 1), no shuffles, or shapes that do not belong together.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie in (0, 1), got {level}")
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    rng = np.random.default_rng([seed, 0xC4A])
    given = _base_rate(truth, metric, rng)[None] if prediction is None else prediction
    scores = np.array(
        [mean_score(metric, truth[rng.permutation(len(truth))], given) for _ in range(permutations)]
    )
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return ChanceInterval(float(scores.mean()), float(low), float(high), level, permutations)


def _base_rate(truth: Array, metric: Metric, rng: np.random.Generator) -> Array:
    """Class shares or trait means, ``(samples, units)``, with noise that breaks ties."""
    known = truth[~np.isnan(truth)]
    several = "multiclass" in metric.tasks and truth.shape[1] == 1 and known.max() > 1
    if several:
        rate = np.bincount(known.astype(int)) / len(known)
        size = NOISE
    else:
        rate = np.nanmean(truth, axis=0)
        size = NOISE * np.nanstd(truth, axis=0)
    return np.asarray(rate + size * rng.normal(size=(len(truth), len(rate))))
