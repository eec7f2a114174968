"""In-silico mutagenesis: how the output moves when one base becomes another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["seen_symbols", "substitutions"]

# Input values that are made at once.
AT_ONCE = 2**22


def seen_symbols(codes: NDArray[np.int8], symbols: int) -> NDArray[np.bool_]:
    """Which symbols occur at each position, ``(positions, symbols)``."""
    return np.stack([(codes == symbol).any(axis=0) for symbol in range(symbols)], axis=1)


def substitutions(
    outputs: Callable[[NDArray[np.int8]], NDArray[Any]],
    codes: NDArray[np.int8],
    allowed: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Change of the output for every allowed substitution of every sample.

    Parameters
    ----------
    outputs
        From codes ``(rows, positions)`` to outputs ``(rows, units)``; called with many rows.
    codes
        ``(samples, positions)`` int8.
    allowed
        ``(positions, symbols)``: which symbols to put where. A position without any is left alone.

    Returns
    -------
    NDArray
        ``(units, samples, positions, symbols)`` float64: output with the symbol less output without
        the change; 0 for the symbol that is there, NaN where nothing was tried (not allowed, or
        the base is unknown).

    Raises
    ------
    ValueError
        `allowed` has other positions than the codes.
    """
    if allowed.shape[0] != codes.shape[1]:
        raise ValueError(f"allowed must have {codes.shape[1]} positions, got {allowed.shape[0]}")
    plain = np.asarray(outputs(codes), dtype=np.float64)
    changes = np.full((plain.shape[1], *codes.shape, allowed.shape[1]), np.nan)
    sample, position, symbol = np.nonzero(allowed[None] & (codes >= 0)[:, :, None])
    same = codes[sample, position] == symbol
    changes[:, sample[same], position[same], symbol[same]] = 0.0
    sample, position, symbol = sample[~same], position[~same], symbol[~same]
    size = max(1, AT_ONCE // (codes.shape[1] * allowed.shape[1]))
    for start in range(0, len(sample), size):
        here = slice(start, start + size)
        rows = codes[sample[here]]
        rows[np.arange(len(rows)), position[here]] = symbol[here]
        moved = np.asarray(outputs(rows), dtype=np.float64) - plain[sample[here]]
        changes[:, sample[here], position[here], symbol[here]] = moved.T
    return changes
