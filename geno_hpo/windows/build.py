"""Build the dictionary: level by level, from differences alone, each distinct window found once.

Windows are hashed (64 bits, a random odd multiplier a tap) and told apart by their hashes; then
every window is compared with the one that stands for it, so that a collision is found and other
multipliers are taken. Work and memory are linear in the differences, not in samples × length.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.windows.dictionary import Dictionary, Rows
from geno_hpo.windows.geometry import Geometry, Reach
from geno_hpo.windows.reference import BLOCK, commonest

__all__ = ["build_dictionary"]

Codes = NDArray[np.int8]
_PAIRS = 16 * 2**20
"""Marks ``(sample, position)`` that are held at once."""


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

    samples = len(levels[0].starts) - 1
    random = np.random.default_rng(len(levels))
    while True:
        factors = random.integers(1, 2**63, len(reach.taps), dtype=np.uint64) * 2 + 1
        counts, places, hashes = [], [], []
        windows: list[NDArray[np.int64]] = []
        for block in _blocks(reach, levels, samples, windows):
            counts.append(block.counts)
            places.append(block.place)
            hashes.append(block.hashes(factors))
        place = np.concatenate(places)
        codes, distinct = pd.factorize(np.concatenate(hashes))
        first = np.empty(len(distinct), np.int64)
        first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
        order = np.argsort(place[first], kind="stable")
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        found = rank[codes]
        table = np.zeros((len(order), len(reach.taps)), np.int32)
        starts = np.concatenate([[0], np.cumsum(np.concatenate(counts))])
        if _fill(table, found, first[order], _blocks(reach, levels, samples, windows)):
            return Rows(reach.length, table, place[first[order]], starts, found)


def _fill(
    table: NDArray[np.int32],
    found: NDArray[np.int32],
    first: NDArray[np.int64],
    blocks: Iterator[_Block],
) -> bool:
    """Fill the table with the windows that stand for others; whether all others equal theirs."""
    standing = np.zeros(len(found), bool)
    standing[first] = True
    done = 0
    for block in blocks:
        own = found[done : done + len(block.place)]
        new = np.flatnonzero(standing[done : done + len(block.place)])
        for tap in range(table.shape[1]):
            held = block.tap(tap)
            table[own[new], tap] = held[new]
            if not np.array_equal(table[own, tap], held):
                return False
        done += len(block.place)
    return True


class _Block:
    """The differing windows of a few samples.

    Parameters
    ----------
    reach
        How the level reads.
    ids
        For each source the ids of these samples, ``(samples, source length)``.
    where
        Numbers ``sample * length + position`` of the differing windows, ascending.
    samples
        Number of samples.
    """

    def __init__(
        self,
        reach: Reach,
        ids: dict[int, NDArray[np.int32]],
        where: NDArray[np.int64],
        samples: int,
    ) -> None:
        self._reach, self._ids = reach, ids
        self._row = (where // reach.length).astype(np.int32)
        self.place = (where - self._row.astype(np.int64) * reach.length).astype(np.int32)
        self.counts = np.bincount(self._row, minlength=samples)

    def tap(self, number: int) -> NDArray[np.int32]:
        """Ids that the windows hold at one place."""
        source, shift = self._reach.taps[number]
        ids = self._ids[source]
        at = self.place * self._reach.stride + shift
        inside = (at >= 0) & (at < ids.shape[1])
        if inside.all():
            return ids[self._row, at]
        return np.where(inside, ids[self._row, np.where(inside, at, 0)], 0)

    def hashes(self, factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Hash of each window."""
        total = np.zeros(len(self.place), np.uint64)
        for tap, factor in enumerate(factors):
            total = (total ^ (total >> np.uint64(29))) + self.tap(tap).astype(np.uint64) * factor
        return total


def _blocks(
    reach: Reach, levels: list[Rows], samples: int, known: list[NDArray[np.int64]]
) -> Iterator[_Block]:
    """Go through all samples, a few at once.

    `known` holds each block's differing windows; where it is empty they are found and added.
    """
    longest = max(reach.length, *(levels[source].length for source in reach.sources))
    many = max(1, min(samples, _PAIRS // longest))
    ids = {
        source: np.tile(np.arange(1, levels[source].length + 1, dtype=np.int32), (many, 1))
        for source in reach.sources
    }
    marks = np.zeros(0 if known else many * reach.length, bool)
    look = not known
    for number, begin in enumerate(range(0, samples, many)):
        here = min(many, samples - begin)
        changed = {source: _differing(levels[source], begin, here) for source in reach.sources}
        for source, (row, place, found) in changed.items():
            ids[source][row, place] = found + (levels[source].length + 1)
        if look:
            known.append(_affected(reach, changed, marks[: here * reach.length]))
        yield _Block(reach, ids, known[number], here)
        for source, (row, place, _) in changed.items():
            ids[source][row, place] = place + 1


_Differing = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]


def _affected(
    reach: Reach, changed: dict[int, _Differing], marks: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Windows that hold a differing row; `marks` are all false, before and after."""
    for source in reach.sources:
        row, place, _ = changed[source]
        begin = row * reach.length
        for own, shift in reach.taps:
            if own != source:
                continue
            at = place - shift
            hit = (at >= 0) & (at < reach.length * reach.stride)
            if reach.stride > 1:
                hit &= at % reach.stride == 0
                at = at // reach.stride
            marks[begin[hit] + at[hit]] = True
    where = np.flatnonzero(marks)
    marks[where] = False
    return where


def _differing(rows: Rows, begin: int, count: int) -> _Differing:
    """Differing windows of samples from `begin` on: sample among them, position, ordinal."""
    starts = rows.starts[begin : begin + count + 1]
    row = np.repeat(np.arange(count), np.diff(starts))
    found = rows.found[starts[0] : starts[-1]]
    return row, rows.place[found], found
