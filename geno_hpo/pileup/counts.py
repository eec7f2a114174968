"""Count what the reads of a region show: ``(positions, 6)`` of A, C, G, T, deleted, other.

Every read is taken apart by its CIGAR into blocks; a block becomes one array of cell numbers, and
cells are counted together. No step is made for each base, and depth has no ceiling.
"""

from __future__ import annotations

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
_ENOUGH = 1 << 22  # cells held before they are counted
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
    size = stop - start
    cells = np.zeros(size * 6, dtype=np.int64)
    insertions = np.zeros(size, dtype=np.int64)
    blocks: list[NDArray[np.int64]] = []
    ruler = np.arange(size, dtype=np.int64) * 6
    held = reads = left_out = unrated = 0
    try:
        for read in alignment.fetch(contig, start, stop):
            text = read.query_sequence
            if read.flag & _EXCLUDED or read.mapping_quality < mapping_quality or not text:
                left_out += 1
                continue
            reads += 1
            codes = _CODES[np.frombuffer(text.encode("ascii"), dtype=np.uint8)]
            qualities = read.query_qualities
            if qualities is None:
                unrated += 1
            elif base_quality:
                codes[np.frombuffer(qualities, dtype=np.uint8) < base_quality] = OTHER
            here, place = read.reference_start - start, 0
            for operation, many in read.cigartuples or ():
                if operation in _MATCH:
                    first, last = max(here, 0), min(here + many, size)
                    if first < last:
                        shown = codes[place + first - here : place + last - here]
                        blocks.append(ruler[first:last] + shown)
                        held += last - first
                    here += many
                    place += many
                elif operation == _DELETION:
                    first, last = max(here, 0), min(here + many, size)
                    if first < last:
                        blocks.append(ruler[first:last] + DELETED)
                        held += last - first
                    here += many
                elif operation == _SKIP:
                    here += many
                elif operation == _INSERTION:
                    if 0 < here <= size:
                        insertions[here - 1] += 1
                    place += many
                elif operation == _SOFT:
                    place += many
            if held > _ENOUGH:
                cells += np.bincount(np.concatenate(blocks), minlength=size * 6)
                blocks, held = [], 0
    except (OSError, ValueError) as error:
        name = alignment.filename.decode()
        raise DataError(
            f"alignment {name} cannot be read at {contig}:{start + 1}-{stop}: {error}; is the file "
            "cut off, or its index older than it?"
        ) from error
    if blocks:
        cells += np.bincount(np.concatenate(blocks), minlength=size * 6)
    return Counts(cells.reshape(size, 6), insertions, reads, left_out, unrated)
