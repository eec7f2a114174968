"""Stretches: windows side by side of one sample, worked out once for all samples that share them.

A level is cut into stretches of `WIDE` windows. What a stretch holds is told by its place and by
the differing rows of the levels below that lie in its reach. Samples of one species share nearly
all stretches, so that only the distinct ones are looked at window by window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.windows.dictionary import Rows
from geno_hpo.windows.geometry import Reach

__all__ = ["Stretches", "Within", "find_stretches", "runs", "within"]

WIDE = 128
"""Windows of a stretch."""
_CELLS = 2**22
"""Ids of sources' rows that are held at once."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Stretches:
    """The stretches of all samples that hold a differing row, by sample and place.

    Parameters
    ----------
    sample
        Sample of each.
    alike
        Number of the distinct stretch that each equals.
    block
        Place of each distinct stretch: windows ``block * WIDE`` and on.
    starts
        Where the part of `place` and `found` of each distinct stretch begins; one more at the end.
    source, place, found
        Differing rows in the reach of the distinct stretches: level, position, ordinal.
    """

    sample: Numbers
    alike: Numbers
    block: Numbers
    starts: Numbers
    source: NDArray[np.int16]
    place: NDArray[np.int32]
    found: NDArray[np.int32]


def find_stretches(reach: Reach, levels: list[Rows]) -> Stretches:
    """Tell the stretches of a level apart, exactly."""
    blocks = -(-reach.length // WIDE)
    parts = [_reached(reach, source, levels[source], blocks) for source in reach.sources]
    key, source, place, found = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.argsort(key, kind="stable")
    key, source, place, found = key[order], source[order], place[order], found[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    key = key[starts]
    ends = np.append(starts[1:], len(found))
    alike, first = _told_apart(key % blocks, starts, ends, source, found, levels)
    count = ends[first] - starts[first]
    kept = runs(starts[first], count)
    return Stretches(
        key // blocks,
        alike,
        (key % blocks)[first],
        np.concatenate([[0], np.cumsum(count)]),
        source[kept],
        place[kept],
        found[kept],
    )


def _reached(
    reach: Reach, source: int, rows: Rows, blocks: int
) -> tuple[Numbers, NDArray[np.int16], NDArray[np.int32], NDArray[np.int32]]:
    """Each differing row of a source and stretch that may read it: key, source, place, found."""
    shifts = [shift for own, shift in reach.taps if own == source]
    place = rows.place[rows.found]
    low = -((max(shifts) - place) // reach.stride)
    high = (place - min(shifts)) // reach.stride
    first = np.maximum(low, 0) // WIDE
    count = np.minimum(high, reach.length - 1) // WIDE - first + 1
    count[(high < 0) | (low >= reach.length) | (low > high)] = 0
    which = np.repeat(np.arange(len(place)), count)
    block = runs(first.astype(np.int64), count)
    return (
        rows.owners[which] * blocks + block,
        np.full(len(which), source, np.int16),
        place[which],
        rows.found[which],
    )


def _told_apart(
    block: Numbers,
    starts: Numbers,
    ends: Numbers,
    source: NDArray[np.int16],
    found: NDArray[np.int32],
    levels: list[Rows],
) -> tuple[Numbers, Numbers]:
    """Number of the distinct stretch that each equals, and the first of each.

    Rows are hashed (64 random bits each, summed); then every stretch is compared with the one that
    stands for it, so that a collision is found and other numbers are taken.
    """
    import pandas as pd

    if not len(starts):
        return block, block
    begin = np.cumsum([0, *(rows.size for rows in levels)])
    row = begin[source] + found
    size = ends - starts
    random = np.random.default_rng(len(levels))
    while True:
        bits = random.integers(0, 2**64, begin[-1] + int(block.max()) + 1, dtype=np.uint64)
        hashes = np.add.reduceat(bits[row], starts) + bits[begin[-1] + block]
        alike, distinct = pd.factorize(hashes)
        first = np.empty(len(distinct), np.int64)
        first[alike[::-1]] = np.arange(len(alike) - 1, -1, -1)
        stands = first[alike]
        equal = np.array_equal(block, block[stands]) and np.array_equal(size, size[stands])
        if equal and np.array_equal(row[runs(starts[stands], size)], row):
            return alike.astype(np.int64), first


class Within:
    """The differing windows of some distinct stretches.

    Parameters
    ----------
    reach
        How the level reads.
    ids
        For each source the ids of its rows in the reach of each stretch, ``(stretches, width)``.
    where
        Numbers ``stretch * WIDE + window`` of the differing windows, ascending.
    block
        Places of the stretches.
    """

    def __init__(
        self, reach: Reach, ids: dict[int, NDArray[np.int32]], where: Numbers, block: Numbers
    ) -> None:
        self._reach, self._ids = reach, ids
        self._row = where // WIDE
        self._offset = (where % WIDE).astype(np.int32) * reach.stride
        self.place = (where + (block - np.arange(len(block)))[self._row] * WIDE).astype(np.int32)
        self.counts = np.bincount(self._row, minlength=len(block))

    def tap(self, number: int) -> NDArray[np.int32]:
        """Ids that the windows hold at one place."""
        source, shift = self._reach.taps[number]
        return self._ids[source][self._row, self._offset + (shift - _lowest(self._reach, source))]

    def hashes(self, factors: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Hash of each window."""
        total = np.zeros(len(self.place), np.uint64)
        for tap, factor in enumerate(factors):
            total = (total ^ (total >> np.uint64(29))) + self.tap(tap).astype(np.uint64) * factor
        return total


def within(reach: Reach, levels: list[Rows], stretches: Stretches) -> Iterator[Within]:
    """Go through the distinct stretches, some at once, and find their differing windows."""
    widths = {
        source: (WIDE - 1) * reach.stride
        + max(shift for own, shift in reach.taps if own == source)
        - _lowest(reach, source)
        + 1
        for source in reach.sources
    }
    many = max(1, _CELLS // sum(widths.values()))
    for begin in range(0, len(stretches.block), many):
        block = stretches.block[begin : begin + many]
        starts = stretches.starts[begin : begin + many + 1]
        held = slice(starts[0], starts[-1])
        row = np.repeat(np.arange(len(block)), np.diff(starts))
        marks = np.zeros((len(block), WIDE), bool)
        ids = {}
        for source, width in widths.items():
            here = stretches.source[held] == source
            origin = block * (WIDE * reach.stride) + _lowest(reach, source)
            column = stretches.place[held][here] - origin[row[here]]
            length = levels[source].length
            held_ids = (origin[:, None] + np.arange(1, width + 1)).astype(np.int32)
            held_ids[(held_ids < 1) | (held_ids > length)] = 0
            held_ids[row[here], column] = stretches.found[held][here] + (length + 1)
            ids[source] = held_ids
            _mark(marks, reach, source, row[here], column)
        beyond = block * WIDE + WIDE > reach.length
        marks[beyond] &= (block[beyond, None] * WIDE + np.arange(WIDE)) < reach.length
        yield Within(reach, ids, np.flatnonzero(marks), block)


def _mark(
    marks: NDArray[np.bool_], reach: Reach, source: int, row: Numbers, column: Numbers
) -> None:
    """Mark the windows that hold a differing row of a source."""
    lowest = _lowest(reach, source)
    for own, shift in reach.taps:
        if own != source:
            continue
        at = column - (shift - lowest)
        hit = (at >= 0) & (at % reach.stride == 0)
        at = at // reach.stride
        hit &= at < WIDE
        marks[row[hit], at[hit]] = True


def _lowest(reach: Reach, source: int) -> int:
    return min(shift for own, shift in reach.taps if own == source)


def runs(first: Numbers, count: Numbers) -> Numbers:
    """``first[i], first[i] + 1, …``, `count[i]` numbers for each i, one run after the other."""
    ends = np.cumsum(count)
    total = int(ends[-1]) if len(ends) else 0
    begins: Numbers = np.repeat(first - (ends - count), count)
    return np.arange(total) + begins
