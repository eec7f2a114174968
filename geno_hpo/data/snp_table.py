"""A SNP table in CSV or TSV → `Dataset` of dosages ``(samples, variants)`` int8.

One row a sample, one column a variant; a cell is 0, 1 or 2 copies of the counted allele. Not
called: −1, NA, NaN or an empty cell. The target stands in the same table or in a second one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Origin, Task
from geno_hpo.data.labels import Labels, build_target, read_labels
from geno_hpo.data.tables import MISSING, Table, find_columns, open_table
from geno_hpo.errors import DataError

__all__ = ["read_snp_table"]

_DOSAGES = {"0": 0, "1": 1, "2": 2, "-1": -1, "0.0": 0, "1.0": 1, "2.0": 2, "-1.0": -1}
_LOOKUP = {**_DOSAGES, **dict.fromkeys(MISSING, -1), "NA": -1, "NaN": -1, "N/A": -1}


def read_snp_table(
    variants: Path,
    *,
    target: Sequence[str],
    task: Task,
    positive: str | None = None,
    labels: Path | None = None,
    id_column: str | None = None,
    groups: Sequence[str] = (),
) -> Dataset:
    """Read dosages and join them with the labels by id, in the order of the SNP table.

    Parameters
    ----------
    variants
        The table. Every column that is neither id, target nor group is a variant.
    target, groups
        Columns of `labels`, or of `variants` when there is no `labels`.
    task, positive
        See `geno_hpo.data.labels.build_target`.
    labels
        Second table with the targets; None: they stand in `variants`.
    id_column
        Column with the sample ids, in both tables; None for each table's first.

    Raises
    ------
    DataError
        A cell that is no dosage, told with its row and column; ids given twice, or none in
        common; any fault of the labels.
    """
    apart = labels is not None
    source = labels if labels is not None else variants
    table = read_labels(source, id_column=id_column, targets=target, groups=groups)
    ids, names, codes = _read_dosages(variants, id_column, () if apart else (*target, *groups))
    notes = _describe(codes)
    if apart:
        ids, codes, table = _join(variants, ids, codes, table, notes)
    values, told = build_target(table, task=task, positive=positive)
    return Dataset(
        name=variants.name.removesuffix(".gz").rsplit(".", 1)[0],
        kind="variants",
        ids=ids,
        codes=codes,
        axis=names,
        target=values,
        groups=table.group_arrays(),
        origin=Origin(
            source=f"{variants.name} and {source.name}" if apart else variants.name,
            notes=(*notes, *told),
        ),
    )


def _read_dosages(
    path: Path, id_column: str | None, aside: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...], NDArray[np.int8]]:
    """Ids, variant names and codes of the table; `aside` are columns that are no variants."""
    with open_table(path, "variants") as table:
        (key,) = find_columns(table, [id_column or table.columns[0]], "id")
        others = {key, *find_columns(table, aside, "target or group")}
        places = [place for place in range(len(table.columns)) if place not in others]
        if not places:
            raise DataError(f"{path} has no variant column beside {', '.join(table.columns)}")
        ids: dict[str, int] = {}
        rows: list[NDArray[np.int8]] = []
        for line, cells in table.rows:
            sample = cells[key].strip()
            if not sample or sample in ids:
                what = f"sample id {sample!r} stands twice" if sample else "a row without an id"
                raise DataError(f"{what} ({path}:{line})")
            ids[sample] = line
            try:
                row = [_LOOKUP[cells[place]] for place in places]
            except KeyError:
                row = _read_row(table, line, sample, cells, places)
            rows.append(np.array(row, dtype=np.int8))
    if not rows:
        raise DataError(f"variants file {path} has a header and no rows")
    return tuple(ids), tuple(table.columns[place] for place in places), np.stack(rows)


def _read_row(
    table: Table, line: int, sample: str, cells: list[str], places: list[int]
) -> list[int]:
    """Read the row again with spaces and spellings of missing values, or say what is wrong."""
    row = []
    for place in places:
        cell = cells[place].strip()
        if (value := _LOOKUP.get(cell, _LOOKUP.get(cell.lower()))) is None:
            name = table.columns[place]
            rule = "a variant is 0, 1 or 2, or -1 or NA where not called"
            if _is_infinite(cell):
                rule += " (an infinite value is no missing one)"
            elif not _is_number(cell):
                rule += "; a target or group column must be named as such"
            raise DataError(
                f"{rule}; got {cell!r} in column {name!r} of sample {sample!r} "
                f"({table.path}:{line})"
            )
        row.append(value)
    return row


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_infinite(cell: str) -> bool:
    return _is_number(cell) and math.isinf(float(cell))


def _describe(codes: NDArray[np.int8]) -> list[str]:
    notes = []
    if missing := int((codes < 0).sum()):
        notes.append(
            f"{missing} of {codes.size} cells not called ({100 * missing / codes.size:.2g} %)"
        )
    called_low = np.where(codes < 0, 3, codes).min(axis=0)
    constant = codes.max(axis=0) == called_low
    empty = codes.max(axis=0) < 0
    if constant.any():
        notes.append(f"{int(constant.sum())} constant variants")
    if empty.any():
        notes.append(f"{int(empty.sum())} variants not called in any sample")
    return notes


def _join(
    path: Path,
    ids: tuple[str, ...],
    codes: NDArray[np.int8],
    table: Labels,
    notes: list[str],
) -> tuple[tuple[str, ...], NDArray[np.int8], Labels]:
    rows = {sample: row for row, sample in enumerate(table.ids)}
    kept = [place for place, sample in enumerate(ids) if sample in rows]
    if not kept:
        raise DataError(
            f"no id of {path} is in {table.path}: samples are called {ids[0]!r} …, "
            f"labels {table.ids[0]!r} …"
        )
    if left := len(ids) - len(kept):
        notes.append(f"{left} of {len(ids)} samples without a row of labels left out")
    if left := len(table.ids) - len(kept):
        notes.append(f"{left} of {len(table.ids)} rows of labels without a sample left out")
    joined = tuple(ids[place] for place in kept)
    return joined, codes[kept], table.take([rows[sample] for sample in joined])
