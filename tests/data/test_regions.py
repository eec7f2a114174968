"""Lists of regions: both looks, the coordinate base, and what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from geno_hpo.data.catalogue import MIRROR
from geno_hpo.data.fasta import read_fasta
from geno_hpo.data.regions import Region, read_regions
from geno_hpo.errors import DataError

GENOME = "AACCGGTTACGT"
needs_mirror = pytest.mark.skipif(
    not os.environ.get(MIRROR), reason=f"{MIRROR} names no folder with the real data"
)


def bases(contig: str, start: int, stop: int) -> str:
    return GENOME[start:stop].lower()


def listed(tmp_path: Path, content: str, name: str = "r.csv", **more: Any) -> tuple[Region, ...]:
    path = tmp_path / name
    path.write_text(content)
    return read_regions(path, **more)


@pytest.mark.parametrize(
    ("content", "more", "interval"),
    [
        pytest.param("locus,start0,end\ng,2,6\n", {}, (2, 6), id="start0"),
        pytest.param("gene;chrom;chromStart;chromEnd\ng;c;2;6\n", {}, (2, 6), id="BED names"),
        pytest.param("name\tstart1\tend\ng\t3\t6\n", {}, (2, 6), id="start1"),
        pytest.param("locus,start,end\ng,2,6\n", {"coordinates": 0}, (2, 6), id="stated 0"),
        pytest.param("locus,start,end\ng,3,6\n", {"coordinates": 1}, (2, 6), id="stated 1"),
        pytest.param("locus,start,end,length\ng,2,6,4\n", {}, (2, 6), id="length 0"),
        pytest.param("locus,start,end,length\ng,3,6,4\n", {}, (2, 6), id="length 1"),
        pytest.param(
            "locus,start,end,sequence\ng,2,6,CCGG\n", {"bases": bases}, (2, 6), id="sequence 0"
        ),
        pytest.param(
            "locus,start,end,sequence\ng,3,6,cc-gg\n", {"bases": bases}, (2, 6), id="sequence 1"
        ),
        pytest.param(
            "locus,start,end,strand,sequence\ng,1,6,-,CCGGT\n",
            {"bases": bases},
            (1, 6),
            id="sequence on the other strand",
        ),
        pytest.param("locus,start,end\ng,2,6\nh,0,4\n", {}, (2, 6), id="a start of 0"),
        pytest.param("locus,start,end\ng,3,6\nh,4,4\n", {}, (2, 6), id="a single base"),
    ],
)
def test_the_coordinate_base(
    tmp_path: Path, content: str, more: dict[str, Any], interval: tuple[int, int]
) -> None:
    region = listed(tmp_path, content, **more)[0]
    assert (region.start, region.stop) == interval
    assert region.name == "g"


def test_bed(tmp_path: Path) -> None:
    content = "track x\n# y\nchr1\t2\t6\tkatG\t0\t-\nchr1 8 9\n"
    one, two = listed(tmp_path, content, "r.bed")
    assert one == Region("katG", "chr1", 2, 6, "-")
    assert two == Region("chr1:9-9", "chr1", 8, 9, "+")


@pytest.mark.parametrize(
    ("content", "more", "match"),
    [
        ("locus,start,end\ng,2,6\n", {}, r"'g' 2-6 has 4 bases from 0 .* and 5 from 1 .* state"),
        ("locus,start0,end\n", {}, "lists no region"),
        ("locus,start0\ng,2\n", {}, r"no column for the end \(end or stop.*columns: locus, start0"),
        ("start0,end\n2,6\n", {}, r"no column for the name \(locus or name"),
        ("locus,start0,end1\ng,2,6\n", {}, "counts from 0 and from 1"),
        ("locus,start0,end\ng,2,6\n", {"coordinates": 1}, "says itself that it counts from 0"),
        ("locus,start0,end\ng,two,6\n", {}, r"start is a whole number, got 'two' .*r.csv:2"),
        ("locus,start0,end,strand\ng,2,6,?\n", {}, r"strand is \+ or -, got '\?' .*r.csv:2"),
        ("locus,start0,end\ng,2,6\ng,3,6\n", {}, "'g' stands twice .* lines 2 and 3"),
        ("locus,start0,end\ng,6,6\n", {}, r"end beyond it .* got 6 to 6; .* base 0 .*r.csv:2"),
        ("locus,start1,end\ng,0,6\n", {}, r"got -1 to 6; read with coordinate base 1"),
        ("locus,start0,end\n../g,2,6\n", {}, r"a name without comma, quote, slash .* got '../g'"),
        ("locus,start0,end\n,2,6\n", {}, r"a name without .* got ''"),
        ("locus,start,end,length\ng,2,6,9\n", {}, "fit neither end - start nor end - start"),
        ("locus,start0,end,length\ng,2,6,5\n", {}, "has 4 bases .* length column says 5"),
        (
            "locus,start,end,sequence\ng,4,8,CCGG\n",
            {"bases": bases},
            "agree with the reference neither from 0 nor from 1: .* shifted",
        ),
        (
            "locus,start0,end,sequence\ng,4,8,CCGG\n",
            {"bases": bases},
            r"sequence of region 'g' is not the reference's when counted from 0 .*r.csv:2",
        ),
    ],
)
def test_lists_that_are_refused(
    tmp_path: Path, content: str, more: dict[str, Any], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        listed(tmp_path, content, **more)


def test_a_short_bed_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"contig, start and end, got 'chr1 2' .*r.bed:1"):
        listed(tmp_path, "chr1 2\n", "r.bed")


@needs_mirror
def test_the_tb_panel_is_found_to_be_shifted(tmp_path: Path) -> None:
    """Read from 0, its intervals start one base left of the published sequences."""
    mirror = Path(os.environ[MIRROR])
    genome = next(iter(read_fasta(mirror / "tb_reference" / "H37Rv.fa").values()))

    def letters(contig: str, start: int, stop: int) -> str:
        return genome[start:stop]

    rows = (mirror / "tb_loci" / "target_loci.csv").read_text().split()[1:]
    for shift in (0, 1):
        lines = []
        for row in rows:
            name, start, stop = row.split(",")
            (text,) = read_fasta(mirror / "tb_loci" / f"{name}.fasta").values()
            lines.append(f"{name},{int(start) + shift},{int(stop) + shift},{text}\n")
        content = "locus,start,end,sequence\n" + "".join(lines)
        if shift:
            assert len(listed(tmp_path, content, bases=letters)) == 18
        else:
            with pytest.raises(DataError, match=r"neither from 0 nor from 1: .* shifted"):
                listed(tmp_path, content, bases=letters)
