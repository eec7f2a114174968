"""The consensus rules, against a slow pileup and against samtools."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from geno_hpo import encoding
from geno_hpo.data.regions import Region, read_regions
from geno_hpo.errors import InputError
from geno_hpo.pileup import (
    Reference,
    Rules,
    call_region,
    count_region,
    counts,
    open_alignment,
    place_regions,
)
from geno_hpo.pileup.consensus import Called
from tests.pileup.cases import Read, plain, random_reads, slow_consensus, write_bam

GENOME = "".join(np.random.default_rng(3).choice(list("ACGT"), 400))
MIRROR = os.environ.get("GENO_HPO_DATA_MIRROR", "")
needs_mirror = pytest.mark.skipif(not MIRROR, reason="GENO_HPO_DATA_MIRROR names no folder")
needs_samtools = pytest.mark.skipif(
    not shutil.which("samtools"), reason="samtools is not installed"
)
REAL = [
    pytest.param("bam_samtools/mpileup.1.bam", "17", 0, 4200, id="human"),
    pytest.param("tb_reads/tbprofiler_test.bam", "NC_000962.3", 759608, 767319, id="rpoBC"),
    pytest.param("tb_reads/tbprofiler_test.bam", "NC_000962.3", 4239662, 4249809, id="embCAB"),
]


def called(path: Path, region: Region, rules: Rules) -> Called:
    with open_alignment(path) as alignment:
        return call_region(alignment, region, rules)


def text(found: Called) -> str:
    return encoding.decode(found.codes).replace("-", "*")


@pytest.mark.parametrize(
    ("reads", "rules", "expected"),
    [
        pytest.param(plain(10, "ACGT", 5), Rules(), "ACGT", id="all agree"),
        pytest.param(plain(10, "ACGT", 4), Rules(), "NNNN", id="too few"),
        pytest.param(plain(10, "ACGT", 1), Rules(min_depth=1), "ACGT", id="one is enough"),
        pytest.param(
            plain(10, "ACGT", 3) + plain(10, "ACGA", 1), Rules(4, 0.75), "ACGT", id="just enough"
        ),
        pytest.param(
            plain(10, "ACGT", 3) + plain(10, "ACGA", 1), Rules(4, 0.76), "ACGN", id="not enough"
        ),
        pytest.param(
            plain(10, "ACGT", 2) + plain(10, "ACGA", 2), Rules(4, 0.51), "ACGN", id="a tie"
        ),
        pytest.param(plain(10, "ACNT", 5), Rules(), "ACNT", id="N in reads"),
        pytest.param(
            plain(10, "ACGT", 9, mapping=19) + plain(10, "TTTT", 5), Rules(), "TTTT", id="mapping"
        ),
        pytest.param(
            [Read(10, "4M", "ACGT", (40, 12, 13, 40))] * 5, Rules(), "ANGT", id="base quality"
        ),
        pytest.param([Read(10, "4M", "ACGT")] * 5, Rules(), "ACGT", id="no qualities"),
        pytest.param([Read(10, "1M2D1M", "AT", (40, 40))] * 5, Rules(), "A**T", id="deleted"),
        pytest.param(
            [Read(10, "1M2N1M", "AT", (40, 40))] * 5, Rules(), "ANNT", id="skipped is not deleted"
        ),
        pytest.param(
            [Read(10, "2S2M1I2M", "GGACTGT", (40,) * 7)] * 5, Rules(), "ACGT", id="clip, insertion"
        ),
        *(
            pytest.param(plain(10, "ACGT", 9, flag=flag), Rules(), "NNNN", id=f"flag {flag}")
            for flag in (0x100, 0x200, 0x400)
        ),
        pytest.param(plain(10, "ACGT", 5, flag=0x800), Rules(), "ACGT", id="supplementary counts"),
        pytest.param(plain(8, "GGACGTGG", 5), Rules(), "ACGT", id="beyond both ends"),
        pytest.param([], Rules(), "NNNN", id="no read"),
    ],
)
def test_the_rules(tmp_path: Path, reads: list[Read], rules: Rules, expected: str) -> None:
    path = write_bam(tmp_path / "x.bam", reads)
    assert text(called(path, Region("g", "chr1", 10, 14), rules)) == expected


def test_what_is_counted(tmp_path: Path) -> None:
    reads = [
        *[Read(10, "2M2I2M", "ACTTGT", (40,) * 6)] * 4,
        *plain(10, "ACGT", 1),
        *plain(10, "ACGT", 3, mapping=0),
        Read(12, "4M", "GTAA"),
    ]
    path = write_bam(tmp_path / "x.bam", reads)
    found = called(path, Region("g", "chr1", 10, 16), Rules(2, 0.6))
    assert (found.insertions, found.left_out, found.unrated) == (1, 3, 1)
    assert found.unknown == 2
    assert found.depth == pytest.approx((5 + 5 + 6 + 6 + 1 + 1) / 6)


def test_the_reverse_strand_is_read_5_to_3(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "x.bam", plain(10, "AACG", 5))
    found = called(path, Region("g", "chr1", 10, 15, "-"), Rules())
    assert text(found) == "NCGTT"
    assert list(found.region.positions()) == [14, 13, 12, 11, 10]


def test_differences_from_the_reference(tmp_path: Path) -> None:
    path = write_bam(tmp_path / "x.bam", [Read(2, "2M1D3M", "GTCCC", (40,) * 5)] * 5)
    fasta = tmp_path / "r.fa"
    fasta.write_text(">chr1\nACGTACGT" + "N" * 92 + "\n")
    reference = Reference(fasta)
    with open_alignment(path) as alignment:
        region = Region("g", "chr1", 0, 9, "-")
        found = call_region(alignment, region, Rules(), reference.codes(region))
    assert text(found) == "NGGG*ACNN"
    assert (found.differences, found.deletions) == (3, 1)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("rules", [Rules(), Rules(1, 0.6, 0, 0), Rules(10, 0.9, 25, 20)])
def test_agrees_with_a_slow_pileup(tmp_path: Path, seed: int, rules: Rules) -> None:
    path = write_bam(
        tmp_path / "x.bam", random_reads(seed, 300, GENOME), [("chr1", len(GENOME)), ("chr2", 50)]
    )
    for start, stop in ((0, 400), (57, 58), (100, 237)):
        found = called(path, Region("g", "chr1", start, stop), rules)
        slow = slow_consensus(
            path,
            "chr1",
            start,
            stop,
            depth=rules.min_depth,
            share=rules.min_share,
            base=rules.base_quality,
            mapping=rules.mapping_quality,
        )
        assert (text(found), found.insertions) == slow


def test_reads_are_counted_in_any_number_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_bam(tmp_path / "x.bam", random_reads(1, 300, GENOME), [("chr1", len(GENOME))])
    with open_alignment(path) as alignment:
        one = count_region(alignment, "chr1", 0, 400, base_quality=13, mapping_quality=0)
        monkeypatch.setattr(counts, "_ENOUGH", 50)
        other = count_region(alignment, "chr1", 0, 400, base_quality=13, mapping_quality=0)
    np.testing.assert_array_equal(one.cells, other.cells)
    np.testing.assert_array_equal(one.insertions, other.insertions)
    assert one.reads == other.reads > 100


@needs_mirror
@pytest.mark.parametrize(("file", "contig", "start", "stop"), REAL)
def test_agrees_with_a_slow_pileup_on_real_reads(
    file: str, contig: str, start: int, stop: int
) -> None:
    path = Path(MIRROR, file)
    found = called(path, Region("g", contig, start, stop), Rules())
    slow, insertions = slow_consensus(
        path, contig, start, stop, depth=5, share=0.75, base=13, mapping=20
    )
    assert text(found) == slow
    assert found.insertions == insertions
    assert found.unknown < found.region.length


@needs_mirror
@needs_samtools
@pytest.mark.parametrize("mapping", [0, 20])
@pytest.mark.parametrize(("file", "contig", "start", "stop"), REAL)
def test_agrees_with_samtools_consensus(
    file: str, contig: str, start: int, stop: int, mapping: int
) -> None:
    path = Path(MIRROR, file)
    command = [
        *("samtools", "consensus", "-m", "simple", "-c", "0.75", "-d", "1", "-a"),
        *("--show-del", "yes", "--show-ins", "no", "--min-MQ", str(mapping)),
        *("-r", f"{contig}:{start + 1}-{stop}", str(path)),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    theirs = "".join(ended.stdout.splitlines()[1:])
    assert len(theirs) == stop - start
    with open_alignment(path) as alignment:
        counted = count_region(
            alignment, contig, start, stop, base_quality=0, mapping_quality=mapping
        )
    ours = text(called(path, Region("g", contig, start, stop), Rules(1, 0.75, 0, mapping)))
    deep = counted.depth >= 5
    assert deep.sum() > 1000
    different = [i for i in np.flatnonzero(deep) if ours[i] != theirs[i]]
    assert different == []


@needs_mirror
def test_reads_of_the_tb_panel_agree_with_h37rv() -> None:
    path = Path(MIRROR, "tb_reads", "tbprofiler_test.bam")
    reference = Reference(Path(MIRROR, "tb_reference", "H37Rv.fa"))
    regions = read_regions(Path(MIRROR, "tb_loci", "target_loci.csv"), coordinates=0)
    with open_alignment(path) as alignment:
        found = [
            call_region(alignment, region, Rules(), reference.codes(region))
            for region in place_regions(regions, alignment, path)
        ]
    assert len(found) == 18
    known = sum(len(each.codes) - each.unknown for each in found)
    assert known > 10_000
    assert sum(each.differences or 0 for each in found) < 10


@pytest.mark.parametrize(
    ("values", "match"),
    [
        ({"min_depth": 0}, "min depth must be at least 1, got 0"),
        ({"min_share": 0.5}, r"min share must lie in \(0.5, 1\], got 0.5"),
        ({"min_share": 1.01}, "got 1.01"),
        ({"min_share": float("nan")}, "got nan"),
        ({"base_quality": -1}, r"base quality must lie in \[0, 255\], got -1"),
        ({"mapping_quality": 256}, "mapping quality .* got 256"),
    ],
)
def test_rules_that_cannot_be(values: dict[str, float], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Rules(**values)  # type: ignore[arg-type]
