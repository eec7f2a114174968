"""Small BAM files made on the spot, and a slow pileup that is easy to believe."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pysam


@dataclass(frozen=True)
class Read:
    """A read: 0-based start, CIGAR, bases, and what is said about them."""

    start: int
    cigar: str
    bases: str
    qualities: tuple[int, ...] | None = None
    mapping: int = 60
    flag: int = 0
    contig: int = 0


def plain(start: int, bases: str, many: int = 1, **more: int) -> list[Read]:
    """The same read without gaps, several times."""
    return [Read(start, f"{len(bases)}M", bases, (40,) * len(bases), **more)] * many


def write_bam(
    path: Path,
    reads: Sequence[Read],
    contigs: Sequence[tuple[str, int]] = (("chr1", 100),),
    *,
    index: bool = True,
    reference: Path | None = None,
) -> Path:
    """Write a sorted BAM (or CRAM, by its suffix) and its index."""
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": name, "LN": length} for name, length in contigs],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = "wc" if path.suffix == ".cram" else "wb"
    more = {"reference_filename": str(reference)} if reference else {}
    with pysam.AlignmentFile(str(path), mode, header=header, **more) as stream:
        ordered = sorted(reads, key=lambda read: (read.contig, read.start))
        for number, read in enumerate(ordered):
            record = pysam.AlignedSegment(stream.header)
            record.query_name = f"r{number}"
            record.flag = read.flag
            record.reference_id = read.contig
            record.reference_start = read.start
            record.mapping_quality = read.mapping
            record.cigarstring = read.cigar
            record.query_sequence = read.bases
            if read.qualities is not None:
                record.query_qualities = pysam.qualitystring_to_array(
                    "".join(chr(33 + quality) for quality in read.qualities)
                )
            stream.write(record)
    if index:
        pysam.index(str(path))
    return path


def random_reads(seed: int, many: int, genome: str) -> list[Read]:
    """Reads of a genome with errors, insertions, deletions, skips, clips, flags, low qualities."""
    rng = np.random.default_rng(seed)
    reads = []
    for _ in range(many):
        start = int(rng.integers(0, len(genome) - 45))
        here, bases, cigar = start, "", ""
        if rng.random() < 0.3:
            cigar, bases = "3S", "ACG"
        if rng.random() < 0.1:
            cigar = f"2H{cigar}"
        for part in range(3):
            length = int(rng.integers(3, 10))
            cigar += f"{length}{rng.choice(['M', '=', 'X'])}"
            bases += genome[here : here + length]
            here += length
            if part < 2:
                kind = str(rng.choice(list("IDDN")))
                length = int(rng.integers(1, 4))
                cigar += f"{length}{kind}"
                if kind == "I":
                    bases += "T" * length
                else:
                    here += length
        letters = [
            str(rng.choice(list("ACGTN"))) if rng.random() < 0.1 else letter for letter in bases
        ]
        qualities = tuple(int(q) for q in rng.integers(2, 41, len(letters)))
        flag = int(
            rng.choice([0, 16, 0x100, 0x200, 0x400, 0x800], p=[0.4, 0.4, 0.05, 0.05, 0.05, 0.05])
        )
        mapping = int(rng.choice([0, 10, 20, 60], p=[0.1, 0.1, 0.2, 0.6]))
        known = None if rng.random() < 0.05 else qualities
        reads.append(Read(start, cigar, "".join(letters), known, mapping, flag))
    return reads


def slow_consensus(
    path: Path,
    contig: str,
    start: int,
    stop: int,
    *,
    depth: int,
    share: float,
    base: int,
    mapping: int,
) -> tuple[str, int]:
    """Consensus base by base with ``*`` for deleted, and the places of called insertions."""
    seen: dict[int, Counter[str]] = {place: Counter() for place in range(start, stop)}
    inserted: Counter[int] = Counter()
    with pysam.AlignmentFile(str(path)) as stream:
        for read in stream.fetch(until_eof=True):
            if read.reference_name != contig or read.mapping_quality < mapping:
                continue
            if read.is_unmapped or read.is_secondary or read.is_qcfail or read.is_duplicate:
                continue
            here, place = read.reference_start, 0
            for number, kind in re.findall(r"(\d+)([MIDNSHP=X])", read.cigarstring or ""):
                for _ in range(int(number)):
                    if kind in "M=X":
                        quality = read.query_qualities
                        letter = read.query_sequence[place]
                        enough = quality is None or quality[place] >= base
                        if here in seen and enough and letter in "ACGT":
                            seen[here][letter] += 1
                    elif kind == "D" and here in seen:
                        seen[here]["*"] += 1
                    here += kind in "M=XDN"
                    place += kind in "M=XIS"
                if kind == "I":
                    inserted[here - 1] += 1
    text, insertions = "", 0
    for place, counts in seen.items():
        total = sum(counts.values())
        letter, many = counts.most_common(1)[0] if counts else ("N", 0)
        text += letter if total >= depth and many / total >= share else "N"
        insertions += total >= depth and inserted[place] / total >= share
    return text, insertions
