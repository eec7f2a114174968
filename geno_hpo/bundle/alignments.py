"""Aligned reads (BAM, CRAM) → codes ``(samples, width)``: the consensus at the bundle's loci.

Where the study knew the places of its loci on the genome, the regions are those. Else a list of
regions must be given, of the loci's names and lengths.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.bundle.columns import Columns, find_columns, genome_of
from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.samples import Batch, Samples
from geno_hpo.data.regions import Region, read_regions
from geno_hpo.errors import BundleError
from geno_hpo.pileup import Rules, call_region, open_alignment, place_regions

__all__ = ["open_alignments"]


def open_alignments(
    bundle: Bundle, paths: Sequence[Path], regions: Path | None, reference: Path | None
) -> Samples:
    """Each file is a sample, named after it.

    Raises
    ------
    BundleError
        The bundle does not know the places of its loci and `regions` lack one of them.
    DataError
        Any fault of an alignment or the regions.
    """
    rules = Rules()
    wanted = _listed(bundle, regions) if regions is not None else _known(bundle)
    names = [path.stem for path in paths]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise BundleError(f"two alignments are called {twice!r}: a sample is called after its file")
    columns = [
        find_columns(
            bundle,
            locus,
            region.length,
            () if regions is not None else tuple(region.positions()),
            regions or paths[0],
        )
        for locus, region in zip(bundle.manifest.stretches, wanted, strict=True)
    ]

    def batches(size: int) -> Iterator[Batch]:
        for start in range(0, len(paths), size):
            chosen = paths[start : start + size]
            rows = [_call(path, wanted, columns, rules, reference) for path in chosen]
            codes = np.stack(rows)
            codes[codes >= bundle.manifest.symbols] = encoding.UNKNOWN
            yield Batch(tuple(path.stem for path in chosen), codes)

    told = (
        f"a base is called where at least {rules.min_depth} reads show it and "
        f"{rules.min_share:.0%} agree; inserted bases have no column"
    )
    return Samples(len(paths), batches, (told,))


def _call(
    path: Path,
    regions: Sequence[Region],
    columns: Sequence[Columns],
    rules: Rules,
    reference: Path | None,
) -> NDArray[np.int8]:
    with open_alignment(path, reference) as alignment:
        parts = [
            one.place(call_region(alignment, region, rules).codes[None])[0]
            for region, one in zip(place_regions(regions, alignment, path), columns, strict=True)
        ]
    return np.concatenate(parts)


def _known(bundle: Bundle) -> tuple[Region, ...]:
    """Regions from the places that the bundle keeps."""
    regions = []
    for number, locus in enumerate(bundle.manifest.stretches, start=1):
        genome = genome_of(bundle, locus)
        places = genome[genome >= 0]
        if not len(places):
            raise BundleError(
                f"the study told no places on the genome of locus {locus.name or number!r}: name "
                "the list of regions by --regions, or encode the reads first (geno-hpo encode)"
            )
        start, stop = int(places.min()), int(places.max()) + 1
        regions.append(Region(locus.name or "locus", "", start, stop, locus.strand))
    return tuple(regions)


def _listed(bundle: Bundle, path: Path) -> tuple[Region, ...]:
    """The bundle's loci among listed regions."""
    found = {region.name: region for region in read_regions(path)}
    loci = bundle.manifest.stretches
    if len(loci) == 1 and not loci[0].name and len(found) == 1:
        return tuple(found.values())
    missing = [locus.name for locus in loci if locus.name not in found]
    if missing:
        raise BundleError(
            f"{path} must list the study's loci {', '.join(locus.name for locus in loci)}; "
            f"{len(missing)} are missing, the first is {missing[0]!r}"
        )
    return tuple(found[locus.name] for locus in loci)
