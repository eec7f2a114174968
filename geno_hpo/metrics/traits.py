"""Scores of traits and counts; shapes as for class labels."""

from __future__ import annotations

import numpy as np

from geno_hpo.metrics.defined import CLIP, Array, Floats, ratio

__all__ = ["d2", "pearson", "r2", "rmse"]

# Variances below this share of the whole sample's variance are rounding, not variation.
FLAT = 1e-12


def r2(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Share of the variance that the predictions explain."""
    x = truth.astype(np.float64)
    spread = x.std() if np.ptp(x) > 0 else 0.0
    if spread == 0:
        return np.full(len(counts), np.nan)
    y, error = (x - x.mean()) / spread, (x - prediction) / spread
    total = counts.sum(axis=1)
    variation = counts @ y**2 - ratio((counts @ y) ** 2, total)
    return 1 - ratio(counts @ error**2, np.where(variation > FLAT * total, variation, 0.0))


def d2(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Share of the Poisson deviance from the mean that the predictions explain."""
    y = truth.astype(np.float64)
    if (y < 0).any():
        return np.full(len(counts), np.nan)
    p = np.maximum(prediction.astype(np.float64), CLIP)
    own = y * np.log(np.where(y > 0, y, 1.0))
    left = counts @ (own - y * np.log(p) - y + p)
    entropy, total = counts @ own, counts @ y
    mean = ratio(total, np.where(total > 0, counts.sum(axis=1), 0.0))
    whole = entropy - total * np.log(mean)
    moves = whole > FLAT * np.maximum(counts @ np.abs(own), total)
    return 1 - ratio(left, np.where(moves, whole, 0.0))


def pearson(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Correlation with the truth."""
    x, y = _standard(truth), _standard(prediction)
    total = counts.sum(axis=1)
    mean_x, mean_y = ratio(counts @ x, total), ratio(counts @ y, total)
    spread_x = ratio(counts @ x**2, total) - mean_x**2
    spread_y = ratio(counts @ y**2, total) - mean_y**2
    shared = ratio(counts @ (x * y), total) - mean_x * mean_y
    moves = (spread_x > FLAT) & (spread_y > FLAT)
    bottom = np.sqrt(np.where(moves, spread_x * spread_y, 1.0))
    value = np.clip(np.where(moves, shared / bottom, 0.0), -1, 1)
    return np.where(spread_x > FLAT, value, np.nan)


def rmse(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Root of the mean squared error."""
    error = truth.astype(np.float64) - prediction
    return np.sqrt(ratio(counts @ error**2, counts.sum(axis=1)))


def _standard(values: Array) -> Floats:
    """Centred values of unit variance; zeros when constant."""
    x = values.astype(np.float64)
    if np.ptp(x) == 0:
        return np.zeros_like(x)
    x -= x.mean()
    x /= np.abs(x).max()
    x /= x.std()
    return x
