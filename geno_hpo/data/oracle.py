"""Scores of an oracle: a predictor that knows what a simulation knows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["auc", "mean_auc", "trait_scores"]

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


def mean_auc(scores: Floats, labels: Floats) -> float:
    """Mean area over outputs ``(samples, outputs)``; labels are 0, 1 or NaN for missing."""
    areas = []
    for score, label in zip(scores.T, labels.T, strict=True):
        known = np.isfinite(label)
        areas.append(auc(score[known], label[known] == 1))
    return float(np.nanmean(areas))


def trait_scores(genetic: Floats, trait: Floats) -> dict[str, float]:
    """Pearson correlation and R² of the genetic value as a prediction of the trait."""
    residual = float(((trait - genetic) ** 2).sum())
    total = float(((trait - trait.mean()) ** 2).sum())
    return {"pearson": float(np.corrcoef(genetic, trait)[0, 1]), "r2": 1 - residual / total}
