"""``geno-hpo encode`` in its own process: table, remarks, files, exit codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_commands import geno_hpo
from tests.pileup.cases import plain, write_bam

TABLE = """\
sample,region,bases,mean_depth,unknown,unknown_share,deleted,insertions,differences
s1,fwd,4,5.0,0,0.0,0,0,1
s1,rev,4,0.0,4,1.0,0,0,0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_bam(tmp_path / "s1.bam", plain(10, "ACGT", 5))
    write_bam(tmp_path / "s2.bam", plain(20, "ACGT", 5))
    (tmp_path / "ref.fa").write_text(">chr1\n" + "A" * 10 + "ACGA" + "A" * 86 + "\n")
    (tmp_path / "loci.csv").write_text("locus,start0,end,strand\nfwd,10,14,+\nrev,20,24,-\n")
    return tmp_path


def test_one_sample(root: Path) -> None:
    told = geno_hpo(
        "encode",
        str(root / "s1.bam"),
        *("--regions", str(root / "loci.csv"), "-o", str(root / "oh.csv")),
        *("--reference", str(root / "ref.fa"), "--table", str(root / "t.csv")),
    )
    assert told.returncode == 0, told.stderr
    lines = [line.split() for line in told.stdout.splitlines()]
    assert lines[0] == ["region", "bases", "depth", "N", "N", "%", "del", "ins", "differ"]
    assert lines[1] == ["fwd", "4", "5.0", "0", "0.0", "0", "0", "1"]
    assert lines[2] == ["rev", "4", "0.0", "4", "100.0", "0", "0", "0"]
    assert "at least 5 reads (mapping quality 20, base quality 13)" in told.stdout
    assert "1 samples × 2 regions (1 on the reverse strand), 8 positions" in told.stdout
    assert "warning: 1 of 2 regions have no called base" in told.stderr
    assert (root / "oh.csv").read_text().startswith("A,C,G,T\n1,0,0,0\n0,1,0,0\n")
    assert (root / "t.csv").read_text() == TABLE


def test_many_samples_in_one_table(root: Path) -> None:
    told = geno_hpo(
        *("encode", str(root / "s1.bam"), str(root / "s2.bam"), "--gaps"),
        *("--regions", str(root / "loci.csv"), "-o", str(root / "oh.csv")),
    )
    assert told.returncode == 0, told.stderr
    rows = (root / "oh.csv").read_text().splitlines()
    assert rows[0] == "sample,locus,position,A,C,G,T,-"
    assert rows[1] == "s1,fwd,11,1,0,0,0,0"
    assert rows[-1] == "s2,rev,21,0,0,0,1,0"
    assert len(rows) == 17


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--min-share", "0.4"], "min share must lie in (0.5, 1], got 0.4"),
        (["--coordinates", "2"], "--coordinates"),
        (["--coordinates", "1"], "says itself that it counts from 0"),
        (["--reference", "none.fa"], "reference file none.fa does not exist"),
    ],
)
def test_bad_input_ends_with_2(root: Path, options: list[str], message: str) -> None:
    told = geno_hpo(
        "encode",
        str(root / "s1.bam"),
        *("--regions", str(root / "loci.csv"), "-o", str(root / "oh.csv"), *options),
    )
    assert told.returncode == 2
    assert message in told.stderr
    assert "Traceback" not in told.stderr
    assert not (root / "oh.csv").exists()
