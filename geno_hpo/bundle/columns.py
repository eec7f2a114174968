"""Where a locus's letters go among a bundle's columns: by length, or by place on the genome.

A bundle's locus may have columns that a sample's own letters lack (insertions of other samples,
which have no place on the genome). Letters that come with places are put by them; letters without
are taken in order when their number is that of all columns, or of all columns with a place. Then
columns without a place say "no insertion".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.manifest import BundleLocus
from geno_hpo.errors import BundleError

__all__ = ["Columns", "find_columns", "genome_of"]


@dataclass(frozen=True)
class Columns:
    """Where the letters of one locus go.

    Parameters
    ----------
    locus
        The bundle's locus.
    source
        ``(columns,)``: index of the letter that each column takes, −1 for none.
    inserted
        ``(columns,)``: columns that say "no insertion", because they have no place.
    length
        Letters that a sample must have.
    shorter
        Whether fewer will do (the rest is unknown).
    """

    locus: BundleLocus
    source: NDArray[np.intp]
    inserted: NDArray[np.bool_]
    length: int
    shorter: bool = False

    def place(self, codes: NDArray[np.int8]) -> NDArray[np.int8]:
        """Codes ``(samples, columns)`` of letters' codes ``(samples, length)``."""
        placed = np.where(self.source >= 0, codes[:, self.source], np.int8(encoding.UNKNOWN))
        placed[:, self.inserted] = encoding.GAP
        return placed.astype(np.int8)


def genome_of(bundle: Bundle, locus: BundleLocus) -> NDArray[np.int64]:
    """0-based genome positions of a locus's columns, −1 for none."""
    return np.asarray(bundle.encoding["genome"][locus.start : locus.stop], dtype=np.int64)


def find_columns(
    bundle: Bundle, locus: BundleLocus, length: int, genome: Sequence[int], where: object
) -> Columns:
    """Match letters of an input with a locus of the bundle.

    Parameters
    ----------
    bundle, locus
        Where to.
    length
        Number of letters, the longest sample's.
    genome
        Their 0-based genome positions; empty where unknown.
    where
        The input, for messages.

    Raises
    ------
    BundleError
        Other positions, or another length.
    """
    width = locus.stop - locus.start
    places = genome_of(bundle, locus)
    known = places >= 0
    nothing = np.zeros(width, dtype=np.bool_)
    of = f"locus {locus.name!r}" if locus.name else "a sequence"
    if len(genome) and known.any():
        index = {int(place): letter for letter, place in enumerate(genome)}
        source = np.array([index.get(int(place), -1) for place in places], dtype=np.intp)
        if not (source >= 0).any():
            raise BundleError(
                f"{of} lies at {_span(places[known])} in the bundle and at {_span(genome)} in "
                f"{where} (1-based): other loci, or another assembly"
            )
        return Columns(locus, source, ~known, length)
    if length == width:
        return Columns(locus, np.arange(width), nothing, width)
    if length == int(known.sum()):
        source = np.full(width, -1, dtype=np.intp)
        source[known] = np.arange(length)
        return Columns(locus, source, ~known, length)
    if bundle.manifest.reading.get("pad") == "right" and length < width:
        source = np.where(np.arange(width) < length, np.arange(width), -1)
        return Columns(locus, source, nothing, length, shorter=True)
    raise BundleError(
        f"{of} must have {width} positions, as in the study, got {length} in {where}: other "
        "regions, or sequences that are not aligned"
    )


def _span(places: Any) -> str:
    return f"{min(places) + 1}-{max(places) + 1}"
