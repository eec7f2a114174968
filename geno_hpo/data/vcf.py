"""VCF and BCF → `Genotypes` through pysam: copies of the ALT allele.

``0/1`` and ``0|1`` are one copy, a haploid ``1`` is one copy; a call with a missing half (``0/.``)
is not called, and counted. A site with several ALT alleles gives a column for each
(``multiallelic: split``), or none (``drop``), or is refused. Regions are written as for samtools:
``chr1:1001-2000``, 1-based, both ends included; they need an index.
"""

from __future__ import annotations

import gzip
import shutil
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import Asked, Block, Genotypes, Index, Spool, distinct_names
from geno_hpo.data.selection import choose, wanted_names
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError, InputError

__all__ = ["open_vcf"]

_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")  # of BGZF files


def open_vcf(config: VariantData, asked: Asked) -> Genotypes:
    """Read the file once, or its regions, into a nameless file of dosages.

    Raises
    ------
    DataError
        No VCF, truncated, without samples or genotypes, an index that is missing or older than
        the file, an unknown contig, a call that cannot be read.
    """
    import pysam

    path = config.variants
    require_file(path, "variants")
    level = pysam.set_verbosity(0)
    try:
        with _whole(path, asked.scratch) as file, pysam.VariantFile(str(file)) as stream:
            return _read(stream, config, asked)
    except (OSError, ValueError, NotImplementedError) as error:
        raise DataError(f"variants file {path} is no readable VCF or BCF: {error}") from error
    finally:
        pysam.set_verbosity(level)


@contextmanager
def _whole(path: Path, scratch: Path | None) -> Iterator[Path]:
    """Path that pysam can open; refuse a compressed file that was cut.

    BGZF ends with an empty block, gzip with its checksum. Plain gzip is unpacked into a temporary
    file, for pysam reads BGZF only.
    """
    with path.open("rb") as stream:
        head = stream.read(18)
        packed, blocked = head[:2] == b"\x1f\x8b", head[12:14] == b"BC"
        if blocked:
            stream.seek(-min(len(_END), path.stat().st_size), 2)
            if stream.read() != _END:
                raise DataError(f"{path} is truncated: the end mark of a bgzip file is missing")
    if not packed or blocked:
        yield path
        return
    if scratch is not None:
        scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=scratch, suffix=".vcf") as copy:
        try:
            with gzip.open(path) as source:
                shutil.copyfileobj(source, copy)
        except (EOFError, OSError, zlib.error) as error:
            raise DataError(f"{path} is truncated or damaged: {error}") from error
        copy.flush()
        yield Path(copy.name)


def _read(stream: Any, config: VariantData, asked: Asked) -> Genotypes:
    path = config.variants
    ids = tuple(stream.header.samples)
    if not ids:
        raise DataError(f"{path} has no samples: a VCF with genotypes is wanted")
    wanted = wanted_names(config.samples)
    if wanted:
        rows = choose(ids, wanted, f"sample of {path}")
        ids = tuple(ids[row] for row in rows)
        stream.subset_samples(list(ids))
    spool = Spool(asked.scratch)
    names: list[str] = []
    chromosomes: list[str] = []
    pairs: list[tuple[str, str]] = []
    counts: Counter[str] = Counter()
    for number, record in enumerate(_records(stream, config), 1):
        cells = str(record).rstrip("\n").split("\t")
        if config.chromosomes and cells[0] not in config.chromosomes:
            counts["records on other chromosomes left out"] += 1
            continue
        alternatives = [] if cells[4] == "." else cells[4].split(",")
        if len(alternatives) > 1:
            _several(cells, config, counts)
            if config.multiallelic == "drop":
                continue
        elif not alternatives:
            counts["sites without an ALT allele left out"] += 1
            continue
        if len(cells) < 10 or cells[8].split(":")[0] != "GT":
            raise DataError(f"record {number} of {path} ({_place(cells)}) has no genotypes (GT)")
        calls = _calls(cells, ids, path, counts)
        for allele, letters in enumerate(alternatives, 1):
            spool.add(_dosages(calls, allele))
            names.append(_name(cells, letters, len(alternatives)))
            chromosomes.append(cells[0])
            pairs.append((letters, cells[3]))
    if not names:
        told = "; ".join(f"{value} {rule}" for rule, value in counts.items())
        raise DataError(
            f"{path} has no variant that can be used{': ' + told if told else ''}; "
            f"its contigs: {', '.join(list(stream.header.contigs)[:8])}"
        )
    distinct, several = distinct_names(names)
    if several:
        counts["variants share a name with one before them and are numbered"] += several
    return Genotypes(
        path,
        ids,
        distinct,
        _Sites(spool).blocks,
        chromosomes=tuple(chromosomes),
        notes=("counted is the ALT allele", *(f"{n} {rule}" for rule, n in counts.items())),
        alleles=tuple(pairs),
    )


def _records(stream: Any, config: VariantData) -> Iterator[Any]:
    """All records, or those of the regions, each once."""
    if not config.regions:
        while (record := next(stream, None)) is not None:
            yield record
        return
    path = config.variants
    _require_index(path)
    contigs = list(stream.header.contigs)
    seen: set[tuple[str, int, str]] = set()
    for region in config.regions:
        contig = region.rsplit(":", 1)[0]
        if contig not in contigs:
            other = contig.removeprefix("chr") if contig.startswith("chr") else f"chr{contig}"
            hint = f"; did you mean {other!r}?" if other in contigs else ""
            raise InputError(
                f"region {region!r}: {path} has no contig {contig!r}{hint} "
                f"(it has {', '.join(contigs[:8])})"
            )
        try:
            found = stream.fetch(region=region)
        except (ValueError, OSError) as error:
            raise InputError(f"region {region!r} cannot be read from {path}: {error}") from error
        for record in found:
            place = (record.chrom, record.pos, str(record.alleles))
            if place not in seen:
                seen.add(place)
                yield record


def _require_index(path: Path) -> None:
    indices = [Path(f"{path}{suffix}") for suffix in (".csi", ".tbi")]
    found = [each for each in indices if each.exists()]
    if not found:
        raise DataError(
            f"`regions` need an index of {path}: make one with `bcftools index` (a plain .vcf "
            "must be compressed with `bgzip` first)"
        )
    if found[0].stat().st_mtime < path.stat().st_mtime - 1:
        raise DataError(
            f"the index {found[0].name} is older than {path}: make it anew with `bcftools index -f`"
        )


def _place(cells: list[str]) -> str:
    return f"{cells[0]}:{cells[1]}"


def _name(cells: list[str], letters: str, alternatives: int) -> str:
    if cells[2] == ".":
        return f"{cells[0]}:{cells[1]}:{cells[3]}:{letters}"
    return cells[2] if alternatives == 1 else f"{cells[2]}:{letters}"


def _several(cells: list[str], config: VariantData, counts: Counter[str]) -> None:
    """What is done with a site of several ALT alleles."""
    if config.multiallelic == "refuse":
        raise DataError(
            f"site {_place(cells)} of {config.variants} has the ALT alleles {cells[4]}: "
            "`multiallelic: split` or `drop` says what to do"
        )
    if config.multiallelic == "split":
        counts["sites with several ALT alleles split into a column each"] += 1
    else:
        counts["sites with several ALT alleles left out"] += 1


def _calls(
    cells: list[str], ids: tuple[str, ...], path: Path, counts: Counter[str]
) -> list[tuple[int, ...] | None]:
    """Alleles of every sample's call; None where not called."""
    texts = [cell.split(":", 1)[0] for cell in cells[9:]]
    read: dict[str, tuple[int, ...] | None] = {}
    for text in set(texts):
        alleles = text.replace("|", "/").split("/")
        if "." in alleles:
            read[text] = None
            if set(alleles) != {"."}:
                counts["calls with a missing half read as not called"] += texts.count(text)
            continue
        if len(alleles) > 2 or not all(each.isdecimal() for each in alleles):
            sample = ids[texts.index(text)]
            raise DataError(
                f"a call has one or two alleles, got {text!r} at {_place(cells)} of sample "
                f"{sample!r} in {path}"
            )
        read[text] = tuple(map(int, alleles))
    return [read[text] for text in texts]


def _dosages(calls: list[tuple[int, ...] | None], allele: int) -> NDArray[np.int8]:
    copies = {call: -1 if call is None else call.count(allele) for call in set(calls)}
    return np.array([copies[call] for call in calls], dtype=np.int8)


class _Sites:
    """Dosages, a row a site, as a source of blocks."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool

    def blocks(self, rows: Index, columns: Index) -> Iterator[Block]:
        every = len(rows) == self.spool.width
        for first, codes in self.spool.read(columns):
            yield 0, first, codes.T if every else codes[:, rows].T
