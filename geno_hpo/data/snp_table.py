"""Genotype tables in text → `Genotypes`: CSV, TSV, or cells between spaces; plain or gzipped.

One row a sample, one column a variant; a cell is 0, 1 or 2 copies of the counted allele, or two
letters (see `geno_hpo.data.letters`). Not called: −1, NA, NaN, ``--`` or an empty cell. A table
between spaces may come without a header and without ids: both are then numbers from 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import Asked, Block, Genotypes, Index, Spool
from geno_hpo.data.labels import read_labels
from geno_hpo.data.letters import CELLS, Alleles, find_alleles
from geno_hpo.data.tables import Layout, Table, find_columns, open_table
from geno_hpo.errors import DataError

__all__ = ["SpooledTable", "layout_of", "open_snp_table"]


def layout_of(config: VariantData) -> Layout:
    """How the tables of a study's data block are written."""
    return Layout(
        spaces=config.format == "plain", header=config.header, numbered=config.ids == "numbered"
    )


def open_snp_table(config: VariantData, asked: Asked) -> Genotypes:
    """Read a text table once into a nameless file of codes.

    Parameters
    ----------
    config
        The data block; its paths as they can be opened.
    asked
        Targets and groups; they are columns of this table when `config.labels` is None.

    Raises
    ------
    DataError
        A cell that is no genotype, told with its row and column; ragged rows; more than two
        alleles; no variant column.
    """
    path, layout = config.variants, layout_of(config)
    apart = config.labels is not None
    labels = None
    if not apart:
        labels = read_labels(
            path,
            id_column=config.id,
            targets=asked.target,
            groups=asked.groups,
            layout=layout,
        )
    known = CELLS | dict.fromkeys(config.missing, -1)
    ids: list[str] = []
    spool = Spool(asked.scratch)
    with open_table(path, "variants", layout) as table:
        (key,) = find_columns(table, [config.id or table.columns[0]], "id")
        aside = () if apart else (*asked.target, *asked.groups)
        others = {key, *find_columns(table, aside, "target or group")}
        places = [place for place in range(len(table.columns)) if place not in others]
        if not places:
            raise DataError(f"{path} has no variant column beside {', '.join(table.columns)}")
        lines: dict[str, int] = {}
        for line, cells in table.rows:
            sample = cells[key].strip()
            if not sample or sample in lines:
                what = f"sample id {sample!r} stands twice" if sample else "a row without an id"
                raise DataError(f"{what} ({path}:{line})")
            lines[sample] = line
            try:
                row = [known[cells[place]] for place in places]
            except KeyError:
                row = _read_row(table, line, sample, cells, places, known)
            spool.add(np.array(row, dtype=np.int8))
            ids.append(sample)
    if not ids:
        raise DataError(f"variants file {path} has a header and no rows")
    names = tuple(table.columns[place] for place in places)
    alleles = find_alleles(spool, names, path)
    source = SpooledTable(spool, alleles)
    return Genotypes(
        path,
        tuple(ids),
        names,
        source.blocks,
        labels=labels,
        notes=alleles.notes,
        alleles=alleles.letters,
    )


class SpooledTable:
    """Codes of a table, a row a sample, as a source of blocks."""

    def __init__(self, spool: Spool, alleles: Alleles) -> None:
        self.spool = spool
        self.alleles = alleles

    def blocks(self, rows: Index, columns: Index) -> Iterator[Block]:
        """Whole rows of the chosen columns, a block of samples at once."""
        every = len(columns) == self.spool.width
        for first, codes in self.spool.read(rows):
            chosen: NDArray[np.int8] = codes if every else codes[:, columns]
            yield first, 0, self.alleles.dosages(chosen, columns)


def _read_row(
    table: Table,
    line: int,
    sample: str,
    cells: list[str],
    places: list[int],
    known: Mapping[str, int],
) -> list[int]:
    """Read the row again with spaces and spellings of missing values, or say what is wrong."""
    row = []
    for place in places:
        cell = cells[place].strip()
        value = known.get(cell, known.get(cell.lower(), known.get(cell.upper())))
        if value is None:
            name = table.columns[place]
            rule = "a variant is 0, 1 or 2, two letters, or -1 or NA where not called"
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
