"""Traits ``(samples, outputs)`` ↔ zero mean, unit variance, as learned from a training part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TargetScale", "fit_target"]

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Zero mean and unit variance for traits, mean 1 for counts; the identity for labels.

    Parameters
    ----------
    mean, scale
        ``(outputs,)`` float32.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def forward(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Original units → scaled, ``(samples, outputs)``."""
        return ((values - self.mean) / self.scale).astype(np.float32)

    def inverse(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Scaled → original units, ``(samples, outputs)``."""
        return (values * self.scale + self.mean).astype(np.float32)


def fit_target(
    values: NDArray[np.float32],
    train_idx: Indices,
    task: str,
    enabled: bool = True,
    *,
    counts: bool = False,
) -> TargetScale:
    """Learn the scale of each trait from the training part; other tasks get the identity.

    Counts are divided by their mean and not shifted: an expected count stays above 0, and a
    network begins near the mean.
    """
    outputs = values.shape[1]
    if task != "regression" or not enabled:
        return TargetScale(np.zeros(outputs, np.float32), np.ones(outputs, np.float32))
    train = values[train_idx].astype(np.float64)
    mean = np.nanmean(train, axis=0)
    spread = mean if counts else np.nanstd(train, axis=0)
    return TargetScale(
        np.zeros_like(mean, np.float32) if counts else mean.astype(np.float32),
        np.where(spread > 0, spread, 1.0).astype(np.float32),
    )
