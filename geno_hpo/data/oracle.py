"""Scores of an oracle: a predictor that knows what a simulation knows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Truth

__all__ = ["auc", "outputs_truth", "trait_scores"]

Floats = NDArray[np.float64]


def auc(score: Floats, label: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counted half; NaN when a class is missing.

    Parameters
    ----------
    score, label
        ``(samples,)``.
    """
    positives = int(label.sum())
    negatives = len(label) - positives
    if not positives or not negatives:
        return float("nan")
    _, place, counts = np.unique(score, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    above = float(rank[label].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)


def outputs_truth(
    positions: tuple[int, ...], scores: Floats, labels: Floats, names: Sequence[str]
) -> Truth:
    """What a simulation of several outputs knows: the area of each, and their mean.

    Parameters
    ----------
    positions
        Causal columns.
    scores, labels
        ``(samples, outputs)``; labels are 0, 1 or NaN for missing.
    names
        Of the outputs.
    """
    areas = []
    for score, label in zip(scores.T, labels.T, strict=True):
        known = np.isfinite(label)
        areas.append(auc(score[known], label[known] == 1))
    each = {name: {"auc": area} for name, area in zip(names, areas, strict=True)}
    return Truth(
        positions, {"auc": float(np.nanmean(areas))}, each, scores=scores.astype(np.float32)
    )


def trait_scores(genetic: Floats, trait: Floats) -> dict[str, float]:
    """Pearson correlation and R² of the genetic value as a prediction of the trait."""
    residual = float(((trait - genetic) ** 2).sum())
    total = float(((trait - trait.mean()) ** 2).sum())
    return {"pearson": float(np.corrcoef(genetic, trait)[0, 1]), "r2": 1 - residual / total}
