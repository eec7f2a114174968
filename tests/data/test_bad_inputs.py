"""Every bad data file a newcomer may bring, through the single door, with what is answered."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest

from geno_hpo.config import DataConfig, SequenceData, VariantData
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import DataError, InputError

FASTA = ">a first\nACGT\n>b\nAC\nGA\n>c\nacgn\n>d\nTTTT\n"
LABELS = "id,inh,mic,lineage\na,R,0.5,L1\nb,S,0.1,L2\nc,R,2,L1\nd,S,0.2,L2\n"
SNPS = "id,inh,rs1,rs2\na,R,0,1\nb,S,1,2\nc,R,2,-1\nd,S,0,NA\n"
SEQUENCES = SequenceData(sequences=Path("x.fa"), labels=Path("y.csv"))
VARIANTS = VariantData(variants=Path("x.csv"))


def read(
    root: Path, config: DataConfig, first: str | bytes, labels: str | bytes | None, **asked: Any
) -> None:
    name = "x.fa" if isinstance(config, SequenceData) else "x.csv"
    for file, content in ((name, first), ("y.csv", labels)):
        if content is not None:
            (root / file).write_bytes(content.encode() if isinstance(content, str) else content)
    open_dataset(config, **{"target": "inh", "task": "binary", "root": root, **asked})


@pytest.mark.parametrize(
    ("fasta", "labels", "asked", "match"),
    [
        pytest.param(
            FASTA, LABELS, {"target": "inhh"}, r"target column 'inhh' .*nearest: inh", id="target"
        ),
        pytest.param(
            FASTA,
            LABELS,
            {"target": "qqq"},
            r"'qqq' is not in .*; its columns: id, inh, mic, lineage",
            id="target, nothing near",
        ),
        pytest.param(
            FASTA,
            LABELS.replace(",S,", ",R,"),
            {},
            r"'inh' in .* has one class only: only class 'R' in 4 samples",
            id="one class",
        ),
        pytest.param(
            FASTA,
            LABELS.replace(",S,", ",,").replace(",R,", ",NA,"),
            {},
            "has one class only: no label in 4 samples",
            id="no label",
        ),
        pytest.param(
            FASTA,
            LABELS.replace("b,S", "b,I"),
            {},
            r"has 3 labels where two are wanted: I, R, S; task multiclass",
            id="three classes",
        ),
        pytest.param(
            FASTA,
            LABELS.replace(",S,", ",x,").replace(",R,", ",z,"),
            {},
            r"labels x, z: say in `positive` which",
            id="positive unknown",
        ),
        pytest.param(
            FASTA,
            LABELS.replace(",S,", ",1,").replace(",R,", ",2,"),
            {},
            r"labels 1, 2: say in `positive`",
            id="1 and 2 could be either",
        ),
        pytest.param(
            FASTA,
            LABELS,
            {"positive": "resistant"},
            "positive class 'resistant' is no label .*; its labels are R, S",
            id="positive is no label",
        ),
        pytest.param(
            FASTA,
            LABELS,
            {"target": ["inh", "mic"]},
            "a binary study has one target column, got 2",
            id="two targets",
        ),
        pytest.param(
            FASTA,
            LABELS,
            {"task": "regression"},
            r"target is a number, got 'R' of sample 'a' in column 'inh' .*y.csv:2",
            id="text in a trait",
        ),
        pytest.param(
            FASTA,
            LABELS.replace("0.1", "-inf"),
            {"task": "regression", "target": "mic"},
            r"target is finite, got '-inf' of sample 'b' in column 'mic' .*y.csv:3",
            id="infinite trait",
        ),
        pytest.param(
            FASTA,
            "id,mic\na,1\nb,1\nc,1\nd,\n",
            {"task": "regression", "target": "mic"},
            "has 1 different values: a regression study needs two",
            id="constant trait",
        ),
        pytest.param(
            FASTA.replace("GA\n", "GAA\n"),
            LABELS,
            {},
            r"equally long unless `pad: right` .*'a' has 4 letters, 'b' has 5 .*x.fa",
            id="unequal lengths",
        ),
        pytest.param(
            FASTA.replace("GA", "GX"),
            LABELS,
            {},
            r"letter 'X' in sequence 'b' at position 4 .*A C G T and IUPAC.*x.fa",
            id="letter",
        ),
        pytest.param(
            FASTA.replace("GA", "G-"),
            LABELS,
            {},
            r"letter '-' in sequence 'b' at position 4",
            id="gap in dna",
        ),
        pytest.param(
            FASTA,
            "id,inh\ne,R\nf,S\n",
            {},
            r"no id of .*x.fa is in .*y.csv: .* 'a', 'b', 'c' …, labels 'e', 'f'",
            id="no id in common",
        ),
        pytest.param(FASTA.replace(">c", ">b"), LABELS, {}, "id 'b' stands twice", id="twice"),
        pytest.param(FASTA.replace(">b", "> b"), LABELS, {}, "2 in .*has no id", id="no name"),
        pytest.param(FASTA + ">e\n", LABELS, {}, "'e' in .* has no letters", id="no letters"),
        pytest.param("", LABELS, {}, r"sequences file .*x.fa is empty", id="empty FASTA"),
        pytest.param("id,inh\n", LABELS, {}, "no FASTA: it .* '>', got 'i'", id="not FASTA"),
        pytest.param("\n\n", LABELS, {}, "no FASTA: .* got ''", id="blank FASTA"),
        pytest.param(None, LABELS, {}, r"sequences file .*x.fa does not exist", id="no FASTA"),
        pytest.param(FASTA, None, {}, r"labels file .*y.csv does not exist", id="no labels"),
        pytest.param(FASTA, "", {}, r"labels file .*y.csv is empty", id="empty labels"),
        pytest.param(FASTA, "id,inh\n", {}, "has a header and no rows", id="only a header"),
        pytest.param(FASTA, "\nid,inh\n", {}, "its first line should be a header", id="no header"),
        pytest.param(FASTA, "id,inh,inh\n", {}, "has column 'inh' twice", id="column twice"),
        pytest.param(FASTA, LABELS + "a,S,1,L\n", {}, "'a' .* lines 2 and 6", id="label twice"),
        pytest.param(FASTA, LABELS + " ,S,1,L\n", {}, r"without a sample id .*:6", id="no id"),
        pytest.param(
            FASTA, LABELS + "e,S\n", {}, r"y.csv:6 has 2 cells, the header has 4", id="short row"
        ),
        pytest.param(FASTA, b"\xff\xfe\x00\x01", {}, "no readable text table", id="no text"),
    ],
)
def test_sequences(
    tmp_path: Path,
    fasta: str | None,
    labels: str | bytes | None,
    asked: dict[str, Any],
    match: str,
) -> None:
    with pytest.raises(InputError, match=match):
        read(tmp_path, SEQUENCES, fasta, labels, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("table", "match"),
    [
        pytest.param(
            SNPS.replace("b,S,1,2", "b,S,1,x"),
            r"or NA where not called; a target .*got 'x' in column 'rs2' of sample 'b' .*x.csv:3",
            id="text",
        ),
        pytest.param(
            SNPS.replace("b,S,1,2", "b,S,inf,2"),
            r"infinite value is no missing one.; got 'inf' in column 'rs1' of sample 'b'",
            id="infinite",
        ),
        pytest.param(SNPS.replace("c,R,2", "c,R,3"), r"got '3' in column 'rs1'", id="three copies"),
        pytest.param(SNPS.replace("c,R,2", "c,R,0.5"), r"got '0.5' in column 'rs1'", id="half"),
        pytest.param(SNPS.replace("c,", "b,"), "'b' stands twice .*lines 3 and 4", id="id twice"),
        pytest.param("id,inh\na,R\nb,S\n", "no variant column beside id, inh", id="no variants"),
        pytest.param(SNPS.replace("inh", "inf"), "'inh' is not in .*nearest: inf", id="target"),
        pytest.param("", r"variants file .*x.csv is empty", id="empty"),
    ],
)
def test_variants(tmp_path: Path, table: str, match: str) -> None:
    with pytest.raises(DataError, match=match):
        read(tmp_path, VARIANTS, table, None)


def test_variants_and_labels_without_a_common_id(tmp_path: Path) -> None:
    config = VariantData(variants=Path("x.csv"), labels=Path("y.csv"))
    with pytest.raises(DataError, match=r"no id of .*x.csv is in .*y.csv: .*'a' …, labels 'z' …"):
        read(tmp_path, config, "id,rs1\na,0\nb,1\n", "id,inh\nz,R\ny,S\n")


def test_a_sample_without_a_group(tmp_path: Path) -> None:
    config = SequenceData(sequences=Path("x.fa"), labels=Path("y.csv"), groups=("lineage",))
    with pytest.raises(DataError, match=r"'b' has no value in group column 'lineage' .*y.csv:3"):
        read(tmp_path, config, FASTA, LABELS.replace("0.1,L2", "0.1,"))


def test_a_damaged_gzip_file(tmp_path: Path) -> None:
    config = SequenceData(sequences=Path("x.fa.gz"), labels=Path("y.csv"))
    (tmp_path / "x.fa.gz").write_bytes(b"no gzip at all")
    with pytest.raises(DataError, match=r"x.fa.gz is no readable FASTA"):
        read(tmp_path, config, "", LABELS)
    (tmp_path / "x.fa.gz").write_bytes(gzip.compress(FASTA.encode())[:-12])
    with pytest.raises(DataError, match=r"x.fa.gz is no readable FASTA"):
        read(tmp_path, config, "", LABELS)


def test_a_misspelled_file_name_shows_the_near_one(tmp_path: Path) -> None:
    config = SequenceData(sequences=Path("genes.fa"), labels=Path("y.csv"))
    (tmp_path / "genes.fasta").write_text(FASTA)
    with pytest.raises(DataError, match=r"genes.fa does not exist; that folder has genes.fasta"):
        read(tmp_path, config, "", LABELS)
