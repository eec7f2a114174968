"""From logits to predictions, in NumPy: ``(samples, units)`` both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["activate"]


def activate(task: str, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply the task's final activation: sigmoid, softmax, or none for regression."""
    if task == "regression":
        return logits
    if task == "multiclass":
        powers: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return shares
    small = np.exp(-np.abs(logits))
    chances = np.where(logits >= 0, np.float32(1.0), small) / (np.float32(1.0) + small)
    return chances.astype(np.float32)
