"""Small aligned cohorts: clones with gaps and unknown bases, and unrelated sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clones", "strangers"]


def clones(
    samples: int = 40, length: int = 60, changed: float = 0.02, seed: int = 0
) -> NDArray[np.int8]:
    """Samples of one species: few changes, gaps, a stretch nobody called, a variable start."""
    rng = np.random.default_rng(seed)
    codes = np.tile(rng.integers(0, 4, length), (samples, 1))
    struck = rng.random(codes.shape) < changed
    codes[struck] = rng.integers(-1, 5, int(struck.sum()))
    codes[::7, length // 3 : length // 2] = -1
    codes[:, :2] = rng.integers(0, 4, codes[:, :2].shape)
    return codes.astype(np.int8)


def strangers(samples: int = 40, length: int = 60, seed: int = 0) -> NDArray[np.int8]:
    """Sequences that have nothing in common."""
    return np.random.default_rng(seed).integers(-1, 5, (samples, length)).astype(np.int8)
