"""Every bad file of sequences a newcomer may bring, through the single door, with the answer.

Faults of BAM and CRAM files, indexes and contigs stand in ``tests/pileup/test_encode.py``, those of
lists of regions in ``test_regions.py``.
"""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pysam
import pytest

from geno_hpo.config import SequenceData
from geno_hpo.data import tb_wdnn
from geno_hpo.data.dataset import Origin
from geno_hpo.data.source import open_dataset
from geno_hpo.data.tb_wdnn import read_tb_wdnn
from geno_hpo.errors import DataError

FASTA = ">a\nACGT\n>b\nACGA\n>c\nACGN\n>d\nTTTT\n"
TABLE = "id,y\na,1\nb,0\nc,1\nd,0\n"
HOT = "sample,A,C,G,T\na,1,0,0,0\na,0,1,0,0\nb,0,0,1,0\nb,0,0,0,1\n"
GENOME = f">chr1\n{'ACGT' * 10}\n>chr2\n{'TTTT' * 10}\n"
LONG = "".join(f">s{i}\n{'ACGT' * 500}\n" for i in range(60))


def zipped(content: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("x.fa", content)
    return stream.getvalue()


def tarred(content: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo("../x.fa")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content.encode()))
    return stream.getvalue()


def read(root: Path, files: Mapping[str, str | bytes], **config: Any) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    if "regions" in config and config.pop("indexed", True):
        pysam.faidx(str(root / "x.fa"))
    given = {"sequences": next(iter(files)).partition("/")[0], "labels": "y.csv", **config}
    data = SequenceData.model_validate({key: value for key, value in given.items() if value})
    open_dataset(data, target="y", task="binary", root=root)


def bad(name: str, files: dict[str, str | bytes], match: str, **config: Any) -> Any:
    return pytest.param(files, config, match, id=name)


FASTA_FAULTS = [
    bad(
        "BOM",
        {"x.fa": "\ufeff" + FASTA},
        r"x.fa begins with a byte-order mark: save it as UTF-8 without BOM",
    ),
    bad("old Mac line ends", {"x.fa": FASTA.replace("\n", "\r")}, "line ends of CR alone"),
    bad("zip", {"x.fa": zipped(FASTA)}, r"x.fa is an archive: unpack it"),
    bad("tar", {"x.fa": tarred(FASTA)}, r"x.fa is an archive: unpack it"),
    bad(
        "cut gzip",
        {"x.fa.gz": gzip.compress(LONG.encode())[:-30]},
        r"x.fa.gz is no readable FASTA: .*(ended before|end-of-stream)",
    ),
    bad("not gzip", {"x.fa.gz": FASTA}, r"x.fa.gz is no readable FASTA: Not a gzipped file"),
    bad("spoilt gzip", {"x.fa.gz": gzip.compress(LONG.encode())[:20] + b"\0" * 60}, "no readable"),
    bad("empty", {"x.fa": ""}, r"sequences file .*x.fa is empty"),
    bad("empty gzip", {"x.fa.gz": gzip.compress(b"")}, "should begin with '>', got ''"),
    bad("twice", {"x.fa": FASTA.replace(">d", ">a")}, r"id 'a' stands twice in .*x.fa"),
    bad(
        "RNA",
        {"x.fa": FASTA.replace("T", "U")},
        r"letter 'U' in sequence 'a' at position 4 .*x.fa.*looks like RNA: write T for U",
    ),
    bad(
        "protein",
        {"x.fa": ">a\nMKVL\n>b\nMKIL\n"},
        r"letter 'L' in sequence 'a' at position 4 .*looks like protein: DNA is wanted",
    ),
    bad(
        "gaps without saying so",
        {"x.fa": FASTA.replace("GA", "-A")},
        r"letter '-' in sequence 'b' at position 3 .*for an alignment say `alphabet: gapped`",
    ),
    bad(
        "IUPAC codes where they are refused",
        {"x.fa": FASTA},
        r"1 IUPAC codes stand in .*x.fa|letter 'N' in sequence 'c' at position 4",
        ambiguous="refuse",
    ),
    bad("ragged", {"x.fa": FASTA.replace("ACGA", "ACG")}, "'b' has 3 letters, 'a' has 4"),
    bad("labels for nobody", {"x.fa": ">e\nACGT\n"}, r"no id of .* called 'e', labels 'a', 'b'"),
    bad("no labels", {"x.fa": FASTA}, r"x.fa holds no labels: name their file", labels=None),
    bad(
        "regions of a file without an index",
        {"x.fa": GENOME, "r.bed": "chr1\t0\t4\ta\n"},
        r"x.fa has no index: make it with `samtools faidx",
        regions="r.bed",
        indexed=False,
    ),
    bad(
        "regions of a gzip that is no bgzip",
        {"x.fa.gz": gzip.compress(GENOME.encode()), "r.bed": "chr1\t0\t4\ta\n"},
        r"has no index: .*must be made by bgzip, not by gzip",
        regions="r.bed",
        indexed=False,
    ),
    bad(
        "region outside",
        {"x.fa": GENOME, "r.bed": "chr1\t38\t41\ta\n"},
        r"chr1:39-41 lies outside .*x.fa, whose chr1 has 40 bases .*r.bed",
        regions="r.bed",
    ),
    bad(
        "another contig",
        {"x.fa": GENOME, "r.bed": "1\t0\t4\ta\n"},
        r"contig '1' is not in .*x.fa; it has chr1, chr2 .*r.bed",
        regions="r.bed",
    ),
    bad("empty list", {"x.fa": GENOME, "r.bed": "# none\n"}, "lists no region", regions="r.bed"),
    bad(
        "regions that count from nobody knows where",
        {"x.fa": GENOME, "r.csv": "locus,contig,start,end\na,chr1,2,6\n"},
        "does not say whether it counts from 0 or from 1",
        regions="r.csv",
    ),
    bad(
        "regions of a table",
        {"x.csv": HOT, "r.bed": "chr1\t0\t4\n"},
        "`regions` are taken from an indexed FASTA file",
        regions="r.bed",
        indexed=False,
    ),
]

LINE_FAULTS = [
    bad(
        "fewer labels than sequences",
        {"x.txt": "ACGT\nACGA\nACGC\n", "y.txt": "1\n0\n"},
        r"3 sequences and 2 labels in .*y.txt: line i of both is one sample",
        labels="y.txt",
    ),
    bad(
        "a blank line between",
        {"x.txt": "ACGT\n\nACGC\n", "y.txt": "1\n0\n"},
        r"a blank line between others .*x.txt:2",
        labels="y.txt",
    ),
    bad(
        "two words a line",
        {"x.txt": "ACGT\nACGA 1\n", "y.txt": "1\n0\n"},
        r"one sequence and nothing else, got 'ACGA 1' .*x.txt:2",
        labels="y.txt",
    ),
    bad(
        "labels of two widths",
        {"x.txt": "ACGT\nACGA\n", "y.txt": "1 0\n0\n"},
        r"y.txt:2 has 1 cells, others have 2",
        labels="y.txt",
    ),
    bad(
        "columns that are no classes",
        {"x.txt": "ACGT\nACGA\n", "y.txt": "1 1\n0 1\n"},
        r"y.txt has 2 columns and no header: for 1 target it should have 1, or a 0/1 column a cl",
        labels="y.txt",
    ),
    bad(
        "groups without a header",
        {"x.txt": "ACGT\nACGA\n", "y.txt": "1\n0\n"},
        r"y.txt has no header, so it has no group column 'lineage'",
        labels="y.txt",
        groups=["lineage"],
    ),
    bad(
        "no tab",
        {"x.txt": "1\tACGT\n0 ACGA\n"},
        r"a line is label, tab, sequence; got '0 ACGA' .*x.txt:2",
        labels=None,
    ),
    bad(
        "labels twice",
        {"x.txt": "1\tACGT\n0\tACGA\n"},
        "holds the labels itself: leave out `labels`",
    ),
    bad("no known look", {"x.txt": "what is this?\n"}, "is neither FASTA .* 'what is this"),
    bad("blank lines only", {"x.txt": "\n\n"}, "blank lines only", format="lines"),
    bad("no text", {"x.txt": b"\xff\xfe\x00A"}, "x.txt is no readable text: .*utf-8"),
    bad(
        "cut gzip",
        {"x.txt.gz": gzip.compress(LONG.encode())[:-30]},
        r"x.txt.gz is no readable text",
        format="lines",
    ),
]

ONE_HOT_FAULTS = [
    bad(
        "two ones",
        {"x.csv": HOT.replace("b,0,0,1,0", "b,0,1,1,0")},
        r"a single 1 or zeros only, got A 0, C 1, G 1, T 0 .*x.csv:4\); 1 such rows$",
    ),
    bad(
        "probabilities",
        {"x.csv": HOT.replace("b,0,0,1,0", "b,0,0.5,0.5,0")},
        r"got A 0, C 0.5, G 0.5, T 0 .*x.csv:4.*; probabilities cannot be kept",
    ),
    bad("NaN", {"x.csv": HOT.replace("a,0,1,0,0", "a,0,NaN,0,0")}, r"C nan.*x.csv:3"),
    bad("infinite", {"x.csv": HOT.replace("a,0,1,0,0", "a,0,inf,0,0")}, r"C inf.*x.csv:3"),
    bad("negative", {"x.csv": HOT.replace("a,0,1,0,0", "a,0,-1,0,0")}, r"C -1.*x.csv:3"),
    bad("text", {"x.csv": HOT.replace("a,0,1,0,0", "a,0,x,0,0")}, r"C x.*x.csv:3"),
    bad("a short row", {"x.csv": HOT.replace("a,0,1,0,0", "a,0,1,0")}, r"T nan.*x.csv:3"),
    bad("a long row", {"x.csv": HOT.replace("a,0,1,0,0", "a,0,1,0,0,0")}, r"no readable table: .*"),
    bad("only a header", {"x.csv": "A,C,G,T\n"}, "has a header and no rows"),
    bad("another column", {"x.csv": HOT.replace("sample", "name")}, "got name, A, C, G, T"),
    bad("sample twice", {"x.csv": HOT + "a,1,0,0,0\n"}, r"sample 'a' stands twice .*x.csv:6"),
    bad("no sample", {"x.csv": HOT.replace("b,0,0,1", ",0,0,1")}, r"without sample .*x.csv:4"),
    bad("ragged", {"x.csv": HOT + "b,1,0,0,0\n"}, "'a' has 2 letters, 'b' has 3"),
    bad("cut gzip", {"x.csv.gz": gzip.compress((HOT * 99).encode())[:-12]}, "no readable t"),
    bad(
        "positions that jump",
        {"x.csv": "position,A,C,G,T\n5,1,0,0,0\n6,1,0,0,0\n9,1,0,0,0\n"},
        r"positions follow one another, got 6 and 9 .*x.csv:4",
    ),
    bad(
        "positions that differ",
        {"x.csv": "sample,position,A,C,G,T\na,5,1,0,0,0\nb,6,1,0,0,0\n"},
        r"'b' has other positions .*x.csv:3",
    ),
    bad("a folder of nothing", {"hot/readme.md": "x"}, "has neither FASTA nor CSV files"),
    bad(
        "a folder of both",
        {"hot/a.csv": "A,C,G,T\n1,0,0,0\n", "hot/a.fa": FASTA},
        "both FASTA and CSV files: say `format: fasta` or `format: one_hot`",
    ),
    bad("a folder of lines", {"hot/a.txt": "ACGT"}, "is a folder: .* lines takes", format="lines"),
]

LOCUS_FAULTS = [
    bad(
        "unknown locus",
        {"loci/katG.fa": FASTA},
        r"no FASTA file of locus 'inhA'; it has: katG",
        loci=["inhA"],
    ),
    bad("locus of a file", {"x.fa": FASTA}, r"'katG' is not in .*; its loci: none", loci=["katG"]),
    bad(
        "two files of a locus",
        {"loci/katG.fa": FASTA, "loci/katG.fasta": FASTA},
        "two files of locus 'katG': katG.fa and katG.fasta",
    ),
    bad(
        "no sample with all loci",
        {"loci/katG.fa": ">a\nA\n", "loci/inhA.fa": ">b\nA\n"},
        "no sample of .* has all loci; samples are called inhA: 'b'; katG: 'a'",
    ),
    bad(
        "ragged in one locus",
        {"loci/katG.fa": ">a\nA\n>b\nA\n", "loci/inhA.fa": ">a\nAC\n>b\nA\n"},
        "sequences of locus 'inhA' are equally long",
    ),
]


@pytest.mark.parametrize(
    ("files", "config", "match"), [*FASTA_FAULTS, *LINE_FAULTS, *ONE_HOT_FAULTS, *LOCUS_FAULTS]
)
def test_bad_sequences(
    tmp_path: Path, files: dict[str, str | bytes], config: dict[str, Any], match: str
) -> None:
    (tmp_path / "y.csv").write_text(TABLE)
    with pytest.raises(DataError, match=match):
        read(tmp_path, files, **config)


@pytest.mark.parametrize(
    ("config", "match"),
    [
        ({"ambiguous": "probability"}, "'unknown', 'refuse', 'draw' or 'probabilities'"),
        ({"format": "fasta", "labels": None}, "format fasta holds no labels"),
        ({"format": "labelled"}, "format labelled holds the labels itself"),
        ({"format": "fastq"}, "'auto', 'fasta', 'one_hot', 'labelled' or 'lines'"),
        ({"coordinates": 2}, "Input should be 0 or 1"),
    ],
)
def test_bad_data_blocks(config: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        SequenceData.model_validate({"sequences": "x", "labels": "y", **config})


@pytest.mark.parametrize(
    ("members", "limit", "match"),
    [
        pytest.param(
            {"X.csv": b"0" * 1_000_000},
            1000,
            r"X.csv in .*\.zip would unpack to 1,000,000 bytes; at most 1,000 are read",
            id="unpacks far larger",
        ),
        pytest.param(
            {"../../evil.csv": b"id,rs1\n0,1\n"},
            1000,
            "has no variant inside the loci wanted",
            id="a path that leaves the archive is read in place, and nothing is written",
        ),
        pytest.param({"a.csv": b"", "b.csv": b""}, 1000, "one CSV table, it holds 2", id="two"),
    ],
)
def test_bad_archives(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    members: dict[str, bytes],
    limit: int,
    match: str,
) -> None:
    monkeypatch.setattr(tb_wdnn, "_UNPACKED", limit)
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    with zipfile.ZipFile(
        folder / "X_features_with_names.zip", "w", zipfile.ZIP_DEFLATED
    ) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (folder / "labels.csv").write_text("1,0,1,1,1,1,1,1,1,1,1\n0,1,1,1,1,1,1,1,1,1,1\n")
    with pytest.raises(DataError, match=match):
        read_tb_wdnn(folder, folder, target=["inh"], task="binary", origin=Origin("test"))
    assert [each.name for each in tmp_path.rglob("*.csv")] == ["labels.csv"]
