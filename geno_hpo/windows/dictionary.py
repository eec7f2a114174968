"""The distinct windows of a data set under one geometry, and each sample's share of them.

Ids of the rows of a level of length *L*: 0 is padding, 1 to *L* are the reference's windows (id −
1 is the position), from *L* + 1 on come the windows that differ from it, in the order of their
positions. Samples of a clonal species are almost the reference, so only differences are kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geno_hpo.windows.geometry import Geometry

__all__ = ["Dictionary", "Rows"]


@dataclass(frozen=True, eq=False)
class Rows:
    """The differing windows of one level.

    Parameters
    ----------
    length
        Positions of the level.
    table
        ``(rows, taps)`` int32: what each differing window holds, as ids of the sources' rows; for
        level 0 ``(rows, 1)``, the code.
    place
        ``(rows,)`` int32 position of each, ascending.
    starts
        ``(samples + 1,)`` int64: where each sample's part of `found` begins.
    found
        Ordinals of the differing windows of each sample, int32, one sample after the other, each
        by position; 0 is the first differing window.
    """

    length: int
    table: NDArray[np.int32]
    place: NDArray[np.int32]
    starts: NDArray[np.int64]
    found: NDArray[np.int32]

    @property
    def size(self) -> int:
        """Number of differing windows."""
        return len(self.place)

    @cached_property
    def carriers(self) -> NDArray[np.int64]:
        """Samples that have each differing window, ``(rows,)``."""
        return np.bincount(self.found, minlength=self.size)

    @property
    def owners(self) -> NDArray[np.int64]:
        """Sample of each of `found`."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def ids(self, samples: NDArray[np.intp]) -> NDArray[np.int32]:
        """Id of the window of each sample at each position, ``(samples, length)``."""
        ids = np.tile(np.arange(1, self.length + 1, dtype=np.int32), (len(samples), 1))
        for row, sample in zip(ids, samples, strict=True):
            found = self.found[self.starts[sample] : self.starts[sample + 1]]
            row[self.place[found]] = found + (self.length + 1)
        return ids


@dataclass(frozen=True, eq=False)
class Dictionary:
    """Every level's differing windows, from the sequence's own codes to the tower's end.

    Parameters
    ----------
    geometry
        How each level reads those below.
    reference
        ``(length,)`` int8: the commonest code of each position.
    levels
        Level 0 (codes) first.
    """

    geometry: Geometry
    reference: NDArray[np.int8]
    levels: tuple[Rows, ...]

    @property
    def samples(self) -> int:
        """Number of samples."""
        return len(self.levels[0].starts) - 1

    @property
    def bytes(self) -> int:
        """Memory of all arrays."""
        return self.reference.nbytes + sum(
            array.nbytes
            for rows in self.levels
            for array in (rows.table, rows.place, rows.starts, rows.found)
        )
