"""One-hot CSV → letters by locus and sample: what ``geno-hpo encode`` writes.

Columns ``A,C,G,T``, one row a position, and a fifth ``-`` (or ``gap``) for gaps; zeros only is an
unknown base. Before them may stand ``sample``, ``locus`` and ``position`` (from 1 on the contig).
A folder holds one file a sample, named after it; a single file names samples in its rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.tables import require_file
from geno_hpo.data.texts import Texts, refuse_archive
from geno_hpo.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["is_one_hot_header", "read_one_hot"]

_SUFFIXES = (".csv", ".csv.gz")
_BEFORE = {"sample": "sample", "id": "sample", "locus": "locus", "position": "position"}
_BASES = {"A": 0, "C": 1, "G": 2, "T": 3, "-": 4, "GAP": 4}


def is_one_hot_header(line: str) -> bool:
    """Whether a first line names the columns A, C, G and T."""
    return {"A", "C", "G", "T"} <= {cell.strip() for cell in line.split(",")}


def read_one_hot(path: Path) -> Texts:
    """Read a one-hot CSV file, or a folder with one a sample.

    Raises
    ------
    DataError
        No file, columns that do not belong here, a row that is neither one-hot nor all zeros
        (probabilities, NaN and infinity among them), a sample given twice, positions that are
        not consecutive or differ between samples.
    """
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.name.endswith(_SUFFIXES))
        if not files:
            raise DataError(f"folder {path} has no one-hot CSV file")
    else:
        files = [path]
    loci: dict[str, dict[str, str]] = {}
    genome: dict[str, tuple[int, ...]] = {}
    for file in files:
        _read_file(file, loci, genome)
    return Texts(path, loci, genome)


def _read_file(
    path: Path, loci: dict[str, dict[str, str]], genome: dict[str, tuple[int, ...]]
) -> None:
    table = _table(path)
    codes = _codes(table, path)
    rows = len(codes)
    stem = path.name.removesuffix(".gz").removesuffix(".csv")
    samples = _names(table, "sample", stem, path)
    places = _names(table, "locus", "", path)
    turns = (samples[1:] != samples[:-1]) | (places[1:] != places[:-1])
    starts = [0, *(np.flatnonzero(turns) + 1).tolist()]
    for start, stop in zip(starts, [*starts[1:], rows], strict=True):
        sample, locus = str(samples[start]), str(places[start])
        texts = loci.setdefault(locus, {})
        if sample in texts:
            of = f" of locus {locus!r}" if locus else ""
            raise DataError(f"sample {sample!r}{of} stands twice ({path}:{start + 2})")
        texts[sample] = encoding.decode(codes[start:stop])
        if "position" in table:
            found = _positions(table["position"].to_numpy()[start:stop], path, start)
            if genome.setdefault(locus, found) != found:
                raise DataError(
                    f"sample {sample!r} has other positions of locus {locus!r} than the samples "
                    f"before it ({path}:{start + 2})"
                )


def _table(path: Path) -> pd.DataFrame:
    import pandas as pd

    require_file(path, "one-hot")
    refuse_archive(path)
    try:
        head = [str(name).strip() for name in pd.read_csv(path, nrows=0, encoding="utf-8-sig")]
        names = [_BEFORE.get(name.lower(), name.upper()) for name in head]
        wrong = [
            name
            for name, known in zip(head, names, strict=True)
            if known not in (*_BASES, "sample", "locus", "position")
        ]
        if wrong or not {"A", "C", "G", "T"} <= set(names) or len(set(names)) < len(names):
            raise DataError(
                f"one-hot file {path} has the columns A,C,G,T (and -), before them sample, locus "
                f"and position; got {', '.join(head)}"
            )
        text = {name: "str" for name in names if name in ("sample", "locus")}
        table = pd.read_csv(
            path,
            names=names,
            header=0,
            index_col=False,
            encoding="utf-8-sig",
            dtype=text,
            keep_default_na=True,
        )
    except (ValueError, OSError, EOFError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"one-hot file {path} is no readable table: {error}") from error
    if table.empty:
        raise DataError(f"one-hot file {path} has a header and no rows")
    return table


def _codes(table: pd.DataFrame, path: Path) -> NDArray[np.int8]:
    """Codes ``(rows,)``; every row has a single 1, or zeros only."""
    import pandas as pd

    columns = [name for name in table if name in _BASES]
    cells = np.column_stack(
        [pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float) for name in columns]
    )
    whole = np.asarray(np.isin(cells, (0.0, 1.0)).all(axis=1))
    good = whole & (cells.sum(axis=1, where=whole[:, None]) <= 1)
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        shown = ", ".join(f"{name} {table[name].iloc[row]}" for name in columns)
        fraction = np.isfinite(cells[row]).all() and 0 < cells[row].min() + cells[row].max() < 2
        hint = (
            "; probabilities cannot be kept in whole codes" if fraction and not whole[row] else ""
        )
        raise DataError(
            f"a one-hot row has a single 1 or zeros only, got {shown} ({path}:{row + 2}); "
            f"{int((~good).sum())} such rows{hint}"
        )
    kinds = np.array([_BASES[str(name)] for name in columns], dtype=np.int8)
    return np.where(cells.any(axis=1), kinds[cells.argmax(axis=1)], encoding.UNKNOWN).astype(
        np.int8
    )


def _names(table: pd.DataFrame, column: str, default: str, path: Path) -> NDArray[np.object_]:
    if column not in table:
        return np.full(len(table), default, dtype=object)
    missing = table[column].isna().to_numpy()
    if missing.any():
        raise DataError(f"a row without {column} ({path}:{int(np.flatnonzero(missing)[0]) + 2})")
    return np.asarray(table[column].to_numpy(dtype=object))


def _positions(cells: NDArray[np.generic], path: Path, start: int) -> tuple[int, ...]:
    """0-based positions of a stretch of rows: rising or falling by one."""
    if not np.issubdtype(cells.dtype, np.integer):
        raise DataError(f"positions are whole numbers ({path}, column position)")
    places = cells.astype(np.int64) - 1
    steps = np.diff(places)
    if len(steps) and not ((steps == 1).all() or (steps == -1).all()):
        row = int(np.flatnonzero(steps != steps[0])[0]) if (steps != steps[0]).any() else 0
        raise DataError(
            f"positions follow one another, got {places[row] + 1} and {places[row + 1] + 1} "
            f"({path}:{start + row + 3})"
        )
    return tuple(places.tolist())
