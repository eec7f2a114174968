"""The whole way: BAM → file → reader; and every alignment, index or region that is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest

from geno_hpo.config import SequenceData
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import DataError, InputError
from geno_hpo.pileup import Encoding, Reference, Rules, Sample, encode_alignments, save, table_rows
from tests.pileup.cases import Read, plain, write_bam

REGIONS = "locus,contig,start0,end,strand\nfwd,chr1,10,14,+\nrev,chr1,20,24,-\n"
READS = {
    "s1": plain(10, "ACGT", 5) + plain(20, "AACG", 5),
    "s2": [Read(10, "1M2D1M", "AT", (40, 40))] * 5 + plain(20, "TTTT", 2),
}
REFERENCE = ">chr1\n" + "A" * 10 + "ACGT" + "A" * 6 + "AACG" + "A" * 76 + "\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, reads in READS.items():
        write_bam(tmp_path / f"{name}.bam", reads)
    (tmp_path / "regions.csv").write_text(REGIONS)
    (tmp_path / "ref.fa").write_text(REFERENCE)
    (tmp_path / "y.csv").write_text("id,y\ns1,1\ns2,0\n")
    return tmp_path


def work(root: Path, *names: str, **more: Any) -> Encoding:
    paths = tuple(root / name for name in names or ("s1.bam", "s2.bam"))
    return Encoding(paths, root / "regions.csv", Rules(), **more)


def encoded(root: Path, *names: str, **more: Any) -> list[Sample]:
    return list(encode_alignments(work(root, *names, **more)))


@pytest.mark.parametrize(
    ("output", "options", "loci"),
    [
        ("oh.csv", {}, True),
        ("oh.csv.gz", {}, True),
        ("oh", {}, False),
        ("oh", {"named": True}, True),
        ("oh.fasta", {"gaps": True}, False),
        ("loci", {"gaps": True, "fasta": True}, True),
        ("oh.csv", {"gaps": True}, True),
    ],
)
def test_what_is_written_can_be_read(
    root: Path, output: str, options: dict[str, bool], loci: bool
) -> None:
    samples = encoded(root)
    save(samples, root / output, **options)  # type: ignore[arg-type]
    config = SequenceData(
        sequences=Path(output),
        labels=Path("y.csv"),
        alphabet="gapped" if options.get("gaps") else "dna",
    )
    dataset = open_dataset(config, target="y", task="binary", root=root)
    assert dataset.ids == ("s1", "s2")
    gap = 4 if options.get("gaps") else -1
    assert dataset.codes.tolist() == [
        [0, 1, 2, 3, 1, 2, 3, 3],
        [0, gap, gap, 3, -1, -1, -1, -1],
    ]
    assert ([each.name for each in dataset.loci] == ["fwd", "rev"]) == loci
    if loci and "fasta" not in options:
        assert dataset.loci[1].genome == (23, 22, 21, 20)
        assert dataset.loci[1].strand == "-"


def test_one_sample_is_bare_one_hot(root: Path) -> None:
    save(encoded(root, "s2.bam"), root / "new" / "s2.csv")
    assert (root / "new" / "s2.csv").read_text().splitlines() == [
        "A,C,G,T",
        "1,0,0,0",
        "0,0,0,0",
        "0,0,0,0",
        "0,0,0,1",
        *["0,0,0,0"] * 4,
    ]
    assert [each.name for each in (root / "new").iterdir()] == ["s2.csv"]


def test_a_row_for_each_region(root: Path) -> None:
    rows = table_rows(encoded(root, reference=root / "ref.fa"))
    assert rows == [
        ("s1", "fwd", 4, 5.0, 0, 0.0, 0, 0, 0),
        ("s1", "rev", 4, 5.0, 0, 0.0, 0, 0, 0),
        ("s2", "fwd", 4, 5.0, 0, 0.0, 2, 0, 2),
        ("s2", "rev", 4, 2.0, 4, 1.0, 0, 0, 0),
    ]
    assert [row[-1] for row in table_rows(encoded(root))] == [None] * 4


def test_cram_gives_what_bam_gives(root: Path) -> None:
    pysam.faidx(str(root / "ref.fa"))
    for name, reads in READS.items():
        write_bam(root / "cram" / f"{name}.cram", reads, reference=root / "ref.fa")
    (root / "cram" / "regions.csv").write_text(REGIONS)
    found = encoded(root / "cram", "s1.cram", "s2.cram", reference=root / "ref.fa")
    expected = encoded(root, reference=root / "ref.fa")
    assert table_rows(found) == table_rows(expected)
    for one, other in zip(found, expected, strict=True):
        for mine, theirs in zip(one.called, other.called, strict=True):
            np.testing.assert_array_equal(mine.codes, theirs.codes)


def test_regions_without_a_contig_take_the_only_one(root: Path) -> None:
    (root / "regions.csv").write_text("locus,start,end\nfwd,11,14\n")
    (sample,) = encoded(root, "s1.bam", coordinates=1, reference=root / "ref.fa")
    assert sample.called[0].codes.tolist() == [0, 1, 2, 3]
    assert sample.called[0].region.contig == "chr1"


def test_a_reference_of_another_length_is_doubted(root: Path) -> None:
    (root / "ref.fa").write_text(REFERENCE[:-21] + "\n")
    told: list[tuple[str, float]] = []
    (sample,) = encode_alignments(
        work(root, "s1.bam", reference=root / "ref.fa"), lambda *each: told.append(each)
    )
    assert sample.doubts == (
        "chr1 has 100 bases in s1.bam and 80 in ref.fa: is it the same assembly?",
    )
    assert told == [("s1", 0.5), ("s1", 0.5)]


def test_an_indexed_reference_reads_as_one_without(root: Path) -> None:
    before = Reference(root / "ref.fa").letters("chr1", 5, 16)
    pysam.faidx(str(root / "ref.fa"))
    assert Reference(root / "ref.fa").letters("", 5, 16) == before == "AAAAAACGTAA"


def cut(root: Path) -> None:
    path = root / "s1.bam"
    path.write_bytes(path.read_bytes()[:-40])
    os.utime(root / "s1.bam.bai")


def cut_inside(root: Path) -> None:
    """Lose blocks in the middle and keep the end marker."""
    reads = [read for start in range(0, 90000, 9) for read in plain(start, "ACGTACGTA")]
    path = write_bam(root / "s1.bam", reads, [("chr1", 100_000)])
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3] + data[-28:])
    (root / "regions.csv").write_text("locus,start0,end\nx,0,99000\n")
    os.utime(root / "s1.bam.bai")


def stale(root: Path) -> None:
    before = (root / "s1.bam").stat().st_mtime - 100
    os.utime(root / "s1.bam.bai", (before, before))


def two_contigs(root: Path) -> None:
    write_bam(root / "s1.bam", [], [("1", 100), ("2", 100)])
    (root / "regions.csv").write_text("locus,start0,end\nfwd,10,14\n")


def tuberculosis(root: Path) -> None:
    write_bam(root / "s1.bam", [], [("Chromosome", 100)])
    (root / "regions.csv").write_text("locus,contig,start0,end\nfwd,NC_000962.3,10,14\n")


def as_cram(root: Path) -> None:
    pysam.faidx(str(root / "ref.fa"))
    write_bam(root / "x.cram", READS["s1"], reference=root / "ref.fa").replace(root / "s1.bam")
    (root / "x.cram.crai").replace(root / "s1.bam.crai")
    (root / "s1.bam.bai").unlink()


def put(name: str, content: str) -> Callable[[Path], object]:
    return lambda root: (root / name).write_text(content)


@pytest.mark.parametrize(
    ("spoil", "more", "match"),
    [
        pytest.param(
            lambda root: (root / "s1.bam").unlink(),
            {},
            r"alignment file .*s1.bam does not exist; that folder has .*s1.bam.bai",
            id="no file",
        ),
        pytest.param(put("s1.bam", ""), {}, r"alignment file .*s1.bam is empty", id="empty"),
        pytest.param(
            put("s1.bam", "@HD\tVN:1.6\n"), {}, r"is SAM text: .*samtools sort -o OUT.bam", id="SAM"
        ),
        pytest.param(put("s1.bam", ">chr1\nACGT\n"), {}, "is neither BAM nor CRAM", id="FASTA"),
        pytest.param(
            lambda root: (root / "s1.bam.bai").unlink(),
            {},
            r"s1.bam has no index: make it with `samtools index .*s1.bam`",
            id="no index",
        ),
        pytest.param(stale, {}, r"s1.bam.bai is older than .*samtools index .*touch", id="stale"),
        pytest.param(
            put("s1.bam.bai", ""), {}, r"index .*s1.bam.bai is empty: .*samtools index", id="no bai"
        ),
        pytest.param(
            put("s1.bam.bai", "rubbish"), {}, r"its index s1.bam.bai cannot be read", id="bad bai"
        ),
        pytest.param(cut, {}, r"s1.bam or its index .* cannot be read: .*truncated", id="cut"),
        pytest.param(
            cut_inside, {}, r"s1.bam cannot be read at chr1:1-99000: .*cut off", id="cut inside"
        ),
        pytest.param(as_cram, {}, r"CRAM file .* with its reference only", id="CRAM alone"),
        pytest.param(
            put("regions.csv", REGIONS.replace("chr1", "1")),
            {},
            r"contig '1' is not in alignment .*s1.bam \(it has chr1\); is it 'chr1' there\?",
            id="chr1 and 1",
        ),
        pytest.param(
            tuberculosis, {}, r"'NC_000962.3' is not in .*; is it 'Chromosome' there\?", id="alias"
        ),
        pytest.param(
            two_contigs, {}, r"name no contig and alignment .* has 2 \(1, 2\): add a col", id="two"
        ),
        pytest.param(
            put("regions.csv", REGIONS.replace("20,24", "90,101")),
            {},
            r"region 'rev' \(chr1:91-101\) lies outside .*s1.bam, whose chr1 has 100 bases",
            id="outside",
        ),
        pytest.param(
            put("regions.csv", "locus,start0,end\n"), {}, "lists no region", id="no region"
        ),
        pytest.param(
            put("ref.fa", ">1\n" + "A" * 100),
            {"reference": "ref.fa"},
            r"contig 'chr1' is not in reference .*ref.fa \(it has 1\); is it '1' there",
            id="reference with another name",
        ),
        pytest.param(
            put("ref.fa", ">chr1\nACGTACGTAC\n"),
            {"reference": "ref.fa"},
            r"chr1:11-14 lies outside reference .*ref.fa, whose chr1 has 10 bases",
            id="reference too short",
        ),
        pytest.param(
            lambda root: (root / "ref.fa").unlink(),
            {"reference": "ref.fa"},
            r"reference file .*ref.fa does not exist",
            id="no reference",
        ),
    ],
)
def test_what_cannot_be_encoded(
    root: Path, spoil: Callable[[Path], object], more: dict[str, Any], match: str
) -> None:
    spoil(root)
    if "reference" in more:
        more = {"reference": root / more["reference"]}
    with pytest.raises(DataError, match=match):
        encoded(root, "s1.bam", **more)


def test_outputs_that_cannot_be(root: Path) -> None:
    samples = encoded(root)
    with pytest.raises(InputError, match=r"output is a file .csv, .* got .*oh.bam"):
        save(samples, root / "oh.bam")
    with pytest.raises(DataError, match="a table of 2 samples names them"):
        save(samples, root / "oh.csv", named=False)
    assert not (root / "oh.csv").exists()
    with pytest.raises(DataError, match=r"cannot be written"):
        save(samples, root / "s1.bam" / "oh.csv")


def test_two_samples_of_one_name(root: Path) -> None:
    with pytest.raises(InputError, match="two alignments are called 's1': "):
        Encoding((root / "s1.bam", root / "a" / "s1.bam"), root / "regions.csv", Rules())
    with pytest.raises(InputError, match="at least one BAM"):
        Encoding((), root / "regions.csv", Rules())
