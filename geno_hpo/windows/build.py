"""Build the dictionary: level by level, from differences alone, each distinct window found once.

Only the distinct stretches of a level (see `stretches`) are looked at. Their windows are hashed (64
bits, a random odd multiplier a tap) and told apart by their hashes; then every window is compared
with the one that stands for it, so that a collision is found and other multipliers are taken. Work
and memory are linear in the differences, not in samples × length.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.windows.dictionary import Dictionary, Rows
from geno_hpo.windows.geometry import Geometry, Reach
from geno_hpo.windows.reference import BLOCK, commonest
from geno_hpo.windows.stretches import Within, find_stretches, runs, within

__all__ = ["build_dictionary"]

Codes = NDArray[np.int8]


def build_dictionary(codes: Codes, geometry: Geometry) -> Dictionary:
    """Find the distinct windows of every level.

    Parameters
    ----------
    codes
        ``(samples, length)`` int8, −1 unknown, 4 a gap.
    geometry
        The levels of a tower.

    Returns
    -------
    Dictionary
        Some 4 bytes for each (sample, position, level) that differs from the reference.

    Raises
    ------
    InputError
        Codes of another form, or a geometry without levels.
    """
    if codes.ndim != 2 or codes.dtype != np.int8 or not codes.size:
        raise InputError(f"codes must be 2-d int8, got {codes.dtype} of shape {codes.shape}")
    if not geometry:
        raise InputError("a tower needs at least one level, got none")
    reference = commonest(codes)
    levels = [_letters(codes, reference)]
    for reach in geometry:
        levels.append(_windows(reach, levels))
    return Dictionary(geometry, reference, tuple(levels))


def _letters(codes: Codes, reference: Codes) -> Rows:
    """Level 0: each (position, code) that is not the reference's."""
    samples, length = codes.shape
    starts = np.zeros(samples + 1, np.int64)
    keys = []
    for begin in range(0, samples, BLOCK):
        block = np.asarray(codes[begin : begin + BLOCK])
        row, place = np.nonzero(block != reference)
        starts[begin + 1 : begin + 1 + len(block)] = np.bincount(row, minlength=len(block))
        keys.append(place.astype(np.int64) * 8 + block[row, place])
    distinct, found = np.unique(np.concatenate(keys), return_inverse=True)
    place = (distinct + 1) // 8
    code = distinct - place * 8
    return Rows(
        length,
        code.astype(np.int32)[:, None],
        place.astype(np.int32),
        np.cumsum(starts),
        found.astype(np.int32),
    )


def _windows(reach: Reach, levels: list[Rows]) -> Rows:
    """The level that `reach` makes of the levels below."""
    import pandas as pd

    stretches = find_stretches(reach, levels)
    parts = list(within(reach, levels, stretches))
    place = _joined([part.place for part in parts], np.int32)
    random = np.random.default_rng(len(levels))
    while True:
        factors = random.integers(1, 2**63, len(reach.taps), dtype=np.uint64) * 2 + 1
        codes, distinct = pd.factorize(_joined([part.hashes(factors) for part in parts], np.uint64))
        first = np.empty(len(distinct), np.int64)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        order = np.argsort(place[first], kind="stable")
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        found = rank[codes]
        table = np.zeros((len(order), len(reach.taps)), np.int32)
        if _fill(table, found, first[order], parts):
            break
    counts = _joined([part.counts for part in parts], np.int64)
    begins = np.cumsum(counts) - counts
    own = counts[stretches.alike]
    samples = len(levels[0].starts) - 1
    each = np.bincount(stretches.sample, weights=own, minlength=samples).astype(np.int64)
    return Rows(
        reach.length,
        table,
        place[first[order]],
        np.concatenate([[0], np.cumsum(each)]),
        found[runs(begins[stretches.alike], own)],
    )


def _joined(parts: list[NDArray[Any]], kind: type[np.generic]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.zeros(0, kind)


def _fill(
    table: NDArray[np.int32],
    found: NDArray[np.int32],
    first: NDArray[np.int64],
    parts: Iterable[Within],
) -> bool:
    """Fill the table with the windows that stand for others; whether all others equal theirs."""
    standing = np.zeros(len(found), bool)
    standing[first] = True
    done = 0
    for part in parts:
        own = found[done : done + len(part.place)]
        new = np.flatnonzero(standing[done : done + len(part.place)])
        for tap in range(table.shape[1]):
            held = part.tap(tap)
            table[own[new], tap] = held[new]
            if not np.array_equal(table[own, tap], held):
                return False
        done += len(part.place)
    return True
