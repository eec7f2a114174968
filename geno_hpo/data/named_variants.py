"""A table of named variants, a reference and loci → `Dataset` of aligned sequences.

``format: variant_list``: one row a sample, one column a variant whose name says what it changes
(`geno_hpo.data.variant_names`), cells 1 present, 0 absent, −1 not called. The reference is FASTA
of one contig; the loci are a CSV with the columns ``locus,start,end`` and, if wanted, ``strand``:
1-based, both ends included. A locus on ``-`` is read 5′ to 3′ on that strand.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.config import VariantData
from geno_hpo.data.dataset import Locus
from geno_hpo.data.fasta import read_fasta
from geno_hpo.data.genotypes import Genotypes, Index
from geno_hpo.data.mapped import IN_MEMORY
from geno_hpo.data.tables import find_columns, open_table
from geno_hpo.data.tb_regions import Stretch
from geno_hpo.data.variant_list import align_stretch, overlaps
from geno_hpo.data.variant_matrix import build_matrix
from geno_hpo.data.variant_names import parse_variant
from geno_hpo.errors import DataError, InputError

__all__ = ["Aligned", "align_table"]

_LONGEST = 3  # letters of an insertion that are kept
_STRANDS = ("+", "-")

Aligned = tuple[NDArray[np.int8], tuple[str, ...], tuple[Locus, ...], tuple[str, ...]]
"""Codes ``(samples, columns)``, names of the columns, loci, notes."""


def align_table(config: VariantData, table: Genotypes, rows: Index) -> Aligned:
    """Apply each sample's variants to the reference, locus by locus.

    Raises
    ------
    InputError
        No reference or no loci.
    DataError
        A locus outside the reference, a variant that names other letters than the reference
        has, a cell other than 0, 1 and -1, no variant inside the loci.
    """
    if config.reference is None or config.loci is None:
        raise InputError("format variant_list needs `reference` (FASTA) and `loci` (CSV)")
    reference = _reference(config.reference)
    stretches = _stretches(config.loci, config.reference, len(reference))
    parsed = [(column, parse_variant(name)) for column, name in enumerate(table.names)]
    inside = [
        (column, variant)
        for column, variant in parsed
        if variant is not None and any(overlaps(variant, each) for each in stretches)
    ]
    unread = sum(variant is None for _, variant in parsed)
    if not inside:
        raise DataError(f"{table.path} has no variant inside the loci of {config.loci}")
    columns = np.array([column for column, _ in inside], dtype=np.intp)
    calls = build_matrix(table, rows, columns, limit=max(IN_MEMORY, len(rows) * len(columns))).codes
    if (wrong := np.argwhere(calls == 2)).size:
        row, column = wrong[0]
        raise DataError(
            f"a call is 1 (present), 0 (absent) or -1 (not called), got 2 of sample "
            f"{table.ids[rows[row]]!r} in column {inside[column][1].name!r} of {table.path}"
        )
    counts: Counter[str] = Counter()
    parts: list[NDArray[np.int8]] = []
    axis: list[str] = []
    loci: list[Locus] = []
    for stretch in stretches:
        here = [i for i, (_, variant) in enumerate(inside) if overlaps(variant, stretch)]
        part = align_stretch(
            stretch,
            reference[stretch.start : stretch.stop],
            [inside[i][1] for i in here],
            calls[:, here],
            longest_insertion=_LONGEST,
        )
        start = len(axis)
        axis.extend(part.axis)
        loci.append(Locus(stretch.gene, start, len(axis), part.genome, stretch.strand))
        parts.append(part.codes)
        counts.update(part.counts)
    notes = [f"{len(inside):,} of {len(parsed) - unread:,} variants lie in the loci"]
    if unread:
        notes.append(f"columns that name no variant, not used: {unread:,}")
    notes.extend(f"{rule}: {number:,}" for rule, number in counts.items())
    return np.concatenate(parts, axis=1), tuple(axis), tuple(loci), tuple(notes)


def _reference(path: Path) -> NDArray[np.int8]:
    """Codes of the one contig."""
    contigs = read_fasta(path)
    if len(contigs) != 1:
        raise DataError(
            f"variant names tell no contig, so the reference has one; {path} has {len(contigs)}: "
            f"{', '.join(list(contigs)[:5])}"
        )
    return encoding.encode(next(iter(contigs.values())))


def _stretches(path: Path, reference: Path, length: int) -> tuple[Stretch, ...]:
    """The loci in file order."""
    stretches: list[Stretch] = []
    with open_table(path, "loci") as table:
        places = find_columns(table, ["locus", "start", "end"], "loci")
        stranded = "strand" in table.columns
        strand = find_columns(table, ["strand"], "loci")[0] if stranded else None
        for line, cells in table.rows:
            name, first, last = (cells[place].strip() for place in places)
            sign = "+" if strand is None else cells[strand].strip()
            if not (first.isdecimal() and last.isdecimal()) or sign not in _STRANDS:
                raise DataError(
                    f"a locus has a whole start and end and strand + or -, got {first}, {last}, "
                    f"{sign!r} ({path}:{line})"
                )
            if not 1 <= int(first) <= int(last) <= length:
                raise DataError(
                    f"locus {name!r} ({first}-{last}, 1-based) lies outside {reference}, which has "
                    f"{length} bases ({path}:{line})"
                )
            if any(name == each.gene for each in stretches):
                raise DataError(f"locus {name!r} stands twice ({path}:{line})")
            stretches.append(
                Stretch(name, name, int(first) - 1, int(last), "-" if sign == "-" else "+")
            )
    if not stretches:
        raise DataError(f"loci file {path} has a header and no rows")
    return tuple(stretches)
