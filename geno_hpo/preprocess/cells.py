"""Sums over many training parts in one pass: samples of the same parts are added up together.

Samples that belong to the same training parts make a *cell*. With k folds a cell is a fold's
validation part, and a training part is all other cells. Dosages are read once, summed by cell, and
a part's sums are those of its cells: nothing of a sample outside a part ever enters its sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.preprocess.association import BlockSums, Responses, block_sums

__all__ = ["Cells", "passes"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]

ROWS = 128
"""Samples that are turned into float32 at once."""
WIDTH = 2048
"""Variants that are read at once, at most: a tile of them is 1 MB of float32, in the cache."""
SUM_BYTES = 32 * 2**20
"""Bytes that the sums of one block of variants may take."""
MOST_CELLS = 32
"""Cells of one pass; parts that would cut the samples into more are another pass."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Samples of some training parts, ordered by cell.

    Parameters
    ----------
    samples
        ``(n,)``: every sample that is in a part, once.
    bounds
        ``(cells + 1,)``: cell *c* is ``samples[bounds[c]:bounds[c + 1]]``.
    members
        ``(parts, cells)``: 1 where a part holds a cell, else 0.
    """

    samples: Indices
    bounds: Indices
    members: NDArray[np.float64]

    @classmethod
    def of(cls, parts: Sequence[Indices], total: int) -> Cells:
        """Cells of some parts of `total` samples."""
        number = _numbered(parts, total)
        held = np.zeros(total, bool)
        for part in parts:
            held[part] = True
        samples = np.flatnonzero(held)
        samples = samples[np.argsort(number[samples], kind="stable")]
        found, first = np.unique(number[samples], return_index=True)
        members = np.zeros((len(parts), len(found)))
        for row, part in zip(members, parts, strict=True):
            row[np.searchsorted(found, np.unique(number[part]))] = 1
        return cls(samples, np.append(first, len(samples)), members)

    def width(self, columns: int) -> int:
        """Variants of one block, with so many columns of responses."""
        one: int = 8 * 3 * columns * sum(self.members.shape)
        return max(1, min(WIDTH, SUM_BYTES // one))

    def sums(self, codes: Codes, here: slice, responses: Responses) -> list[BlockSums]:
        """Sums of a block of variants, one `BlockSums` a part.

        Parameters
        ----------
        codes
            ``(all samples, variants)`` int8 dosages, −1 not called.
        here
            The block.
        responses
            Of `samples`, in their order.
        """
        cells, columns = self.members.shape[1], responses.weights.shape[1]
        held = np.zeros((3, cells, (here.stop - here.start) * columns))
        for cell, rows in self._tiles():
            tile = np.asarray(codes[self.samples[rows], here])
            found = block_sums(tile, responses, rows)
            for whole, part in zip(held, (found.called, found.total, found.squares), strict=True):
                whole[cell] += part.ravel()
        by_part = [(self.members @ whole).reshape(len(self.members), -1, columns) for whole in held]
        return [BlockSums(*of_part) for of_part in zip(*by_part, strict=True)]

    def _tiles(self) -> Iterator[tuple[int, slice]]:
        for cell, (start, stop) in enumerate(zip(self.bounds[:-1], self.bounds[1:], strict=True)):
            for low in range(int(start), int(stop), ROWS):
                yield cell, slice(low, min(low + ROWS, int(stop)))


def passes(parts: Sequence[Indices], total: int) -> Iterator[list[int]]:
    """Numbers of the parts that are summed together, pass by pass.

    Folds of one division of the samples fit into one pass; repeats of a division cut each other's
    cells, so that some repeats later another pass begins.
    """
    group: list[int] = []
    for number in range(len(parts)):
        together = [parts[i] for i in (*group, number)]
        if group and _numbered(together, total).max() >= MOST_CELLS:
            yield group
            group = []
        group.append(number)
    if group:
        yield group


def _numbered(parts: Sequence[Indices], total: int) -> Indices:
    """A number for each sample, the same for samples of the same parts."""
    number = np.zeros(total, np.intp)
    for part in parts:
        flag = np.zeros(total, np.intp)
        flag[part] = 1
        number = np.unique(2 * number + flag, return_inverse=True)[1].reshape(total)
    return number
