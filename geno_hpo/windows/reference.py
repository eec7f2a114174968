"""The commonest sequence of aligned samples, and where each sample differs from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["BLOCK", "commonest", "difference_share"]

Codes = NDArray[np.int8]

BLOCK = 64
"""Samples that are looked at together."""
_LEAST, _MOST = -1, 4
_BYTE = 255
_LOOK = 64


def commonest(codes: Codes) -> Codes:
    """Commonest code of each position, ``(length,)`` int8, unknown included; ties to the lowest."""
    guess = np.array(codes[0])
    open_ = np.flatnonzero(2 * _count(codes, guess) <= len(codes))
    guess[open_] = _commonest_of_all(np.asarray(codes[:, open_]))
    return guess


def _commonest_of_all(codes: Codes) -> Codes:
    best = np.zeros(codes.shape[1], np.int64)
    reference = np.full(codes.shape[1], _LEAST, np.int8)
    for code in range(_LEAST, _MOST + 1):
        count = _count(codes, code)
        reference[count > best] = code
        np.maximum(best, count, out=best)
    return reference


def _count(codes: Codes, wanted: Codes | int) -> NDArray[np.int64]:
    """Samples that have the wanted code, at each position."""
    count = np.zeros(codes.shape[1], np.int64)
    for begin in range(0, len(codes), _BYTE):
        count += np.sum(codes[begin : begin + _BYTE] == wanted, axis=0, dtype=np.uint8)
    return count


def difference_share(codes: Codes) -> float:
    """Share of positions at which a sample differs from the commonest one, in a few samples.

    Samples are taken evenly from the whole. It is 0 for clones, some two thirds for strangers.
    """
    step = max(1, len(codes) // _LOOK)
    looked = np.asarray(codes[::step][:_LOOK])
    return float(np.mean(looked != commonest(looked)))
