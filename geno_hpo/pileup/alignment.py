"""Open a BAM or CRAM file and its reference; place regions on its contigs; refuse what is stale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.fasta import read_fasta
from geno_hpo.data.regions import Region
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError

__all__ = ["Reference", "open_alignment", "place_regions"]

_WHOLE = 300_000_000  # bytes of a FASTA file that is read at once when it has no index
_SUFFIXES = (".bai", ".csi", ".crai")
# Names of one and the same sequence in different collections.
_SAME = (
    frozenset({"NC_000962.3", "NC_000962", "Chromosome", "AL123456.3", "H37Rv", "MTB_H37Rv"}),
    frozenset({"MT", "chrM", "chrMT", "M"}),
)


class Reference:
    """Letters of a reference FASTA file by contig.

    Parameters
    ----------
    path
        FASTA. With an index (``.fai``) only what is asked for is read.

    Raises
    ------
    DataError
        No such file, no FASTA, or a large one without an index.
    """

    def __init__(self, path: Path) -> None:
        require_file(path, "reference")
        self.path = path
        self._texts: dict[str, str] = {}
        self._file: pysam.FastaFile | None = None
        if Path(f"{path}.fai").is_file():
            try:
                self._file = pysam.FastaFile(str(path))
            except (OSError, ValueError) as error:
                raise DataError(f"reference {path} cannot be read: {error}") from error
            self.lengths = dict(zip(self._file.references, self._file.lengths, strict=True))
            return
        if path.stat().st_size > _WHOLE:
            raise DataError(f"reference {path} has no index: make it with `samtools faidx {path}`")
        self._texts = read_fasta(path)
        self.lengths = {name: len(text) for name, text in self._texts.items()}

    def letters(self, contig: str, start: int, stop: int) -> str:
        """Forward-strand letters of a 0-based half-open interval.

        An empty contig means the only one.

        Raises
        ------
        DataError
            No such contig, or an interval beyond its end.
        """
        contig = _one_contig(contig, self.lengths, f"reference {self.path}")
        if stop > self.lengths[contig] or start < 0:
            raise DataError(
                f"{contig}:{start + 1}-{stop} lies outside reference {self.path}, whose {contig} "
                f"has {self.lengths[contig]} bases"
            )
        if self._file is not None:
            return str(self._file.fetch(contig, start, stop))
        return self._texts[contig][start:stop]

    def codes(self, region: Region) -> NDArray[np.int8]:
        """Forward-strand codes of a region, ``(positions,)`` int8."""
        return encoding.encode(
            self.letters(region.contig, region.start, region.stop), ambiguous=True
        )


@contextmanager
def open_alignment(path: Path, reference: Path | None = None) -> Iterator[pysam.AlignmentFile]:
    """Open a sorted, indexed BAM or CRAM file.

    Parameters
    ----------
    path
        The file; its index lies beside it.
    reference
        FASTA; CRAM cannot be read without it.

    Raises
    ------
    DataError
        No such file, no BAM or CRAM, cut off, no index or one older than the file, a CRAM
        without a reference.
    """
    require_file(path, "alignment")
    with path.open("rb") as stream:
        head = stream.read(4)
    if head != b"CRAM" and head[:2] != b"\x1f\x8b":
        kind = "SAM text" if head[:1] == b"@" else "neither BAM nor CRAM"
        raise DataError(
            f"alignment {path} is {kind}: make a sorted BAM with `samtools sort -o OUT.bam {path}`"
        )
    if head == b"CRAM" and reference is None:
        raise DataError(f"CRAM file {path} can be read with its reference only: give the FASTA")
    verbosity = pysam.set_verbosity(0)
    try:
        index = _fresh_index(path)
        try:
            alignment = pysam.AlignmentFile(
                str(path),
                index_filename=str(index),
                reference_filename=str(reference) if reference else None,
            )
        except (OSError, ValueError) as error:
            raise DataError(
                f"alignment {path} or its index {index.name} cannot be read: {error}"
            ) from error
        try:
            yield alignment
        finally:
            with suppress(OSError):  # closing repeats a fault that reading has told
                alignment.close()
    finally:
        pysam.set_verbosity(verbosity)


def _fresh_index(path: Path) -> Path:
    places = [
        place
        for suffix in _SUFFIXES
        for place in (Path(f"{path}{suffix}"), path.with_suffix(suffix))
        if place.is_file()
    ]
    if not places:
        raise DataError(f"alignment {path} has no index: make it with `samtools index {path}`")
    index = places[0]
    if index.stat().st_mtime < path.stat().st_mtime:
        raise DataError(
            f"index {index} is older than {path}: make it again with `samtools index {path}` "
            f"(or, if the files were only copied, `touch {index}`)"
        )
    if index.stat().st_size == 0:
        raise DataError(f"index {index} is empty: make it again with `samtools index {path}`")
    return index


def place_regions(
    regions: Sequence[Region], alignment: pysam.AlignmentFile, path: Path
) -> tuple[Region, ...]:
    """Give every region the name of its contig in this file.

    Raises
    ------
    DataError
        A contig that the file does not have (with the likely name), a region beyond its
        contig's end, a list without contigs for a file with several.
    """
    lengths = dict(zip(alignment.references, alignment.lengths, strict=True))
    placed = []
    for region in regions:
        contig = _one_contig(region.contig, lengths, f"alignment {path}")
        if region.stop > lengths[contig]:
            raise DataError(
                f"region {region.name!r} ({contig}:{region.start + 1}-{region.stop}) lies outside "
                f"alignment {path}, whose {contig} has {lengths[contig]} bases"
            )
        placed.append(replace(region, contig=contig))
    return tuple(placed)


def _one_contig(contig: str, lengths: dict[str, int], where: str) -> str:
    if contig in lengths:
        return contig
    listed = ", ".join(list(lengths)[:5]) + (" …" if len(lengths) > 5 else "")
    if not contig:
        if len(lengths) == 1:
            return next(iter(lengths))
        raise DataError(
            f"the regions name no contig and {where} has {len(lengths)} ({listed}): "
            "add a column `contig`"
        )
    likely = [name for name in lengths if _alike(contig, name)]
    likely = likely or get_close_matches(contig, list(lengths), n=1)
    hint = f"; is it {likely[0]!r} there? Name it so in the regions" if likely else ""
    raise DataError(f"contig {contig!r} is not in {where} (it has {listed}){hint}")


def _alike(one: str, other: str) -> bool:
    if one.removeprefix("chr") == other.removeprefix("chr"):
        return True
    return one.partition(".")[0] == other.partition(".")[0] or any(
        one in names and other in names for names in _SAME
    )
