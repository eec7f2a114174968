"""Read delimited text row by row: CSV, TSV, plain or gzipped, every fault with its line.

Cells stay text here; what they mean is for the readers of labels and of SNP tables to say.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from geno_hpo.errors import DataError

__all__ = ["MISSING", "Layout", "Table", "find_columns", "is_missing", "open_table", "require_file"]

MISSING = frozenset({"", "na", "nan", "n/a", "null"})
"""Cells that say "no value", compared without case."""


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or says NA, NaN, N/A or null."""
    return cell.strip().lower() in MISSING


@dataclass(frozen=True)
class Layout:
    """How a text table is written.

    Parameters
    ----------
    spaces
        Cells stand between spaces or tabs instead of the header's delimiter.
    header
        The first line names the columns; without it they are called ``1``, ``2`` and so on.
    numbered
        There is no column of ids: a first column ``id`` numbers the rows from 1.
    """

    spaces: bool = False
    header: bool = True
    numbered: bool = False


@dataclass(frozen=True)
class Table:
    """An open table.

    Parameters
    ----------
    path
        Its file.
    columns
        Column names of the header, unique.
    rows
        The rows yet to come: line number in the file (from 1) and as many cells as columns.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def require_file(path: Path, what: str) -> None:
    """Refuse a path that is no file, or an empty one.

    Raises
    ------
    DataError
        See above.
    """
    if not path.is_file():
        near = get_close_matches(path.name, _siblings(path), n=3)
        hint = f"; that folder has {', '.join(near)}" if near else ""
        raise DataError(f"{what} file {path} does not exist{hint}")
    if path.stat().st_size == 0:
        raise DataError(f"{what} file {path} is empty")


def _siblings(path: Path) -> list[str]:
    return [each.name for each in path.parent.iterdir()] if path.parent.is_dir() else []


@contextmanager
def open_table(path: Path, what: str, layout: Layout = Layout()) -> Iterator[Table]:
    """Open a table; the delimiter is the first line's tab, semicolon or comma.

    Parameters
    ----------
    path
        Text file, gzipped when it ends in ``.gz``.
    what
        What the table is, for messages: ``labels``, ``variants``.
    layout
        How it is written; by default with a header and a column of ids.

    Raises
    ------
    DataError
        No such file, an empty one, no text, a column name given twice, or (while rows are
        read) a row with more or fewer cells than the header.
    """
    require_file(path, what)
    try:
        with _open_text(path) as stream:
            head = stream.readline()
            if not head.strip():
                raise DataError(f"{what} file {path} is empty: its first line should be a header")
            delimiter = None if layout.spaces else max("\t;,", key=head.count)
            first = next(_split([head], delimiter))[1]
            columns = [cell.strip() for cell in first] if layout.header else _numbers(first)
            if len(set(columns)) < len(columns):
                twice = next(name for name, number in Counter(columns).items() if number > 1)
                raise DataError(f"{what} file {path} has column {twice!r} twice")
            lines = stream if layout.header else chain([head], stream)
            rows = _rows(path, _split(lines, delimiter), len(columns), int(layout.header))
            if layout.numbered:
                columns = ["id", *columns]
                rows = ((line, [str(n), *cells]) for n, (line, cells) in enumerate(rows, 1))
            yield Table(path, tuple(columns), rows)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error, csv.Error) as error:
        raise DataError(f"{what} file {path} is no readable text table: {error}") from error


def _open_text(path: Path) -> io.TextIOWrapper:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _numbers(cells: Sequence[str]) -> list[str]:
    return [str(place) for place in range(1, len(cells) + 1)]


def _split(lines: Iterable[str], delimiter: str | None) -> Iterator[tuple[int, list[str]]]:
    """Cells of each line and the number of lines read so far; None splits at spaces."""
    if delimiter is None:
        yield from ((number, text.split()) for number, text in enumerate(lines, 1))
    else:
        reader = csv.reader(lines, delimiter=delimiter)
        yield from ((reader.line_num, cells) for cells in reader)


def _rows(
    path: Path, lines: Iterator[tuple[int, list[str]]], width: int, before: int
) -> Iterator[tuple[int, list[str]]]:
    for number, cells in lines:
        line = number + before
        if not cells:
            continue
        if len(cells) != width:
            first = "the header has" if before else "the first row has"
            raise DataError(f"{path}:{line} has {len(cells)} cells, {first} {width} columns")
        yield line, cells


def find_columns(table: Table, wanted: Sequence[str], what: str) -> list[int]:
    """Places of the columns of these names.

    Parameters
    ----------
    table
        Where to look.
    wanted
        Column names.
    what
        What they are, for messages: ``target``, ``id``, ``group``.

    Raises
    ------
    DataError
        One is missing; the message lists the nearest column names.
    """
    places = {name: place for place, name in enumerate(table.columns)}
    for name in wanted:
        if name not in places:
            near = get_close_matches(name, table.columns, n=5, cutoff=0.4)
            shown = near or list(table.columns[:10])
            more = "" if near or len(table.columns) <= 10 else f" … ({len(table.columns)} columns)"
            raise DataError(
                f"{what} column {name!r} is not in {table.path}; "
                f"{'nearest' if near else 'its columns'}: {', '.join(shown)}{more}"
            )
    return [places[name] for name in wanted]
