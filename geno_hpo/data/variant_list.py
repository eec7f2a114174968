"""Named variants applied to a reference: aligned sequences, one row an isolate.

``align_stretch`` takes calls ``(isolates, variants)`` int8 (1 present, 0 absent, −1 not called)
and gives codes ``(isolates, columns)`` int8. The columns of a stretch are, in genome order, for
each base first the columns of what is inserted before it, then the base itself; a stretch of the
reverse strand is turned round at the end.

Rules, each counted where it applies:

- an isolate without an insertion has gaps in its columns; an isolate with a deletion has gaps
  in the deleted ones;
- a variant that is not called makes what it would change unknown (−1), unless a called variant
  says what stands there;
- variants that say different things of one column make it unknown;
- of a long insertion the first letters are kept, as many as the caller allows;
- a variant that reaches over the stretch's end is clipped to it;
- a reference letter that the reference does not have is refused: it is another genome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.tb_regions import Stretch
from geno_hpo.data.variant_names import Variant
from geno_hpo.errors import DataError

__all__ = ["AlignedStretch", "align_stretch", "overlaps"]


@dataclass(frozen=True)
class AlignedStretch:
    """Aligned sequences of a stretch, read on its strand.

    Parameters
    ----------
    codes
        ``(isolates, columns)`` int8.
    genome
        0-based genome position of each column, −1 for inserted ones.
    axis
        Name of each column.
    coding
        Column of the gene's first base, −1 when it is not in the stretch.
    counts
        What the rules did, by rule; only what happened.
    """

    codes: NDArray[np.int8]
    genome: tuple[int, ...]
    axis: tuple[str, ...]
    coding: int
    counts: dict[str, int]


@dataclass
class _Canvas:
    """The alignment while it is written, in genome order."""

    codes: NDArray[np.int8]
    column: NDArray[np.intp]  # of each base of the stretch
    widths: NDArray[np.intp]  # inserted columns before each base
    written: NDArray[np.bool_] = field(init=False)
    conflicts: NDArray[np.bool_] = field(init=False)

    def __post_init__(self) -> None:
        self.written = np.zeros(self.codes.shape, dtype=np.bool_)
        self.conflicts = np.zeros(self.codes.shape, dtype=np.bool_)

    def write(self, rows: NDArray[np.intp], column: int, code: int) -> None:
        differs = self.written[rows, column] & (self.codes[rows, column] != code)
        self.conflicts[rows[differs], column] = True
        self.codes[rows, column] = code
        self.written[rows, column] = True


def overlaps(variant: Variant, stretch: Stretch) -> bool:
    """Whether a variant changes a column of the stretch.

    An insertion does so between two bases of the stretch.
    """
    if variant.kind == "ins":
        return stretch.start < variant.position < stretch.stop
    return variant.position < stretch.stop and variant.stop > stretch.start


def align_stretch(
    stretch: Stretch,
    reference: NDArray[np.int8],
    variants: Sequence[Variant],
    calls: NDArray[np.int8],
    *,
    longest_insertion: int,
) -> AlignedStretch:
    """Apply each isolate's variants to the reference.

    Parameters
    ----------
    stretch
        Where.
    reference
        ``(stop - start,)`` forward-strand codes of the stretch.
    variants
        Variants that overlap the stretch.
    calls
        ``(isolates, len(variants))``.
    longest_insertion
        Columns an insertion site has at most.

    Raises
    ------
    DataError
        A variant's reference letters are not the reference's.
    """
    counts: dict[str, int] = {}
    checked = [_check(each, stretch, reference, counts) for each in variants]
    canvas = _blank(stretch, reference, checked, len(calls), longest_insertion)
    uncalled = np.zeros(canvas.codes.shape, dtype=np.bool_)
    for place, variant in enumerate(checked):
        carriers = np.flatnonzero(calls[:, place] == 1)
        silent = np.flatnonzero(calls[:, place] == -1)
        if len(variant.allele) > longest_insertion and variant.kind == "ins":
            _count(counts, f"insertions cut to {longest_insertion} letters", 1)
        if _clipped(variant, stretch):
            _count(counts, "variants clipped to the window", 1)
        for column, code in _changes(variant, stretch, canvas):
            canvas.write(carriers, column, code)
            uncalled[silent, column] = True
    uncalled &= ~canvas.written
    canvas.codes[uncalled | canvas.conflicts] = encoding.UNKNOWN
    _count(counts, "letters unknown because a variant was not called", int(uncalled.sum()))
    _count(counts, "letters unknown because variants disagree", int(canvas.conflicts.sum()))
    _count(counts, "inserted columns", int(canvas.widths.sum()))
    return _finish(stretch, canvas, counts)


def _count(counts: dict[str, int], rule: str, number: int) -> None:
    if number:
        counts[rule] = counts.get(rule, 0) + number


def _check(
    variant: Variant, stretch: Stretch, reference: NDArray[np.int8], counts: dict[str, int]
) -> Variant:
    """Compare the variant's reference letters; mend a deleted letter that is written twice."""
    low, high = max(variant.position, stretch.start), min(variant.stop, stretch.stop)
    found = encoding.decode(reference[low - stretch.start : high - stretch.start])
    named = variant.reference[low - variant.position : high - variant.position]
    if found == named:
        return variant
    if variant.kind == "del" and len(named) == 2 and named == found[0] * 2:
        _count(counts, "deletions of one letter written twice", 1)
        return Variant(variant.name, "del", variant.position, named[0], "")
    raise DataError(
        f"variant {variant.name!r} names reference letters {named} at genome position "
        f"{low + 1}, the reference has {found}: the variants belong to another reference"
    )


def _clipped(variant: Variant, stretch: Stretch) -> bool:
    return variant.position < stretch.start or variant.stop > stretch.stop


def _blank(
    stretch: Stretch,
    reference: NDArray[np.int8],
    variants: Sequence[Variant],
    isolates: int,
    longest: int,
) -> _Canvas:
    """Every isolate as the reference, with gaps in the inserted columns."""
    widths = np.zeros(len(reference), dtype=np.intp)
    for variant in variants:
        if variant.kind == "ins":
            place = variant.position - stretch.start
            widths[place] = max(widths[place], min(len(variant.allele), longest))
    column = np.arange(len(reference)) + np.cumsum(widths)
    row = np.full(len(reference) + int(widths.sum()), encoding.GAP, dtype=np.int8)
    row[column] = reference
    return _Canvas(np.repeat(row[None], isolates, axis=0), column, widths)


def _changes(variant: Variant, stretch: Stretch, canvas: _Canvas) -> list[tuple[int, int]]:
    """Column and new code of everything a variant says."""
    place = variant.position - stretch.start
    if variant.kind == "ins":
        width, base = int(canvas.widths[place]), int(canvas.column[place])
        letters = variant.allele[:width].ljust(width, "-")
        return [(base - width + i, int(c)) for i, c in enumerate(encoding.encode(letters))]
    new = encoding.encode(variant.allele or "-" * len(variant.reference))
    old = encoding.encode(variant.reference)
    return [
        (int(canvas.column[place + i]), int(code))
        for i, code in enumerate(new)
        if code != old[i] and 0 <= place + i < len(canvas.column)
    ]


def _finish(stretch: Stretch, canvas: _Canvas, counts: dict[str, int]) -> AlignedStretch:
    genome = np.full(canvas.codes.shape[1], -1, dtype=np.int64)
    genome[canvas.column] = np.arange(stretch.start, stretch.stop)
    codes = canvas.codes
    if stretch.strand == "-":
        codes, genome = encoding.reverse_complement(codes), genome[::-1]
    first = np.flatnonzero(genome == stretch.first)
    return AlignedStretch(
        codes=np.ascontiguousarray(codes),
        genome=tuple(int(position) for position in genome),
        axis=_names(stretch, genome),
        coding=int(first[0]) if stretch.first >= 0 and len(first) else -1,
        counts=counts,
    )


def _names(stretch: Stretch, genome: NDArray[np.int64]) -> tuple[str, ...]:
    """``katG:315.2`` in codons, ``fabG1:-15`` upstream, ``…+1`` for what is inserted after."""
    names: list[str] = []
    last, inserted = "", 0
    for position in genome:
        if position < 0:
            inserted += 1
            names.append(f"{last}+{inserted}")
            continue
        inserted = 0
        offset = stretch.offset(int(position))
        if stretch.first < 0:
            last = f"{stretch.gene}:{position + 1}"
        elif 0 <= offset < stretch.length:
            last = f"{stretch.gene}:{offset // 3 + 1}.{offset % 3 + 1}"
        elif offset < 0:
            last = f"{stretch.gene}:{offset}"
        else:
            last = f"{stretch.gene}:*{offset - stretch.length + 1}"
        names.append(last)
    return tuple(names)
