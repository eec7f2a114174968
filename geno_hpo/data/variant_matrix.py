"""Blocks of genotypes → one matrix ``(samples, variants)`` int8, and what was counted on the way.

Variants that are rare or often not called are left out here, if the study asks for it. That looks
at genotypes only, never at labels, over all samples that are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.genotypes import Genotypes, Index
from geno_hpo.data.mapped import IN_MEMORY, empty_codes, release
from geno_hpo.errors import DataError

__all__ = ["Matrix", "build_matrix"]


@dataclass(frozen=True)
class Matrix:
    """Dosages, the variants they are of, and notes.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8, read-only.
    columns
        Index of each column among the file's variants.
    notes
        Variants left out, cells not called, constant variants.
    """

    codes: NDArray[np.int8]
    columns: Index
    notes: tuple[str, ...]


@dataclass
class _Counts:
    """Of each variant: cells not called, cells with one copy, cells with two."""

    missing: NDArray[np.int64]
    one: NDArray[np.int64]
    two: NDArray[np.int64]

    @classmethod
    def zero(cls, width: int) -> _Counts:
        return cls(*(np.zeros(width, dtype=np.int64) for _ in range(3)))

    def add(self, start: int, block: NDArray[np.int8]) -> None:
        where = slice(start, start + block.shape[1])
        self.missing[where] += np.count_nonzero(block < 0, axis=0)
        self.one[where] += np.count_nonzero(block == 1, axis=0)
        self.two[where] += np.count_nonzero(block == 2, axis=0)

    def take(self, keep: NDArray[np.bool_]) -> _Counts:
        return _Counts(self.missing[keep], self.one[keep], self.two[keep])

    def minor_frequency(self, samples: int) -> NDArray[np.float64]:
        """Frequency of the rarer allele; 0 where nothing is called.

        Without any 2 in the table a cell is 0 or 1, so the frequency is the share of ones.
        """
        copies = 2 if self.two.any() else 1
        called = copies * (samples - self.missing)
        share = (self.one + 2 * self.two) / np.maximum(called, 1)
        return np.asarray(np.where(called > 0, np.minimum(share, 1 - share), 0.0))


def build_matrix(
    genotypes: Genotypes,
    rows: Index,
    columns: Index,
    *,
    min_maf: float = 0.0,
    max_missing: float = 1.0,
    folder: Path | None = None,
    limit: int = IN_MEMORY,
) -> Matrix:
    """Read the chosen samples and variants, once to count if variants are left out, and once.

    Parameters
    ----------
    genotypes
        The open file.
    rows, columns
        Ascending indices of the samples and variants to read.
    min_maf
        Least frequency of the rarer allele, in [0, 0.5].
    max_missing
        Largest share of samples in which a variant is not called, in [0, 1].
    folder, limit
        See `geno_hpo.data.mapped.empty_codes`.

    Raises
    ------
    DataError
        No variant is left, or a fault of the file.
    """
    notes: list[str] = []
    counts = _Counts.zero(len(columns))
    counted = min_maf > 0 or max_missing < 1
    if counted:
        for _, column, block in genotypes.blocks(rows, columns):
            counts.add(column, block)
        called = counts.missing <= max_missing * len(rows)
        common = counts.minor_frequency(len(rows)) >= min_maf
        keep = called & common
        whole = len(columns)
        for rule, number in (
            (f"max_missing {max_missing:g}: not called in more samples", int((~called).sum())),
            (f"min_maf {min_maf:g}: rarer allele below it", int((called & ~common).sum())),
        ):
            if number:
                notes.append(f"{number} of {whole} variants left out ({rule})")
        if not keep.any():
            raise DataError(f"no variant of {genotypes.path} is left: {'; '.join(notes)}")
        columns, counts = columns[keep], counts.take(keep)
    codes = empty_codes((len(rows), len(columns)), folder, limit=limit)
    for row, column, block in genotypes.blocks(rows, columns):
        codes[row : row + block.shape[0], column : column + block.shape[1]] = block
        if not counted:
            counts.add(column, block)
    release(codes)
    codes.flags.writeable = False
    return Matrix(codes, columns, (*notes, *_describe(counts, len(rows))))


def _describe(counts: _Counts, samples: int) -> list[str]:
    """Tell cells not called, constant variants and those not called in any sample."""
    notes = []
    cells = samples * len(counts.missing)
    if missing := int(counts.missing.sum()):
        notes.append(f"{missing} of {cells} cells not called ({100 * missing / cells:.2g} %)")
    called = samples - counts.missing
    none = called - counts.one - counts.two
    constant = (called > 0) & (np.maximum(np.maximum(none, counts.one), counts.two) == called)
    if constant.any():
        notes.append(f"{int(constant.sum())} constant variants")
    if empty := int((called == 0).sum()):
        notes.append(f"{empty} variants not called in any sample")
    return notes
