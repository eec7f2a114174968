"""Seconds to turn a BAM file into the sequences of a panel of regions, against other ways.

The file is made on the spot: 18 regions of a 4.4 Mb contig under reads of 150 bases. Where
``GENO_HPO_DATA_MIRROR`` names a folder with them, real reads over the TB panel are measured too.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pysam

from benchmarks.machine import ROOT
from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.data.regions import Region, read_regions
from geno_hpo.pileup import Rules, call_region, open_alignment, place_regions

__all__ = ["run"]

GENOME, REGIONS, LENGTH, READ = 4_400_000, 18, 3150, 150
DEPTHS: dict[Size, tuple[int, ...]] = {"full": (20, 100, 500), "quick": (20, 100), "smallest": (5,)}
WANTED = 3.0
"""Seconds the command may take over the TB panel."""


def run(size: Size) -> Outcome:
    """Measure every depth, and the real panel where it is at hand."""
    rows = []
    with TemporaryDirectory() as name:
        folder = Path(name)
        listed = folder / "regions.csv"
        starts = [(place + 1) * GENOME // (REGIONS + 1) for place in range(REGIONS)]
        lines = [f"r{place},{start},{start + LENGTH}" for place, start in enumerate(starts)]
        listed.write_text("locus,start0,end\n" + "\n".join(lines) + "\n")
        for depth in DEPTHS[size]:
            path = _reads(folder / f"x{depth}.bam", starts, depth)
            rows.append(_row(f"made, depth {depth}", path, listed, ()))
        mirror = Path(os.environ.get("GENO_HPO_DATA_MIRROR", folder))
        real = mirror / "tb_reads" / "tbprofiler_test.bam"
        if real.is_file():
            panel = mirror / "tb_loci" / "target_loci.csv"
            rows.append(_row("TB panel, real reads", real, panel, ("--coordinates", "0")))
    heads = (
        *("file", "reads", "command, wall s", "command, CPU s"),
        *("call_region CPU s", "count_coverage CPU s", "pysam pileup CPU s"),
    )
    note = (
        f"command: `geno-hpo encode` as a process, start to end; wanted over the TB panel: at most "
        f"{WANTED:g} s. count_coverage counts bases only, no deletions, insertions or mapping "
        "quality; pileup walks every position and only gathers its letters, uncounted."
    )
    return Outcome((Table("Encoding 18 regions", heads, rows),), (note,), {"depths": DEPTHS[size]})


def _reads(path: Path, starts: Sequence[int], depth: int) -> Path:
    rng = np.random.default_rng(1)
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}, "SQ": [{"SN": "c", "LN": GENOME}]}
    letters = np.array(list("ACGT"))
    with pysam.AlignmentFile(str(path), "wb", header=header) as stream:
        for start in starts:
            text = "".join(letters[rng.integers(0, 4, LENGTH + READ)])
            for at in np.sort(rng.integers(0, LENGTH, depth * LENGTH // READ)):
                read = pysam.AlignedSegment(stream.header)
                read.query_name = "r"
                read.reference_id = 0
                read.reference_start = start + int(at)
                read.mapping_quality = 60
                read.cigarstring = "60M2D88M2S" if at % 7 == 0 else f"{READ}M"
                read.query_sequence = text[at : at + READ]
                read.query_qualities = pysam.qualitystring_to_array("I" * READ)
                stream.write(read)
    pysam.index(str(path))
    return path


def _row(
    what: str, path: Path, listed: Path, options: Sequence[str]
) -> tuple[str | int | float, ...]:
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "geno_hpo", "encode", str(path), "--regions", str(listed)]
        began, used = time.perf_counter(), _children()
        subprocess.run(
            [*command, "-o", f"{folder}/x.csv", *options], cwd=ROOT, check=True, capture_output=True
        )
        whole = (time.perf_counter() - began, _children() - used)
    base = int(options[1]) if options else None
    with open_alignment(path) as alignment:
        regions = place_regions(
            read_regions(listed, coordinates=base),  # type: ignore[arg-type]
            alignment,
            path,
        )
        rules = Rules()

        def ours(region: Region) -> None:
            call_region(alignment, region, rules)

        def coverage(region: Region) -> None:
            alignment.count_coverage(
                region.contig, region.start, region.stop, quality_threshold=rules.base_quality
            )

        def pileup(region: Region) -> None:
            columns = alignment.pileup(
                region.contig, region.start, region.stop, truncate=True, max_depth=1_000_000
            )
            for column in columns:
                column.get_query_sequences()

        times = [_seconds(each, regions) for each in (ours, coverage, pileup)]
        reads = alignment.mapped
    return (what, reads, *(round(value, 3) for value in (*whole, *times)))


def _seconds(work: Callable[[Region], None], regions: Sequence[Region]) -> float:
    began = time.process_time()
    for region in regions:
        work(region)
    return time.process_time() - began


def _children() -> float:
    """Processor seconds of the processes that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
