"""Regions of the H37Rv genome that matter for drug resistance, and their reference sequence.

The reference comes from the catalogue's ``tb_loci``: gapped FASTA, one file a locus, whose gaps
are dropped here. Intervals in ``target_loci.csv``, read as half-open and 0-based, start one base
left of the FASTA sequences. Positions here are 0-based and half-open on the forward strand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.fasta import read_fasta
from geno_hpo.data.tables import find_columns, open_table
from geno_hpo.errors import DataError, InputError

__all__ = ["Stretch", "drug_regions", "known_regions", "region_stretches", "stretch_reference"]

_OF_DRUG: dict[str, tuple[str, ...]] = {
    "rif": ("rpoBC",),
    "inh": ("katG", "fabG1-inhA", "oxyR-ahpC"),
    "pza": ("pncA", "rpsA"),
    "emb": ("embCAB",),
    "str": ("rpsL", "rrs-rrl", "gid"),
    "cip": ("gyrBA",),
    "cap": ("rrs-rrl", "tlyA"),
    "amk": ("rrs-rrl",),
    "moxi": ("gyrBA",),
    "oflx": ("gyrBA",),
    "kan": ("rrs-rrl", "eis"),
}


@dataclass(frozen=True)
class Stretch:
    """A part of a region that is read on one strand and named after one gene.

    Parameters
    ----------
    gene
        Name for the columns.
    region
        Locus whose FASTA file holds the reference.
    start, stop
        0-based half-open window on the genome.
    strand
        Strand it is read on.
    first
        0-based genome position of the gene's first base in reading direction; −1 when columns
        are named by genome position only.
    length
        Bases of the gene, stop codon included.
    """

    gene: str
    region: str
    start: int
    stop: int
    strand: Literal["+", "-"]
    first: int = -1
    length: int = 0

    def offset(self, position: int) -> int:
        """Place of a genome position in the gene: 0 its first base, negative upstream."""
        return position - self.first if self.strand == "+" else self.first - position


# Windows (1-based, inclusive, as the literature gives them, turned into half-open ones): katG
# with its upstream; the mabA promoter, fabG1 and inhA; the intergenic region before ahpC.
_WINDOWS: dict[str, tuple[Stretch, ...]] = {
    "katG": (Stretch("katG", "katG", 2153888, 2156148, "-", 2156110, 2223),),
    "fabG1-inhA": (
        Stretch("fabG1", "fabG1-inhA", 1673299, 1674183, "+", 1673439, 744),
        Stretch("inhA", "fabG1-inhA", 1674183, 1675011, "+", 1674201, 810),
    ),
    "oxyR-ahpC": (Stretch("ahpC", "oxyR-ahpC", 2726087, 2726192, "+", 2726192, 588),),
}

# Strand of the loci that are taken whole.
_STRANDS: dict[str, Literal["+", "-"]] = {
    "acpM-kasA": "+",
    "eis": "-",
    "embCAB": "+",
    "ethAR": "-",
    "gid": "-",
    "gyrBA": "+",
    "pncA": "-",
    "rpoBC": "+",
    "rpsA": "+",
    "rpsL": "+",
    "rrs-rrl": "+",
    "tlyA": "+",
    "aftB-ubiA": "-",
    "clpC": "-",
    "panD": "-",
}
_WITHOUT_VARIANTS = frozenset({"aftB-ubiA", "clpC", "panD"})
"""Loci in which tb_wdnn names no variant."""


def known_regions() -> tuple[str, ...]:
    """Names that `region_stretches` takes, those for isoniazid first."""
    return (*_WINDOWS, *_STRANDS)


def drug_regions(drugs: Sequence[str]) -> tuple[str, ...]:
    """Regions that matter for resistance to any of these drugs, in the order of `known_regions`.

    One drug gives the loci that carry nearly all of its known resistance; several give every
    locus in which tb_wdnn has variants, because resistances to several drugs go together. An
    unknown drug has none.

    References
    ----------
    Green AG et al. (2022). A convolutional neural network highlights mutations relevant to
    antimicrobial resistance in Mycobacterium tuberculosis. Nature Communications 13: 3817.
    """
    if len(drugs) == 1:
        return _OF_DRUG.get(drugs[0], ())
    return tuple(name for name in known_regions() if name not in _WITHOUT_VARIANTS)


def region_stretches(names: Sequence[str], intervals: Path) -> tuple[Stretch, ...]:
    """Turn regions into stretches, in the order given.

    Parameters
    ----------
    names
        Regions.
    intervals
        ``target_loci.csv``.

    Raises
    ------
    InputError
        An unknown region, or one given twice.
    """
    stretches: list[Stretch] = []
    for place, name in enumerate(names):
        if name in names[:place]:
            raise InputError(f"locus {name!r} is given twice")
        if name in _WINDOWS:
            stretches.extend(_WINDOWS[name])
        elif name in _STRANDS:
            start, stop = _interval(name, intervals)
            stretches.append(Stretch(name, name, start, stop, _STRANDS[name]))
        else:
            near = get_close_matches(name, known_regions(), n=3, cutoff=0.4)
            listed = [*near, *(known for known in known_regions() if known not in near)]
            raise InputError(f"there is no locus {name!r}; there are: {', '.join(listed)}")
    return tuple(stretches)


def _interval(name: str, intervals: Path) -> tuple[int, int]:
    """Genome interval of a locus's FASTA sequence."""
    with open_table(intervals, "loci") as table:
        key, start, stop = find_columns(table, ["locus", "start", "end"], "interval")
        for line, cells in table.rows:
            if cells[key] == name:
                try:
                    return int(cells[start]) + 1, int(cells[stop]) + 1
                except ValueError:
                    raise DataError(
                        f"an interval is two whole numbers ({intervals}:{line})"
                    ) from None
    raise DataError(f"locus {name!r} is not in {intervals}")


def stretch_reference(stretch: Stretch, folder: Path) -> NDArray[np.int8]:
    """Forward-strand reference of a stretch, ``(stop - start,)`` codes.

    Parameters
    ----------
    stretch
        Which.
    folder
        Holds ``target_loci.csv`` and ``<region>.fasta``.

    Raises
    ------
    DataError
        The FASTA sequence does not have its interval's length, or does not cover the stretch.
    """
    path = folder / f"{stretch.region}.fasta"
    text = next(iter(read_fasta(path).values())).replace("-", "")
    start, stop = _interval(stretch.region, folder / "target_loci.csv")
    if len(text) != stop - start:
        raise DataError(
            f"{path} has {len(text)} bases, its interval {start + 1}-{stop} has {stop - start}"
        )
    if not start <= stretch.start < stretch.stop <= stop:
        raise DataError(
            f"{stretch.gene} ({stretch.start + 1}-{stretch.stop}) lies outside {path} "
            f"({start + 1}-{stop})"
        )
    return encoding.encode(text)[stretch.start - start : stretch.stop - start]
