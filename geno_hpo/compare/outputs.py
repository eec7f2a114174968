"""How well a model does for each of several outputs: drugs, traits, marks.

The study's score is the mean over outputs; a good mean can hide an output that nothing predicts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.bootstrap import mean_score, score_interval
from geno_hpo.metrics import Metric

__all__ = ["OutputScore", "output_scores"]

Array = NDArray[Any]


@dataclass(frozen=True)
class OutputScore:
    """One output on the sealed test set.

    Parameters
    ----------
    name
        The output.
    samples
        Test samples with a label for it.
    score, ci
        Of the network, mean over seeds, with its interval; NaN where its labels are constant.
    baseline
        Score of the best baseline; NaN without one.
    oracle
        Score of a predictor that knows what a simulation knows, on the same samples; NaN without.
    """

    name: str
    samples: int
    score: float
    ci: tuple[float, float]
    baseline: float
    oracle: float


def output_scores(
    truth: Array,
    network: Array,
    baseline: Array | None,
    metric: Metric,
    names: tuple[str, ...],
    *,
    oracle: Array | None = None,
    groups: Array | None = None,
    resamples: int = 1000,
    seed: int = 1,
) -> tuple[OutputScore, ...]:
    """Score each output by itself; nothing where there is one output only.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    network, baseline
        ``(seeds, samples, outputs)``; None without a baseline.
    metric
        What is scored.
    names
        Of the outputs.
    oracle
        ``(samples, outputs)``: what a simulation's oracle ranks samples by.
    groups
        ``(samples,)``: whole groups are resampled.
    resamples, seed
        Of the intervals.

    Raises
    ------
    ValueError
        Names or predictions that do not fit the outputs.
    """
    outputs = truth.shape[1]
    if len(names) != outputs or network.shape[2] < outputs:
        raise ValueError(
            f"{outputs} outputs need as many names and predictions, got {len(names)} and "
            f"{network.shape[2]}"
        )
    if outputs == 1:
        return ()
    found = []
    for i, name in enumerate(names):
        known = np.isfinite(truth[:, i])
        one, column = truth[known][:, [i]], network[:, known][:, :, [i]]
        within = None if groups is None else groups[known]
        score = mean_score(metric, one, column)
        interval = (
            score_interval(one, column, metric, resamples=resamples, seed=seed, groups=within)
            if np.isfinite(score)
            else None
        )
        other, best = (
            float("nan") if each is None else mean_score(metric, one, each[:, known][:, :, [i]])
            for each in (baseline, None if oracle is None else oracle[None])
        )
        found.append(
            OutputScore(
                name,
                int(known.sum()),
                score,
                (interval.low, interval.high) if interval else (float("nan"), float("nan")),
                other,
                best,
            )
        )
    return tuple(found)
