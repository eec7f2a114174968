"""Calls: the storage's rows of `growth` alone, which take seconds and not minutes."""

from __future__ import annotations

from benchmarks.growth import SIZES, STORAGE_NOTES, storage_table
from benchmarks.outcome import Outcome, Size

__all__ = ["run"]


def run(size: Size) -> Outcome:
    """Measure the storage's calls at this size."""
    points = SIZES[size].storage
    return Outcome((storage_table(points),), STORAGE_NOTES, {"storage": points})
