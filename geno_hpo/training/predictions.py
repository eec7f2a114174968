"""From logits to predictions, in NumPy: ``(samples, units)`` both."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["activate"]


def activate(activation: str, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Apply a model's final activation by its Keras name (`ModelShape.activation`)."""
    if activation == "linear":
        return logits
    if activation == "exponential":
        with np.errstate(over="ignore"):  # what is not finite ends the trial
            expected: NDArray[np.float32] = np.exp(logits)
        return expected
    if activation == "softmax":
        powers: NDArray[np.float32] = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares: NDArray[np.float32] = powers / powers.sum(axis=1, keepdims=True)
        return shares
    small = np.exp(-np.abs(logits))
    chances = np.where(logits >= 0, np.float32(1.0), small) / (np.float32(1.0) + small)
    return chances.astype(np.float32)
