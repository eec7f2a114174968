"""Count what the reads of a region show: ``(positions, 6)`` of A, C, G, T, deleted, other.

Every read is taken apart by its CIGAR into blocks; the blocks of many reads become one array of
cell numbers, counted at once. No step is made for each base, and depth has no ceiling.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pysam
from numpy.typing import NDArray

from geno_hpo.errors import DataError

__all__ = ["DELETED", "OTHER", "Counts", "count_region"]

DELETED = 4
"""Column of reads that lack the position."""
OTHER = 5
"""Column of reads that show N or a base of too low quality."""

_EXCLUDED = 0x4 | 0x100 | 0x200 | 0x400  # unmapped, secondary, failed, duplicate
_MATCH = frozenset({0, 7, 8})
_INSERTION, _DELETION, _SKIP, _SOFT = 1, 2, 3, 4
_ENOUGH = 1 << 21  # bases held before they are counted
_CODES = np.full(256, OTHER, dtype=np.int64)
for _code, _letter in enumerate("ACGT"):
    _CODES[[ord(_letter), ord(_letter.lower())]] = _code


@dataclass(frozen=True)
class Counts:
    """What reads show in a region, on the forward strand.

    Parameters
    ----------
    cells
        ``(positions, 6)`` int64: reads with A, C, G, T, a deletion, and other.
    insertions
        ``(positions,)`` int64: reads that have bases between this position and the next.
    reads
        Reads that were counted.
    left_out
        Reads over the region that were not: mapping quality, or a flag that says unmapped,
        secondary, failed or duplicate.
    unrated
        Counted reads without base qualities; all their bases were taken.
    """

    cells: NDArray[np.int64]
    insertions: NDArray[np.int64]
    reads: int
    left_out: int
    unrated: int

    @property
    def depth(self) -> NDArray[np.int64]:
        """``(positions,)``: reads that show a base of enough quality, or a deletion."""
        return np.asarray(self.cells[:, : DELETED + 1].sum(axis=1))


def count_region(
    alignment: pysam.AlignmentFile,
    contig: str,
    start: int,
    stop: int,
    *,
    base_quality: int,
    mapping_quality: int,
) -> Counts:
    """Count the reads over ``[start, stop)`` of a contig, 0-based.

    Parameters
    ----------
    alignment
        An open BAM or CRAM file with its index.
    contig, start, stop
        Where.
    base_quality
        Bases below it (Phred) count as other. A deletion has no quality and always counts.
    mapping_quality
        Reads below it are left out.

    Raises
    ------
    DataError
        The file cannot be read on (cut off, or a CRAM whose reference differs).
    """
    tally = _Tally(stop - start, base_quality)
    reads = left_out = unrated = 0
    try:
        for read in alignment.fetch(contig, start, stop):
            text = read.query_sequence
            if read.flag & _EXCLUDED or read.mapping_quality < mapping_quality or not text:
                left_out += 1
                continue
            reads += 1
            qualities = read.query_qualities
            unrated += qualities is None
            tally.add(
                read.reference_start - start,
                read.cigartuples or (),
                text,
                b"\xff" * len(text) if qualities is None else qualities.tobytes(),
            )
    except (OSError, ValueError) as error:
        name = alignment.filename.decode()
        raise DataError(
            f"alignment {name} cannot be read at {contig}:{start + 1}-{stop}: {error}; is the file "
            "cut off, or its index older than it?"
        ) from error
    tally.settle()
    return Counts(tally.cells.reshape(-1, 6), tally.insertions, reads, left_out, unrated)


class _Tally:
    """Takes reads apart, holds their blocks, and counts many at once.

    Parameters
    ----------
    size
        Positions of the region.
    base_quality
        Bases below it are other.
    """

    def __init__(self, size: int, base_quality: int) -> None:
        self.size = size
        self.base_quality = base_quality
        self.cells = np.zeros(size * 6, dtype=np.int64)
        self.insertions = np.zeros(size, dtype=np.int64)
        self._empty()

    def _empty(self) -> None:
        self._texts: list[str] = []
        self._qualities: list[bytes] = []
        self._held = 0
        self._matched: list[tuple[int, int, int]] = []  # position, place in the text, length
        self._deleted: list[tuple[int, int]] = []  # position, length

    def add(self, here: int, cigar: Iterable[tuple[int, int]], text: str, qualities: bytes) -> None:
        """Take one read that begins at position `here`, which may lie before the region."""
        place = self._held
        self._texts.append(text)
        self._qualities.append(qualities)
        self._held += len(text)
        for operation, many in cigar:
            if operation in _MATCH:
                first, last = max(here, 0), min(here + many, self.size)
                if first < last:
                    self._matched.append((first, place + first - here, last - first))
                here += many
                place += many
            elif operation == _DELETION:
                first, last = max(here, 0), min(here + many, self.size)
                if first < last:
                    self._deleted.append((first, last - first))
                here += many
            elif operation == _SKIP:
                here += many
            elif operation == _INSERTION:
                if 0 < here <= self.size:
                    self.insertions[here - 1] += 1
                place += many
            elif operation == _SOFT:
                place += many
        if self._held > _ENOUGH:
            self.settle()

    def settle(self) -> None:
        """Count what is held."""
        codes = _CODES[np.frombuffer("".join(self._texts).encode("ascii"), dtype=np.uint8)]
        rated = np.frombuffer(b"".join(self._qualities), dtype=np.uint8)
        codes[rated < self.base_quality] = OTHER
        if self._matched:
            position, place, length = np.array(self._matched, dtype=np.int64).T
            shown = codes[_runs(place, length)]
            self.cells += np.bincount(
                _runs(position, length) * 6 + shown, minlength=len(self.cells)
            )
        if self._deleted:
            position, length = np.array(self._deleted, dtype=np.int64).T
            gone = _runs(position, length) * 6 + DELETED
            self.cells += np.bincount(gone, minlength=len(self.cells))
        self._empty()


def _runs(starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers ``start, start + 1, …`` of each run, one run after another."""
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths))
