"""Scores of class labels: by ranks, by decisions, by probabilities.

``truth`` is ``(samples,)`` without NaN: 0 or 1, or class indices; predictions are ``(samples,)``,
or ``(samples, classes)`` for several classes; ``counts`` is ``(resamples, samples)``.
"""

from __future__ import annotations

import numpy as np

from geno_hpo.metrics.defined import CLIP, Array, Floats, mean_of_defined, ratio

__all__ = [
    "accuracy",
    "auc",
    "auc_classes",
    "average_precision",
    "balanced_accuracy",
    "log_loss",
    "mcc",
]


def _tied(truth: Array, score: Array, counts: Floats) -> tuple[Floats, Floats]:
    """Positive and negative weight at each distinct score, from low to high."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    weight = counts[:, order]
    positive = weight * (truth[order] == 1)
    negative = weight - positive
    if len(starts) == len(ordered):
        return positive, negative
    return np.add.reduceat(positive, starts, axis=1), np.add.reduceat(negative, starts, axis=1)


def auc(truth: Array, score: Array, counts: Floats) -> Floats:
    """Share of (positive, negative) pairs in the right order, ties counting one half."""
    order = np.argsort(score, kind="stable")
    is_positive = truth[order] == 1
    positives, negatives = order[is_positive], order[~is_positive]
    up_to = np.zeros((len(counts), len(negatives) + 1))
    np.cumsum(counts[:, negatives], axis=1, out=up_to[:, 1:])
    positive = counts[:, positives]
    won = np.zeros(len(counts))
    for side in ("left", "right"):  # negatives below a positive, and those not above it
        below = np.searchsorted(score[negatives], score[positives], side=side)
        won += 0.5 * np.einsum("rp,rp->r", positive, up_to[:, below])
    return ratio(won, positive.sum(axis=1) * up_to[:, -1])


def auc_classes(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """One class against the rest, mean over the classes that occur."""
    return mean_of_defined(
        [auc(truth == c, prediction[:, c], counts) for c in range(prediction.shape[1])]
    )


def average_precision(truth: Array, score: Array, counts: Floats) -> Floats:
    """Precision at each threshold, weighted by the recall it adds."""
    positive, negative = (part[:, ::-1] for part in _tied(truth, score, counts))
    found, wrong = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    chosen = found + wrong
    precision = np.divide(found, chosen, out=np.zeros_like(found), where=chosen > 0)
    total = np.where(wrong[:, -1] > 0, found[:, -1], 0.0)
    return ratio((positive * precision).sum(axis=1), total)


def _decided(prediction: Array) -> Array:
    """Predicted class index, ``(samples,)``."""
    decided: Array = prediction >= 0.5 if prediction.ndim == 1 else prediction.argmax(axis=1)
    return decided.astype(np.intp)


def accuracy(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Share of labels predicted right."""
    return ratio(counts @ (_decided(prediction) == truth).astype(np.float64), counts.sum(axis=1))


def balanced_accuracy(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Mean recall over the classes that occur; one class alone has none."""
    decided = _decided(prediction)
    recalls, present = [], np.zeros(len(counts))
    for c in np.unique(truth):
        members = (truth == c).astype(np.float64)
        weight = counts @ members
        recalls.append(ratio(counts @ (members * (decided == c)), weight))
        present += weight > 0
    return np.where(present > 1, mean_of_defined(recalls), np.nan)


def mcc(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Matthews correlation for any number of classes (Gorodkin's R_K)."""
    decided = _decided(prediction)
    total = counts.sum(axis=1)
    right = counts @ (decided == truth).astype(np.float64)
    agreement, true_square, decided_square = (np.zeros(len(counts)) for _ in range(3))
    for c in np.union1d(truth, decided):
        true_weight = counts @ (truth == c).astype(np.float64)
        decided_weight = counts @ (decided == c).astype(np.float64)
        agreement += true_weight * decided_weight
        true_square += true_weight**2
        decided_square += decided_weight**2
    true_spread, decided_spread = total**2 - true_square, total**2 - decided_square
    bottom = np.sqrt(true_spread * decided_spread)
    value = np.divide(right * total - agreement, bottom, out=np.zeros_like(total), where=bottom > 0)
    return np.where(true_spread > 0, value, np.nan)


def log_loss(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Mean negative logarithm of the probability given to the truth."""
    p = np.clip(prediction.astype(np.float64), CLIP, 1 - CLIP)
    given = np.where(truth == 1, p, 1 - p) if p.ndim == 1 else p[range(len(p)), truth.astype(int)]
    return ratio(counts @ -np.log(given), counts.sum(axis=1))
