"""Genotype tables in Parquet → `Genotypes`: the columns of `geno_hpo.data.snp_table`.

Read in batches of rows; a cell is a number (0, 1, 2, −1, null) or text as in a text table.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import Asked, Genotypes, Spool, as_dosages
from geno_hpo.data.labels import Labels
from geno_hpo.data.letters import CELLS, find_alleles
from geno_hpo.data.snp_table import SpooledTable
from geno_hpo.data.tables import Table, find_columns, require_file
from geno_hpo.errors import DataError

__all__ = ["open_parquet"]

_ROWS = 256  # read at once


def open_parquet(config: VariantData, asked: Asked) -> Genotypes:
    """Read a Parquet table once into a nameless file of codes.

    Raises
    ------
    DataError
        No Parquet file, a column that is missing, a cell that is no genotype, two alleles passed.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = config.variants
    require_file(path, "variants")
    try:
        file = pq.ParquetFile(path)
        table = Table(path, tuple(file.schema_arrow.names), iter(()))
        (key,) = find_columns(table, [config.id or table.columns[0]], "id")
        inside = () if config.labels is not None else (*asked.target, *asked.groups)
        aside = find_columns(table, inside, "target or group")
        names = [name for i, name in enumerate(table.columns) if i not in {key, *aside}]
        if not names:
            raise DataError(f"{path} has no variant column beside {', '.join(table.columns)}")
        known = CELLS | dict.fromkeys(config.missing, -1)
        ids: list[str] = []
        texts: dict[str, list[str]] = {name: [] for name in inside}
        spool = Spool(asked.scratch)
        for batch in file.iter_batches(_ROWS):
            found = batch.column(key).to_pylist()
            if None in found:
                raise DataError(
                    f"a row without an id ({path}, row {len(ids) + found.index(None) + 1})"
                )
            columns = [_codes(batch.column(name), name, len(ids), known, path) for name in names]
            for row in np.stack(columns, axis=1):
                spool.add(row)
            ids.extend(map(str, found))
            for name, cells in texts.items():
                cells.extend(_text(batch.column(name).to_pylist()))
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"variants file {path} is no readable Parquet table: {error}") from error
    if not ids:
        raise DataError(f"variants file {path} has no rows")
    alleles = find_alleles(spool, names, path)
    labels = None
    if config.labels is None:
        groups = {name: texts[name] for name in asked.groups}
        targets = {name: texts[name] for name in asked.target}
        labels = Labels(path, tuple(ids), tuple(range(1, len(ids) + 1)), targets, groups)
    blocks = SpooledTable(spool, alleles).blocks
    return Genotypes(
        path,
        tuple(ids),
        tuple(names),
        blocks,
        labels=labels,
        notes=alleles.notes,
        alleles=alleles.letters,
    )


def _text(values: Sequence[Any]) -> list[str]:
    return ["" if value is None else str(value).strip() for value in values]


def _codes(
    column: Any, name: str, first: int, known: dict[str, int], path: Any
) -> NDArray[np.int8]:
    """Codes of one variant in one batch; `first` is the batch's first row, from 0."""
    import pyarrow as pa

    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        values = column.to_numpy(zero_copy_only=False)
        try:
            return as_dosages(values, path, first)
        except DataError as error:
            raise DataError(f"column {name!r}: {error}") from None
    codes = []
    for row, cell in enumerate(_text(column.to_pylist()), first + 1):
        value = known.get(cell, known.get(cell.lower(), known.get(cell.upper())))
        if value is None:
            raise DataError(
                "a variant is 0, 1 or 2, two letters, or -1 or NA where not called; "
                f"got {cell!r} in column {name!r} ({path}, row {row})"
            )
        codes.append(value)
    return np.array(codes, dtype=np.int8)
