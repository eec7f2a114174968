"""What every reader of genotypes gives: ids, variant names, and dosages read block by block.

Nothing of the matrix is held here: `Genotypes.blocks` reads the chosen samples and variants from
the file each time it is called, so that rare variants can be counted first and left out after.
A block is ``(samples, variants)`` int8: 0, 1 or 2 copies of the counted allele, −1 not called.
"""

from __future__ import annotations

import tempfile
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Task
from geno_hpo.data.labels import Labels
from geno_hpo.data.mapped import IN_MEMORY
from geno_hpo.errors import DataError

__all__ = [
    "BLOCK",
    "Asked",
    "Block",
    "Genotypes",
    "Index",
    "Spool",
    "as_dosages",
    "distinct_names",
    "spans",
]

BLOCK = 32 * 2**20
"""Bytes of a file's genotypes that are read at once."""

Index = NDArray[np.intp]
Block = tuple[int, int, NDArray[np.int8]]
"""First row and first column among the chosen ones, and the dosages."""


@dataclass(frozen=True)
class Asked:
    """What a study wants beside the genotypes.

    Parameters
    ----------
    target, groups
        Columns that hold labels and groups; in the genotypes' own file when `labels` is None.
    task
        Kind of target.
    scratch
        Folder for large intermediate files; None for the system's temporary one.
    """

    target: tuple[str, ...]
    task: Task
    groups: tuple[str, ...] = ()
    scratch: Path | None = None


@dataclass(frozen=True)
class Genotypes:
    """An open file of genotypes.

    Parameters
    ----------
    path
        The file.
    ids
        All samples of the file, in its order.
    names
        All its variants, in its order.
    blocks
        Reads samples × variants, both ascending indices into `ids` and `names`.
    chromosomes
        Of each variant; empty where the format tells none.
    groups
        Groups of the samples that the file itself tells, ``(samples,)`` each.
    labels
        Labels that the file itself holds.
    notes
        What was counted on opening.
    alleles
        Of each variant the counted allele and the other one, ``""`` for one that does not occur;
        empty where the format tells none.

    Raises
    ------
    DataError
        No samples, no variants, or a sample or variant that stands twice.
    """

    path: Path
    ids: tuple[str, ...]
    names: tuple[str, ...]
    blocks: Callable[[Index, Index], Iterator[Block]]
    chromosomes: tuple[str, ...] = ()
    groups: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    labels: Labels | None = None
    notes: tuple[str, ...] = ()
    alleles: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        for what, found in (("sample", self.ids), ("variant", self.names)):
            if not found:
                raise DataError(f"{self.path} has no {what}s")
            if len(set(found)) < len(found):
                name, times = Counter(found).most_common(1)[0]
                places = [i + 1 for i, each in enumerate(found) if each == name]
                raise DataError(
                    f"{what} {name!r} stands {times} times in {self.path}: "
                    f"{what}s {', '.join(map(str, places[:5]))}"
                )
        if self.chromosomes and len(self.chromosomes) != len(self.names):
            raise DataError(f"{self.path}: every variant has a chromosome, or none")


class Spool:
    """Rows of int8 written to a nameless file (in memory while small), read again in order.

    For formats that can only be read from front to end.

    Parameters
    ----------
    folder
        Where the file lies; None for the system's temporary folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115
            IN_MEMORY, dir=None if folder is None else str(folder)
        )
        weakref.finalize(self, self._file.close)
        self._folder = folder
        self.width = 0
        self.length = 0

    def add(self, row: NDArray[np.int8]) -> None:
        """Write one row; all have the same width."""
        self.width = len(row)
        if self._folder is not None and self.width * (self.length + 1) > IN_MEMORY:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder = None
        self._file.write(row.tobytes())
        self.length += 1

    def read(self, wanted: Index) -> Iterator[tuple[int, NDArray[np.int8]]]:
        """Give the wanted rows, ascending, in blocks with the place of their first."""
        step = max(1, BLOCK // max(1, self.width))
        for start, stop in spans(self.length, step):
            first, last = np.searchsorted(wanted, [start, stop])
            if first < last:
                size = (stop - start) * self.width
                self._file.seek(start * self.width)
                content = self._file.read(size)
                rows = np.frombuffer(content, dtype=np.int8).reshape(-1, self.width)
                chosen = wanted[first:last] - start
                yield int(first), rows if len(chosen) == len(rows) else rows[chosen]


def spans(length: int, step: int) -> Iterator[tuple[int, int]]:
    """Cut ``range(length)`` into pieces of `step`: start and stop of each."""
    for start in range(0, length, step):
        yield start, min(length, start + step)


def as_dosages(
    values: NDArray[Any], path: Path, first_row: int = 0, first_column: int = 0
) -> NDArray[np.int8]:
    """Turn a block of whole or real numbers into dosages; NaN is not called.

    Raises
    ------
    DataError
        A value that is no dosage, with its row and column (from 1) in the file's matrix.
    """
    if values.dtype.kind not in "biuf":
        raise DataError(f"{path}: genotypes are numbers, got an array of {values.dtype}")
    if values.dtype.kind == "f":
        values = np.where(np.isnan(values), -1, values)
    wrong = ~np.isin(values, (-1, 0, 1, 2))
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"a variant is 0, 1 or 2, or -1 or NaN where not called; got {values[row, column]} "
            f"in row {first_row + row + 1}, column {first_column + column + 1} of {path}"
        )
    return values.astype(np.int8)


def distinct_names(names: Sequence[str]) -> tuple[tuple[str, ...], int]:
    """Number names that stand several times (``rs1``, ``rs1#2``); also how many were."""
    if len(set(names)) == len(names):
        return tuple(names), 0
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        found.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return tuple(found), sum(seen.values()) - len(seen)
