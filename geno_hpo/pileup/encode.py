"""From alignments and a list of regions to files of sequences: what ``geno-hpo encode`` does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from geno_hpo.data.regions import Base, Region, read_regions
from geno_hpo.errors import InputError
from geno_hpo.pileup.alignment import Reference, open_alignment, place_regions
from geno_hpo.pileup.consensus import Called, Rules, call_region
from geno_hpo.pileup.write import (
    Sample,
    write_fasta,
    write_fasta_folder,
    write_folder,
    write_table,
)

__all__ = ["HEADS", "Encoding", "encode_alignments", "save", "table_rows"]

_FASTA = (".fa", ".fasta", ".fna")
_CSV = (".csv", ".csv.gz")
HEADS = (
    "sample",
    "region",
    "bases",
    "mean_depth",
    "unknown",
    "unknown_share",
    "deleted",
    "insertions",
    "differences",
)
"""Columns of `table_rows`."""


@dataclass(frozen=True)
class Encoding:
    """What to encode, and how.

    Parameters
    ----------
    alignments
        BAM or CRAM files, at least one; each is a sample, named after its file.
    regions
        BED or table, see `geno_hpo.data.regions`.
    rules
        When a position is called.
    reference
        FASTA: needed for CRAM and for the differences.
    coordinates
        Coordinate base of a table of regions; None finds it out or refuses.

    Raises
    ------
    InputError
        No alignment, or two of the same name.
    """

    alignments: tuple[Path, ...]
    regions: Path
    rules: Rules
    reference: Path | None = None
    coordinates: Base | None = None

    def __post_init__(self) -> None:
        if not self.alignments:
            raise InputError("at least one BAM or CRAM file must be given")
        seen: dict[str, Path] = {}
        for path in self.alignments:
            if path.stem in seen:
                raise InputError(
                    f"two alignments are called {path.stem!r}: {seen[path.stem]} and {path}; a "
                    "sample is called after its file"
                )
            seen[path.stem] = path


def encode_alignments(
    work: Encoding, seen: Callable[[str, float], None] | None = None
) -> Iterator[Sample]:
    """Call all regions, one sample after another.

    Parameters
    ----------
    work
        What to encode.
    seen
        Told after each region: its sample, and the share of the sample that it is.

    Raises
    ------
    DataError
        Any fault of an alignment, its index, the reference or the regions.
    """
    reference = Reference(work.reference) if work.reference is not None else None
    regions = read_regions(
        work.regions,
        coordinates=work.coordinates,
        bases=reference.letters if reference is not None else None,
    )
    for path in work.alignments:
        with open_alignment(path, work.reference) as alignment:
            called: list[Called] = []
            placed = place_regions(regions, alignment, path)
            for region in placed:
                codes = reference.codes(region) if reference is not None else None
                called.append(call_region(alignment, region, work.rules, codes))
                if seen is not None:
                    seen(path.stem, 1 / len(placed))
            lengths = dict(zip(alignment.references, alignment.lengths, strict=True))
        yield Sample(path.stem, tuple(called), _other_lengths(path, placed, lengths, reference))


def _other_lengths(
    path: Path, regions: Sequence[Region], lengths: Mapping[str, int], reference: Reference | None
) -> tuple[str, ...]:
    """Contigs whose length is not the reference's: it may be another assembly."""
    if reference is None:
        return ()
    return tuple(
        f"{contig} has {lengths[contig]:,} bases in {path.name} and "
        f"{reference.lengths[contig]:,} in {reference.path.name}: is it the same assembly?"
        for contig in dict.fromkeys(region.contig for region in regions)
        if lengths[contig] != reference.lengths[contig]
    )


def save(
    samples: Sequence[Sample],
    output: Path,
    *,
    named: bool | None = None,
    gaps: bool = False,
    fasta: bool = False,
) -> None:
    """Write the samples in the form that the output's name asks for.

    Parameters
    ----------
    samples
        At least one.
    output
        ``.csv`` or ``.csv.gz``: one one-hot table. ``.fa``, ``.fasta``: one record a sample.
        A name without suffix: a folder, of one one-hot CSV a sample or, with `fasta`, of one
        FASTA a region.
    named
        Whether one-hot rows begin with sample, locus and position. None: only where a table
        holds several samples.
    gaps
        Whether one-hot rows have a column for deletions.

    Raises
    ------
    InputError
        A name whose form is not known.
    DataError
        A file that cannot be written.
    """
    if output.name.endswith(_CSV):
        write_table(samples, output, named=len(samples) > 1 if named is None else named, gaps=gaps)
    elif output.name.endswith(_FASTA):
        write_fasta(samples, output)
    elif output.suffix and not output.is_dir():
        raise InputError(
            f"output is a file {', '.join((*_CSV, *_FASTA))}, or a folder without suffix; "
            f"got {output}"
        )
    elif fasta:
        write_fasta_folder(samples, output)
    else:
        write_folder(samples, output, named=bool(named), gaps=gaps)


def table_rows(samples: Sequence[Sample]) -> list[tuple[str | int | float | None, ...]]:
    """Give a row for each region of each sample, in the columns of `HEADS`."""
    return [
        (
            sample.name,
            called.region.name,
            len(called.codes),
            round(called.depth, 1),
            called.unknown,
            round(called.unknown / len(called.codes), 4),
            called.deletions,
            called.insertions,
            called.differences,
        )
        for sample in samples
        for called in sample.called
    ]
