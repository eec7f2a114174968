"""FASTA → letters by id: a whole file, one file a locus, or regions of an indexed file."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from pathlib import Path

from geno_hpo.data.regions import Base, read_regions
from geno_hpo.data.tables import require_file
from geno_hpo.data.texts import Texts, refuse_archive
from geno_hpo.errors import DataError

__all__ = ["read_fasta", "read_fasta_loci", "read_fasta_regions"]

SUFFIXES = (".fasta", ".fa", ".fna", ".fas", ".aln")
_BASES = "ACGTRYSWKMBDHVN-"
_COMPLEMENT = str.maketrans(
    _BASES + _BASES.lower(), "TGCAYRSWMKVHDBN-" + "TGCAYRSWMKVHDBN-".lower()
)


def read_fasta(path: Path) -> dict[str, str]:
    """Read all sequences of a FASTA file, plain or gzipped, by id (the header's first word).

    Raises
    ------
    DataError
        No such file, an empty one, no FASTA, one that is cut off, an id given twice or missing,
        a sequence without letters.
    """
    import pysam

    require_file(path, "sequences")
    refuse_archive(path)
    found: dict[str, str] = {}
    try:
        _require_header(path)
        with pysam.FastxFile(str(path)) as stream:
            for record in stream:
                name, text = record.name, record.sequence
                if not name:
                    raise DataError(f"sequence {len(found) + 1} in {path} has no id")
                if name in found:
                    raise DataError(f"sequence id {name!r} stands twice in {path}")
                if not text:
                    raise DataError(f"sequence {name!r} in {path} has no letters")
                found[name] = text
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise DataError(f"sequences file {path} is no readable FASTA: {error}") from error
    if not found:
        raise DataError(f"sequences file {path} holds no sequence: a record starts with '>'")
    return found


def _require_header(path: Path) -> None:
    """Refuse what the parser would pass over: other text before ``>``, CR line ends, a cut end."""
    zipped = path.suffix in (".gz", ".bgz")
    with gzip.open(path) if zipped else path.open("rb") as stream:
        head = stream.read(4096)
        while zipped and stream.read(1 << 20):
            pass  # a gzip file that is cut off says so at its end only
    start = head.lstrip()
    if start.startswith(b"\xef\xbb\xbf"):
        raise DataError(
            f"sequences file {path} begins with a byte-order mark: save it as UTF-8 without BOM"
        )
    if start[:1] != b">":
        shown = start[:1].decode("ascii", "replace")
        raise DataError(
            f"sequences file {path} is no FASTA: it should begin with '>', got {shown!r}"
        )
    if b"\r" in head and b"\n" not in head:
        raise DataError(f"sequences file {path} has line ends of CR alone: save it with LF")


def read_fasta_loci(folder: Path, loci: Sequence[str]) -> Texts:
    """Read one multi-FASTA a locus, ``folder/LOCUS.fasta`` (or .fa, .fna, also .gz).

    Parameters
    ----------
    folder
        Where they lie.
    loci
        Which, in this order; empty takes all by name.

    Raises
    ------
    DataError
        No file of a locus, or two of them, or any fault of a file.
    """
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        stem = path.name.removesuffix(".gz")
        for suffix in SUFFIXES:
            if stem.endswith(suffix):
                name = stem.removesuffix(suffix)
                if name in files:
                    raise DataError(
                        f"folder {folder} has two files of locus {name!r}: "
                        f"{files[name].name} and {path.name}"
                    )
                files[name] = path
    for name in loci:
        if name not in files:
            raise DataError(
                f"folder {folder} has no FASTA file of locus {name!r}; it has: "
                + (", ".join(files) or "none")
            )
    return Texts(folder, {name: read_fasta(files[name]) for name in (loci or files)})


def read_fasta_regions(path: Path, regions: Path, coordinates: Base | None = None) -> Texts:
    """Read regions of a FASTA file with an index, plain or bgzipped; each is one sequence.

    Parameters
    ----------
    path
        FASTA with ``.fai`` (and ``.gzi`` when bgzipped) beside it.
    regions
        BED or table, see `geno_hpo.data.regions`. A region's name is the sequence's id; a
        region on ``-`` is read on the reverse strand.
    coordinates
        Coordinate base of a table.

    Raises
    ------
    DataError
        Any fault of either file, no index, an unknown contig, a region beyond its end.
    """
    import pysam

    require_file(path, "sequences")
    refuse_archive(path)
    if not Path(f"{path}.fai").is_file():
        zipped = path.suffix in (".gz", ".bgz")
        hint = " (a .gz must be made by bgzip, not by gzip)" if zipped else ""
        raise DataError(f"{path} has no index: make it with `samtools faidx {path}`{hint}")
    try:
        stream = pysam.FastaFile(str(path))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} or its index cannot be read: {error}") from error
    with stream:
        lengths = dict(zip(stream.references, stream.lengths, strict=True))

        def letters(contig: str, start: int, stop: int) -> str:
            name = contig or (next(iter(lengths)) if len(lengths) == 1 else "")
            if name not in lengths:
                listed = ", ".join(list(lengths)[:5]) + (" …" if len(lengths) > 5 else "")
                raise DataError(f"contig {name!r} is not in {path}; it has {listed} ({regions})")
            if stop > lengths[name] or start < 0:
                raise DataError(
                    f"{name}:{start + 1}-{stop} lies outside {path}, whose {name} has "
                    f"{lengths[name]} bases ({regions})"
                )
            return str(stream.fetch(name, start, stop))

        found = {}
        for region in read_regions(regions, coordinates=coordinates, bases=letters):
            text = letters(region.contig, region.start, region.stop)
            found[region.name] = text.translate(_COMPLEMENT)[::-1] if region.strand == "-" else text
    return Texts(path, {"": found})
