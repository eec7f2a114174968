"""Read delimited text row by row: CSV, TSV, plain or gzipped, every fault with its line.

Cells stay text here; what they mean is for the readers of labels and of SNP tables to say.
"""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from geno_hpo.errors import DataError

__all__ = ["MISSING", "Table", "find_columns", "is_missing", "open_table", "require_file"]

MISSING = frozenset({"", "na", "nan", "n/a", "null"})
"""Cells that say "no value", compared without case."""


def is_missing(cell: str) -> bool:
    """Whether a cell is empty or says NA, NaN, N/A or null."""
    return cell.strip().lower() in MISSING


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
def open_table(path: Path, what: str) -> Iterator[Table]:
    """Open a table with a header; the delimiter is the header's tab, semicolon or comma.

    Parameters
    ----------
    path
        Text file, gzipped when it ends in ``.gz``.
    what
        What the table is, for messages: ``labels``, ``variants``.

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
            delimiter = max("\t;,", key=head.count)
            columns = [cell.strip() for cell in next(csv.reader([head], delimiter=delimiter))]
            twice = (
                sorted({name for name in columns if columns.count(name) > 1})
                if (len(set(columns)) < len(columns))
                else []
            )
            if twice:
                raise DataError(f"{what} file {path} has column {twice[0]!r} twice")
            yield Table(path, tuple(columns), _rows(path, stream, delimiter, len(columns)))
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, csv.Error) as error:
        raise DataError(f"{what} file {path} is no readable text table: {error}") from error


def _open_text(path: Path) -> io.TextIOWrapper:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _rows(
    path: Path, stream: io.TextIOWrapper, delimiter: str, width: int
) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream, delimiter=delimiter)
    for cells in reader:
        line = reader.line_num + 1
        if not cells:
            continue
        if len(cells) != width:
            raise DataError(f"{path}:{line} has {len(cells)} cells, the header has {width} columns")
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
