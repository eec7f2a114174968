"""Do predicted probabilities mean what they say? Reliability, Brier score, calibration error.

Samples are put in order of their probability and cut into bins of equal count, so that every point
of the curve rests on equally many samples; equal probabilities are never parted. With several
classes the probability is that of the predicted class, and the event is that it is right.

The expected calibration error (ECE) is never 0, even for perfect probabilities: few samples a bin
scatter. `by_chance` says how large it may be by that scatter alone; where samples come in groups,
by the scatter of whole groups.

References
----------
Brier (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review
78, 1-3.
Cameron, Gelbach, Miller (2008). Bootstrap-based improvements for inference with clustered errors.
Review of Economics and Statistics 90, 414-427.
Nixon et al. (2019). Measuring calibration in deep learning. CVPR workshops, 38-41.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.wilson import wilson_of

__all__ = ["Calibration", "ReliabilityBin", "calibrate"]

Array = NDArray[Any]
BINS = 10
FEWEST = 10
DRAWS = 500
QUANTILE = 0.95


@dataclass(frozen=True)
class ReliabilityBin:
    """Samples of similar probability: how many, the mean promised, the share that came true."""

    samples: int
    predicted: float
    observed: float
    ci: tuple[float, float]


@dataclass(frozen=True)
class Calibration:
    """How well probabilities are calibrated.

    Parameters
    ----------
    samples
        Samples with a label.
    brier, brier_of_rate
        Mean squared error of the probabilities; and of a forecast that always says the classes'
        shares.
    ece, by_chance
        Expected calibration error; and its 95 % quantile if every probability were right.
    predicted, observed
        Mean probability and share of events.
    bins
        From the lowest probability to the highest.
    """

    samples: int
    brier: float
    brier_of_rate: float
    ece: float
    by_chance: float
    predicted: float
    observed: float
    bins: tuple[ReliabilityBin, ...]


def calibrate(
    truth: Array, probability: Array, *, seed: int = 1, groups: Array | None = None
) -> Calibration:
    """Calibration of the probabilities of an event, or of the predicted class's.

    Parameters
    ----------
    truth
        ``(samples,)`` 0 or 1, or the class's index; NaN where the label is missing.
    probability
        ``(samples,)`` of the event or ``(samples, classes)``, in [0, 1].
    seed
        Of the draws behind `Calibration.by_chance`.
    groups
        ``(samples,)`` where samples of a group resemble each other.

    Raises
    ------
    ValueError
        No label, or numbers that are no probabilities.
    """
    known = ~np.isnan(truth)
    labels, p = truth[known], probability[known].astype(np.float64)
    kin = None if groups is None else groups[known]
    if len(labels) == 0 or not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"needs labels and probabilities in [0, 1], got {len(labels)} labels")
    if p.ndim == 1:
        event = labels.astype(np.float64)
        rate = float(event.mean())
        return _calibrate(event, p, float(np.mean((p - event) ** 2)), rate * (1 - rate), seed, kin)
    classes = labels.astype(np.intp)
    brier = float(np.mean(((p - np.eye(p.shape[1])[classes]) ** 2).sum(axis=1)))
    shares = np.bincount(classes, minlength=p.shape[1]) / len(classes)
    right = (p.argmax(axis=1) == classes).astype(np.float64)
    return _calibrate(right, p.max(axis=1), brier, float(1 - (shares**2).sum()), seed, kin)


def _calibrate(
    event: Array, p: Array, brier: float, of_rate: float, seed: int, groups: Array | None
) -> Calibration:
    place = _bins(p)
    sizes = np.bincount(place)
    predicted = np.bincount(place, p) / sizes
    observed = np.bincount(place, event) / sizes
    member = np.equal.outer(place, np.arange(len(sizes))) / sizes
    rng = np.random.default_rng([seed, 0xCA1])
    if groups is None:
        off: Array = (rng.random((DRAWS, len(p))) < p) - p
    else:  # whole groups err to either side: the wild bootstrap
        kin = np.unique(groups, return_inverse=True)[1]
        off = rng.choice([-1.0, 1.0], (DRAWS, int(kin.max()) + 1))[:, kin] * (event - p)
    scatter = np.abs(off @ member) @ sizes / len(p)
    intervals = [
        wilson_of(event[place == i], None if groups is None else groups[place == i])
        for i in range(len(sizes))
    ]
    return Calibration(
        samples=len(p),
        brier=brier,
        brier_of_rate=of_rate,
        ece=float(np.abs(observed - predicted) @ sizes / len(p)),
        by_chance=float(np.quantile(scatter, QUANTILE)),
        predicted=float(p.mean()),
        observed=float(event.mean()),
        bins=tuple(
            ReliabilityBin(int(n), float(said), float(seen), ends)
            for n, said, seen, ends in zip(sizes, predicted, observed, intervals, strict=True)
        ),
    )


def _bins(p: Array) -> NDArray[np.intp]:
    """Bin of each sample, ``(samples,)`` from 0 without gaps: equal counts, ties together."""
    wanted = max(1, min(BINS, len(p) // FEWEST))
    edges = np.unique(np.quantile(p, np.arange(1, wanted) / wanted, method="inverted_cdf"))
    found: NDArray[np.intp] = np.unique(np.searchsorted(edges, p), return_inverse=True)[1]
    return found
