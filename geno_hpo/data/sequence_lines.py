"""Sequences one a line, and labels one a line: text files without ids.

``labelled``: ``label<TAB>sequence``. ``lines``: a sequence a line, whose labels stand in the same
line of another file. Samples are called ``sequence0001``, ``sequence0002`` … in file order.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Sequence
from pathlib import Path

from geno_hpo.data.labels import Labels
from geno_hpo.data.tables import require_file
from geno_hpo.data.texts import Texts, refuse_archive
from geno_hpo.errors import DataError

__all__ = ["line_ids", "read_label_lines", "read_labelled", "read_lines", "text_lines"]


def line_ids(many: int) -> tuple[str, ...]:
    """Ids of samples that have none, counted from 1."""
    return tuple(f"sequence{row:04d}" for row in range(1, many + 1))


def text_lines(path: Path, what: str) -> list[str]:
    """Lines of a text file, plain or gzipped, without blank ones at the end.

    Raises
    ------
    DataError
        No such file, an empty one, no text, a blank line between others.
    """
    require_file(path, what)
    refuse_archive(path)
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = data.decode("utf-8-sig")
    except (UnicodeDecodeError, OSError, EOFError, zlib.error) as error:
        raise DataError(f"{what} file {path} is no readable text: {error}") from error
    lines = [line.strip("\r ") for line in re.split(r"\r\n|\n|\r", text)]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise DataError(f"{what} file {path} is empty: it has blank lines only")
    if "" in lines:
        raise DataError(f"a blank line between others ({path}:{lines.index('') + 1})")
    return lines


def read_lines(path: Path) -> Texts:
    """Read a sequence a line.

    Raises
    ------
    DataError
        A file that is not one; a line with two words.
    """
    lines = text_lines(path, "sequences")
    for number, line in enumerate(lines, start=1):
        if len(line.split()) > 1:
            raise DataError(
                f"a line holds one sequence and nothing else, got {line[:40]!r} ({path}:{number})"
            )
    return Texts(path, {"": dict(zip(line_ids(len(lines)), lines, strict=True))})


def read_labelled(path: Path) -> Texts:
    """Read ``label<TAB>sequence``; a header ``label<TAB>sequence`` is passed over.

    Raises
    ------
    DataError
        A file that is not one; a line without exactly one tab, or with an empty part.
    """
    lines = text_lines(path, "sequences")
    begin = 1 if lines[0].lower().split("\t")[1:] in (["sequence"], ["seq"]) else 0
    labels, texts = [], []
    for number, line in enumerate(lines[begin:], start=begin + 1):
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 2 or not cells[1]:
            raise DataError(f"a line is label, tab, sequence; got {line[:40]!r} ({path}:{number})")
        labels.append(cells[0])
        texts.append(cells[1])
    ids = line_ids(len(texts))
    return Texts(
        path,
        {"": dict(zip(ids, texts, strict=True))},
        labels=dict(zip(ids, labels, strict=True)),
    )


def read_label_lines(
    path: Path, ids: Sequence[str], *, targets: Sequence[str], groups: Sequence[str] = ()
) -> Labels:
    """Read labels whose line i belongs to sequence i.

    Cells lie between tabs, commas or blanks. A first line that names the targets is a header.
    Without one there are as many columns as targets; or, for one target, one 0/1 column a class
    (a single 1 in each line): its classes are then called ``column1``, ``column2`` …

    Parameters
    ----------
    path
        Text file.
    ids
        Samples, in the order of the lines.
    targets, groups
        Names of the columns.

    Raises
    ------
    DataError
        More or fewer lines than samples, lines of different widths, columns that cannot be told
        apart, groups without a header.
    """
    lines = text_lines(path, "labels")
    split = "\t" if "\t" in lines[0] else "," if "," in lines[0] else None
    rows = [[cell.strip() for cell in line.split(split)] for line in lines]
    header = rows.pop(0) if set(targets) <= set(rows[0]) else None
    first = 2 if header else 1
    width = len(header or rows[0])
    for number, row in enumerate(rows, start=first):
        if len(row) != width:
            raise DataError(f"{path}:{number} has {len(row)} cells, others have {width}")
    if len(rows) != len(ids):
        raise DataError(
            f"{len(ids)} sequences and {len(rows)} labels in {path}: line i of both is one sample"
        )
    if header is not None:
        for name in groups:
            if name not in header:
                raise DataError(f"group column {name!r} is not in {path}: {', '.join(header)}")
        cells = {name: [row[header.index(name)] for row in rows] for name in (*targets, *groups)}
    else:
        if groups:
            raise DataError(f"{path} has no header, so it has no group column {groups[0]!r}")
        cells = dict(zip(targets, _columns(rows, targets, path), strict=True))
    return Labels(
        path=path,
        ids=tuple(ids),
        lines=tuple(range(first, first + len(rows))),
        targets={name: cells[name] for name in targets},
        groups={name: cells[name] for name in groups},
    )


def _columns(rows: list[list[str]], targets: Sequence[str], path: Path) -> list[list[str]]:
    width = len(rows[0])
    if width == len(targets):
        return [list(column) for column in zip(*rows, strict=True)]
    if len(targets) == 1 and all(sorted(row) == ["0"] * (width - 1) + ["1"] for row in rows):
        return [[f"column{row.index('1') + 1}" for row in rows]]
    raise DataError(
        f"{path} has {width} columns and no header: for {len(targets)} "
        f"target{'s' if len(targets) > 1 else ''} it should have {len(targets)}"
        + (", or a 0/1 column a class with a single 1 in each line" if len(targets) == 1 else "")
    )
