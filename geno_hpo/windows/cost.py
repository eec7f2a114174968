"""What a tower costs a training step: computed plainly, and over distinct windows.

In multiplications of the forward pass; the backward pass takes about twice as many either way. What
moves numbers through memory, and what starts operations, is counted as multiplications too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geno_hpo.windows.dictionary import Dictionary, Rows

__all__ = ["Cost", "differences_pay", "windows_cost"]

MOVED = 16
"""Multiplications in the time of one number that is written and read again."""
GATHERED = 3
"""A differing window's place is fetched, and its gradient given back, by index: dearer by this."""
STARTED = 2_000_000
"""Multiplications in the time that the small operations of one step of the tower take."""
DIFFERED = 40
"""Samples whose plain product with a block of a dense kernel takes as long as a window's change."""


@dataclass(frozen=True)
class Cost:
    """Work of one batch.

    Parameters
    ----------
    plain
        Every window of every sample.
    distinct
        The reference's windows, and each other window that the batch is expected to hold.
    """

    plain: float
    distinct: float

    @property
    def ratio(self) -> float:
        """How many times less work distinct windows are."""
        return self.plain / self.distinct


def expected_rows(rows: Rows, batch: int) -> float:
    """Differing windows of a level that a random batch holds, on average."""
    absent = 1.0 - rows.carriers / (len(rows.starts) - 1)
    return float(np.sum(1.0 - absent**batch))


def windows_cost(
    dictionary: Dictionary, work: tuple[tuple[int, int, int], ...], batch: int
) -> Cost:
    """Estimate the work of a batch.

    Parameters
    ----------
    dictionary
        Of the data set under the tower's geometry.
    work
        For each step of the tower its level, the multiplications of one window, and the numbers
        that it gives; the last step is the tower's end.
    batch
        Samples of a batch.
    """
    batch = min(batch, dictionary.samples)
    own = [expected_rows(rows, batch) for rows in dictionary.levels]
    plain = distinct = 0.0
    for level, products, given in work:
        length = dictionary.levels[level].length
        each = products + MOVED * given
        plain += batch * length * each
        distinct += length * each + own[level] * (each + GATHERED * MOVED * given) + STARTED
    level, _, given = work[-1]
    together = MOVED * given * batch * dictionary.levels[level].length
    return Cost(plain + together, distinct + together)


def differences_pay(dictionary: Dictionary, batch: int) -> bool:
    """Whether a dense layer over the tower's end is cheaper as the reference and its differences.

    That goes once over the kernel for the reference, and once over its block of each differing
    window; the plain product takes every position of every sample.
    """
    end = dictionary.levels[-1]
    batch = min(batch, dictionary.samples)
    return DIFFERED * (end.length + expected_rows(end, batch)) < batch * end.length
