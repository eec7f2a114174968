"""How the sequences or variants of a cohort differ: codes ``(samples, positions)``."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["unaligned", "unusual", "varies"]

FREE = 0.5
"""Share of positions that vary from which on sequences count as unaligned."""


def unaligned(codes: NDArray[np.int8], kind: str) -> bool:
    """Whether these sequences are not aligned, so that a motif may lie anywhere."""
    return kind == "sequence" and float(varies(codes).mean()) >= FREE and _mixed(codes) >= FREE


def varies(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Positions that hold more than one known symbol among these samples."""
    highest = codes.max(axis=0)
    lowest = np.where(codes < 0, np.int8(127), codes).min(axis=0)
    varied: NDArray[np.bool_] = (highest >= 0) & (lowest < highest)
    return varied


def unusual(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Where a sample differs from the commonest symbol or dosage of a column, shaped as `codes`."""
    symbols = np.unique(codes[codes >= 0])
    if len(symbols) == 0:
        return np.zeros(codes.shape, dtype=np.bool_)
    counts = np.stack([(codes == symbol).sum(axis=0) for symbol in symbols])
    commonest = symbols[counts.argmax(axis=0)]
    found: NDArray[np.bool_] = codes != commonest
    return found


def _mixed(codes: NDArray[np.int8]) -> float:
    """Share of positions at which no base is held by more than three of four samples."""
    commonest = np.max([(codes == base).mean(axis=0) for base in range(4)], axis=0)
    return float((commonest <= 0.75).mean())
