"""Made-up truths and predictions that the comparison's tests share."""

from __future__ import annotations

import numpy as np


def labels(n: int, seed: int = 0, share: float = 0.5) -> np.ndarray:
    return (np.random.default_rng(seed).random((n, 1)) < share).astype(np.float32)


def guesses(truth: np.ndarray, skill: float, seeds: int = 2, seed: int = 1) -> np.ndarray:
    """``(seeds, samples, 1)``: the truth times `skill` under noise of variance one."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=truth.shape)
    noise = shared + 0.2 * rng.normal(size=(seeds, *truth.shape))
    return (skill * truth + noise).astype(np.float32)
