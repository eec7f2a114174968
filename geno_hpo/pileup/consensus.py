"""Call the consensus of a region from its counts, by stated rules.

A position is called when at least ``min_depth`` reads show it and one state (A, C, G, T or
deleted) holds at least ``min_share`` of them; anything else is unknown. Bases that reads have
between two positions (insertions) have no column: they are counted and left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pysam
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.regions import Region
from geno_hpo.errors import InputError
from geno_hpo.pileup.counts import DELETED, count_region

__all__ = ["Called", "Rules", "call_region"]


@dataclass(frozen=True)
class Rules:
    """When a position is called.

    Parameters
    ----------
    min_depth
        Reads that must show it, at least 1.
    min_share
        Share of them that must agree, in (0.5, 1].
    base_quality, mapping_quality
        Phred scores below which a base, or a read, does not count.

    Raises
    ------
    InputError
        A value outside its range.
    """

    min_depth: int = 5
    min_share: float = 0.75
    base_quality: int = 13
    mapping_quality: int = 20

    def __post_init__(self) -> None:
        if self.min_depth < 1:
            raise InputError(f"min depth must be at least 1, got {self.min_depth}")
        if not 0.5 < self.min_share <= 1:
            raise InputError(f"min share must lie in (0.5, 1], got {self.min_share}")
        for what, value in (
            ("base quality", self.base_quality),
            ("mapping quality", self.mapping_quality),
        ):
            if not 0 <= value <= 255:
                raise InputError(f"{what} must lie in [0, 255], got {value}")


@dataclass(frozen=True)
class Called:
    """The consensus of one region in one sample, in reading order (5′ to 3′ of its strand).

    Parameters
    ----------
    region
        Where.
    codes
        ``(positions,)`` int8: A C G T = 0 1 2 3, deleted = 4, unknown = −1.
    depth
        Mean over the positions of the reads that show a base of enough quality, or a deletion.
    insertions
        Places where as large a share of the reads as the rules ask for has inserted bases.
    differences
        Called bases and deletions that are not the reference's; None without a reference.
    left_out, unrated
        See `geno_hpo.pileup.counts.Counts`.
    """

    region: Region
    codes: NDArray[np.int8]
    depth: float
    insertions: int = 0
    differences: int | None = None
    left_out: int = 0
    unrated: int = 0

    @property
    def unknown(self) -> int:
        """Positions that could not be called."""
        return int((self.codes == encoding.UNKNOWN).sum())

    @property
    def deletions(self) -> int:
        """Positions called as deleted."""
        return int((self.codes == encoding.GAP).sum())


def call_region(
    alignment: pysam.AlignmentFile,
    region: Region,
    rules: Rules,
    reference: NDArray[np.int8] | None = None,
) -> Called:
    """Call one region of one sample.

    Parameters
    ----------
    alignment
        An open BAM or CRAM file with its index.
    region
        Where, with the contig's name in this file.
    rules
        When a position is called.
    reference
        ``(positions,)`` int8 of the forward strand, or None.

    Raises
    ------
    DataError
        The file cannot be read on.
    """
    counts = count_region(
        alignment,
        region.contig,
        region.start,
        region.stop,
        base_quality=rules.base_quality,
        mapping_quality=rules.mapping_quality,
    )
    depth = counts.depth
    states = counts.cells[:, : DELETED + 1]
    enough = depth >= rules.min_depth
    wanted = rules.min_share * depth - 1e-9  # 3 of 4 is 0.75, whatever floats make of it
    agreed = states.max(axis=1) >= wanted
    codes = np.where(enough & agreed, states.argmax(axis=1), encoding.UNKNOWN).astype(np.int8)
    inserted = enough & (counts.insertions > 0) & (counts.insertions >= wanted)
    differences = None
    if reference is not None:
        known = (codes != encoding.UNKNOWN) & (reference != encoding.UNKNOWN)
        differences = int((known & (codes != reference)).sum())
    return Called(
        region=region,
        codes=encoding.reverse_complement(codes) if region.strand == "-" else codes,
        depth=float(depth.mean()),
        insertions=int(inserted.sum()),
        differences=differences,
        left_out=counts.left_out,
        unrated=counts.unrated,
    )
