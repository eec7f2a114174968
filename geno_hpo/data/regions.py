"""A list of regions in a file → `Region`: names, contigs, 0-based half-open intervals, strands.

Two looks are read: BED (no header; contig, start, end, name, score, strand; always 0-based and
half-open) and CSV or TSV with a header. In a table the coordinate base is stated by the caller,
or follows from the header (``start0``, ``chromStart``, ``start1``), a ``length`` column, a
``sequence`` column that the reference agrees with, or an interval that only one base allows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geno_hpo import encoding
from geno_hpo.data.tables import open_table, require_file
from geno_hpo.errors import DataError

__all__ = ["Base", "Bases", "Region", "read_regions"]

Base = Literal[0, 1]
"""0: half-open intervals counted from 0. 1: closed intervals counted from 1."""

Bases = Callable[[str, int, int], str]
"""Forward-strand letters of ``(contig, start, stop)``, 0-based and half-open."""

_COLUMNS = {
    "name": ("locus", "name", "gene", "region"),
    "contig": ("contig", "chrom", "chr", "chromosome", "#chrom", "seqname"),
    "start": ("start", "start0", "start1", "chromstart"),
    "stop": ("end", "stop", "end0", "end1", "chromend"),
    "strand": ("strand",),
    "length": ("length", "bases"),
    "sequence": ("sequence",),
}
_STATED: dict[str, Base] = {"start0": 0, "chromstart": 0, "end0": 0, "start1": 1, "end1": 1}


@dataclass(frozen=True)
class Region:
    """A stretch of a contig, read on one strand.

    Parameters
    ----------
    name
        Its name, unique in its list.
    contig
        Contig; empty where the list has no contig column (then the file has one contig only).
    start, stop
        0-based half-open interval on the forward strand.
    strand
        ``-``: read on the reverse strand, 5′ to 3′.

    Raises
    ------
    DataError
        An interval that is empty or begins before the contig.
    """

    name: str
    contig: str
    start: int
    stop: int
    strand: Literal["+", "-"] = "+"

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set(',"/\\\n\r\t'):
            raise DataError(
                f"a region has a name without comma, quote, slash or tab, got {self.name!r}"
            )
        if self.start < 0 or self.stop <= self.start:
            raise DataError(
                f"region {self.name!r} must have a start of at least 0 and an end beyond it "
                f"(0-based, half-open), got {self.start} to {self.stop}"
            )

    @property
    def length(self) -> int:
        """Number of positions."""
        return self.stop - self.start

    def positions(self) -> range:
        """0-based genome positions in reading order."""
        forward = range(self.start, self.stop)
        return forward if self.strand == "+" else forward[::-1]


@dataclass(frozen=True)
class _Row:
    line: int
    name: str
    contig: str
    start: int
    stop: int
    strand: str
    length: int | None
    sequence: str

    def region(self, base: Base, path: Path) -> Region:
        strand: Literal["+", "-"] = "-" if self.strand == "-" else "+"
        try:
            return Region(self.name, self.contig, self.start - base, self.stop, strand)
        except DataError as error:
            raise DataError(
                f"{error}; read with coordinate base {base} ({path}:{self.line})"
            ) from None


def read_regions(
    path: Path, *, coordinates: Base | None = None, bases: Bases | None = None
) -> tuple[Region, ...]:
    """Read regions in the order of the file.

    Parameters
    ----------
    path
        ``.bed``, or a CSV or TSV table with the columns locus (or name, gene, region), start,
        end, and optionally contig, strand, length, sequence.
    coordinates
        The base of a table's intervals; None finds it out or refuses.
    bases
        Letters of the reference, against which a ``sequence`` column is checked.

    Raises
    ------
    DataError
        No such file, no region, a column missing, a name twice, numbers or strands that are
        none, an impossible interval, a coordinate base that cannot be told or is contradicted.
    """
    is_bed = path.name.lower().removesuffix(".gz").endswith(".bed")
    rows, stated = _bed_rows(path) if is_bed else _table_rows(path)
    if not rows:
        raise DataError(f"regions file {path} lists no region")
    seen: dict[str, int] = {}
    for row in rows:
        if row.name in seen:
            raise DataError(
                f"region {row.name!r} stands twice in {path}: lines {seen[row.name]} and {row.line}"
            )
        seen[row.name] = row.line
    if stated is not None and coordinates is not None and stated != coordinates:
        raise DataError(
            f"regions file {path} says itself that it counts from {stated}, but coordinates "
            f"{coordinates} were asked for"
        )
    base = coordinates if coordinates is not None else stated
    if base is None:
        base = _found_base(rows, bases, path)
    regions = tuple(row.region(base, path) for row in rows)
    _check(rows, regions, bases, base, path)
    return regions


def _bed_rows(path: Path) -> tuple[list[_Row], Base | None]:
    require_file(path, "regions")
    rows = []
    for line, text in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not text.strip() or text.startswith(("#", "track", "browser")):
            continue
        cells = text.split("\t") if "\t" in text else text.split()
        if len(cells) < 3:
            raise DataError(f"a BED line has contig, start and end, got {text!r} ({path}:{line})")
        start, stop = _whole(cells[1], "start", path, line), _whole(cells[2], "end", path, line)
        name = cells[3].strip() if len(cells) > 3 else f"{cells[0]}:{start + 1}-{stop}"
        strand = _strand(cells[5] if len(cells) > 5 else "", path, line)
        rows.append(_Row(line, name, cells[0], start, stop, strand, None, ""))
    return rows, 0


def _table_rows(path: Path) -> tuple[list[_Row], Base | None]:
    rows = []
    with open_table(path, "regions") as table:
        lower = [name.lower() for name in table.columns]
        place = {
            what: next((lower.index(name) for name in names if name in lower), None)
            for what, names in _COLUMNS.items()
        }
        for what in ("name", "start", "stop"):
            if place[what] is None:
                raise DataError(
                    f"regions file {path} has no column for the {'end' if what == 'stop' else what}"
                    f" ({' or '.join(_COLUMNS[what])}); its columns: {', '.join(table.columns)}"
                )
        stated = {_STATED[name] for name in lower if name in _STATED}
        if len(stated) > 1:
            raise DataError(f"regions file {path} counts from 0 and from 1: {', '.join(lower)}")

        def cell(cells: list[str], what: str) -> str:
            where = place[what]
            return "" if where is None else cells[where].strip()

        for line, cells in table.rows:
            length = cell(cells, "length")
            rows.append(
                _Row(
                    line,
                    cell(cells, "name"),
                    cell(cells, "contig"),
                    _whole(cell(cells, "start"), "start", path, line),
                    _whole(cell(cells, "stop"), "end", path, line),
                    _strand(cell(cells, "strand"), path, line),
                    _whole(length, "length", path, line) if length else None,
                    cell(cells, "sequence").upper().replace("-", ""),
                )
            )
    return rows, (next(iter(stated)) if stated else None)


def _whole(text: str, what: str, path: Path, line: int) -> int:
    try:
        return int(text.strip())
    except ValueError:
        raise DataError(
            f"a region's {what} is a whole number, got {text!r} ({path}:{line})"
        ) from None


def _strand(text: str, path: Path, line: int) -> str:
    known = {"": "+", ".": "+", "+": "+", "1": "+", "-": "-", "-1": "-"}
    if text.strip() not in known:
        raise DataError(f"a region's strand is + or -, got {text!r} ({path}:{line})")
    return known[text.strip()]


def _found_base(rows: Sequence[_Row], bases: Bases | None, path: Path) -> Base:
    """Find the coordinate base out; refuse rather than guess."""
    options: tuple[Base, Base] = (0, 1)
    if any(row.length is not None for row in rows):
        for base in options:
            if all(row.length in (None, row.stop - row.start + base) for row in rows):
                return base
        raise DataError(f"the lengths in {path} fit neither end - start nor end - start + 1")
    if bases is not None and any(row.sequence for row in rows):
        for base in options:
            if all(_agrees(row, base, bases) for row in rows if row.sequence and row.start >= base):
                return base
        raise DataError(
            f"the sequences in {path} agree with the reference neither from 0 nor from 1: "
            "another reference, or intervals that are shifted"
        )
    if any(row.start == 0 for row in rows):
        return 0
    if any(row.start == row.stop for row in rows):
        return 1
    row = rows[0]
    raise DataError(
        f"regions file {path} does not say whether it counts from 0 or from 1: "
        f"{row.name!r} {row.start}-{row.stop} has {row.stop - row.start} bases from 0 (half-open) "
        f"and {row.stop - row.start + 1} from 1 (closed); state coordinates 0 or 1, or name the "
        "column start0 or start1"
    )


def _agrees(row: _Row, base: Base, bases: Bases) -> bool:
    found = bases(row.contig, row.start - base, row.stop).upper()
    if row.strand == "-":
        codes = encoding.reverse_complement(encoding.encode(found, ambiguous=True))
        found = encoding.decode(codes)
    return found == row.sequence


def _check(
    rows: Sequence[_Row],
    regions: Sequence[Region],
    bases: Bases | None,
    base: Base,
    path: Path,
) -> None:
    for row, region in zip(rows, regions, strict=True):
        if row.length is not None and row.length != region.length:
            raise DataError(
                f"region {row.name!r} has {region.length} bases when counted from {base}, its "
                f"length column says {row.length} ({path}:{row.line})"
            )
        if bases is not None and row.sequence and not _agrees(row, base, bases):
            raise DataError(
                f"the sequence of region {row.name!r} is not the reference's when counted from "
                f"{base} ({path}:{row.line})"
            )
