"""What every source of an input gives: ids, and codes in the bundle's order, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Batch", "Samples"]


@dataclass(frozen=True)
class Batch:
    """Some samples of an input.

    Parameters
    ----------
    ids
        Their ids.
    codes
        ``(samples, width)`` int8 in the bundle's order: base codes or dosages, −1 unknown.
    """

    ids: tuple[str, ...]
    codes: NDArray[np.int8]


@dataclass(frozen=True)
class Samples:
    """An opened input.

    Parameters
    ----------
    total
        Number of samples.
    batches
        Reads them again from the first, so many at once.
    notes
        What was counted, reordered or left out.
    """

    total: int
    batches: Callable[[int], Iterator[Batch]]
    notes: tuple[str, ...] = ()
