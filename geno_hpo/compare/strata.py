"""How well a model does in each group of samples: lineages, populations, batches.

A good score over all samples can hide a group where the model fails, and a model that merely tells
groups apart can score well without any skill inside them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.bootstrap import mean_score, score_interval
from geno_hpo.compare.verdict import lack_of_data
from geno_hpo.metrics import Metric

__all__ = ["Stratum", "strata"]

Array = NDArray[Any]
MOST = 12
FEWEST = 10
UNITS = 5


@dataclass(frozen=True)
class Stratum:
    """A group of test samples.

    Parameters
    ----------
    name
        The group.
    samples
        Its test samples.
    positives
        Of the first output, the samples with label 1.
    score, ci
        Of the network, mean over seeds, with its interval; NaN where the group is too small to
        say, or has one class only.
    baseline
        Score of the best baseline; NaN likewise, and without a baseline.
    """

    name: str
    samples: int
    positives: int
    score: float
    ci: tuple[float, float]
    baseline: float


def strata(
    truth: Array,
    network: Array,
    baseline: Array | None,
    metric: Metric,
    groups: Array,
    *,
    resamples: int = 1000,
    seed: int = 1,
    kin: Array | None = None,
) -> tuple[tuple[Stratum, ...], int]:
    """Score each group of test samples by itself.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    network, baseline
        ``(seeds, samples, units)``; None without a baseline.
    metric
        What is scored.
    groups
        ``(samples,)`` name of each sample's group.
    resamples, seed
        Of the intervals.
    kin
        ``(samples,)`` groups that the split kept together, which are resampled whole. A group that
        is one of them, or holds fewer than `UNITS` of them, has no interval.

    Returns
    -------
    tuple
        The largest `MOST` groups of at least `FEWEST` samples, largest first; and how many groups
        are left out.

    Raises
    ------
    ValueError
        Groups of another length.
    """
    if len(groups) != len(truth):
        raise ValueError(f"groups must be ({len(truth)},), got {np.shape(groups)}")
    names, sizes = np.unique(groups, return_counts=True)
    order = sorted(range(len(names)), key=lambda i: (-sizes[i], str(names[i])))
    shown = [i for i in order if sizes[i] >= FEWEST][:MOST]
    rows = []
    for i in shown:
        inside = groups == names[i]
        score, low, high, other = (float("nan"),) * 4
        if not lack_of_data(truth[inside], metric):
            own = None if kin is None else kin[inside]
            found = score_interval(
                truth[inside],
                network[:, inside],
                metric,
                resamples=resamples,
                seed=seed,
                groups=own,
            )
            score = found.value
            if own is None or len(np.unique(own)) >= UNITS:
                low, high = found.low, found.high
            if baseline is not None:
                other = mean_score(metric, truth[inside], baseline[:, inside])
        rows.append(
            Stratum(
                name=str(names[i]),
                samples=int(sizes[i]),
                positives=int((truth[inside, 0] == 1).sum()),
                score=score,
                ci=(low, high),
                baseline=other,
            )
        )
    return tuple(rows), len(names) - len(shown)
