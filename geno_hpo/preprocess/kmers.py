"""Counts of k-mers in sequences, ``(samples, positions)`` int8 codes: 0 to 3 A C G T, else no base.

They hold wherever a motif stands, so that sequences need no alignment. Nothing is learned from the
training part.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError

__all__ = ["LONGEST", "kmer_counts"]

LONGEST = 8
"""Largest k: 65,536 columns."""


def kmer_counts(codes: NDArray[Any], k: int, *, both_strands: bool) -> NDArray[np.uint16]:
    """How often each k-mer stands in each sequence.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8; a k-mer with an unknown base or a gap in it is not counted.
    k
        Its length.
    both_strands
        Count a k-mer together with its reverse complement, for motifs that bind either way.

    Returns
    -------
    ndarray
        ``(samples, k-mers)`` uint16 in alphabetical order; with both strands one column for a k-mer
        and its reverse complement.

    Raises
    ------
    InputError
        A k below 1, above `LONGEST`, or above the sequences' length.
    """
    samples, length = codes.shape
    most = min(LONGEST, length)
    if not 1 <= k <= most:
        raise InputError(f"k must lie from 1 to {most} (sequences of {length}), got {k}")
    windows = length - k + 1
    number = np.zeros((samples, windows), np.int32)
    known = np.ones((samples, windows), bool)
    for offset in range(k):
        base = codes[:, offset : offset + windows]
        number = number * 4 + base
        known &= (base >= 0) & (base < 4)
    column = _columns(k) if both_strands else np.arange(4**k)
    width = int(column.max()) + 1
    counts = np.zeros((samples, width), np.uint16)
    rows = np.nonzero(known)[0]
    np.add.at(counts, (rows, column[number[known]]), 1)
    return counts


def _columns(k: int) -> NDArray[np.intp]:
    """The column of each k-mer when it shares one with its reverse complement."""
    every = np.arange(4**k)
    turned, rest = np.zeros_like(every), every.copy()
    for _ in range(k):
        turned, rest = turned * 4 + 3 - rest % 4, rest // 4
    return np.unique(np.minimum(every, turned), return_inverse=True)[1]
