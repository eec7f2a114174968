"""What the readers of a user's own files give."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geno_hpo.config import VariantData
from geno_hpo.data.fasta import read_fasta
from geno_hpo.data.labels import build_target, read_labels
from geno_hpo.data.sequence_files import Form
from geno_hpo.data.sequences import read_sequences
from geno_hpo.data.source import open_dataset
from geno_hpo.data.tables import open_table

FASTA = ">a first\nACGT\n>b\r\nAC\r\nGA\r\n>c\nacgn\n>d\nTTTT\n"
LABELS = "id,inh,rif,mic,lineage\nd,S,0,0.2,L2\na,R,1,0.5,L1\nb,S,,0.1,L2\nc,,1,NaN,L1\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "genes.fasta").write_bytes(FASTA.encode())
    (tmp_path / "labels.csv").write_text(LABELS)
    return tmp_path / "genes.fasta", tmp_path / "labels.csv"


def test_sequences_keep_the_order_of_the_fasta_file(files: tuple[Path, Path]) -> None:
    dataset = read_sequences(*files, target=["inh"], task="binary", groups=["lineage"])
    assert dataset.name == "genes"
    assert dataset.ids == ("a", "b", "c", "d")
    assert dataset.codes.tolist() == [[0, 1, 2, 3], [0, 1, 2, 0], [0, 1, 2, -1], [3, 3, 3, 3]]
    assert dataset.target.classes == ("S", "R")
    np.testing.assert_array_equal(dataset.target.values[:, 0], [1, 0, np.nan, 0])
    assert dataset.groups["lineage"].tolist() == ["L1", "L2", "L1", "L2"]
    assert dataset.origin.notes == (
        "1 ambiguous letters (N and other IUPAC codes) read as unknown",
        "4 lower-case letters (soft-masked) read as upper case",
        "target inh: S (2), R (1)",
        "target inh: 1 samples without a label",
    )


def test_ids_that_are_missing_are_counted(files: tuple[Path, Path]) -> None:
    fasta, labels = files
    fasta.write_text(FASTA + ">e\nACGT\n>f\nACGT\n")
    labels.write_text(LABELS + "g,R,1,1,L1\n")
    dataset = read_sequences(fasta, labels, target=["inh"], task="binary")
    assert dataset.ids == ("a", "b", "c", "d")
    assert dataset.origin.notes[:2] == (
        "2 of 6 sequences without a row of labels left out",
        "1 of 5 rows of labels without a sequence left out",
    )


def test_padding_fills_with_unknown(files: tuple[Path, Path]) -> None:
    fasta, labels = files
    fasta.write_text(">a\nAC\n>b\nACNT\n>d\nA\n")
    dataset = read_sequences(fasta, labels, target=["inh"], task="binary", form=Form(pad="right"))
    assert dataset.codes.tolist() == [[0, 1, -1, -1], [0, 1, -1, 3], [0, -1, -1, -1]]
    assert "2 sequences padded on the right to 4 letters" in dataset.origin.notes
    assert any(note.startswith("1 ambiguous letters") for note in dataset.origin.notes)


def test_gapped_alignments(files: tuple[Path, Path]) -> None:
    fasta, labels = files
    fasta.write_text(">a\nA-GT\n>b\nACGT\n")
    dataset = read_sequences(
        fasta, labels, target=["inh"], task="binary", form=Form(alphabet="gapped")
    )
    assert dataset.codes[0].tolist() == [0, 4, 2, 3]


def test_gzipped_files(tmp_path: Path) -> None:
    (tmp_path / "genes.fa.gz").write_bytes(gzip.compress(FASTA.encode()))
    (tmp_path / "labels.tsv.gz").write_bytes(gzip.compress(LABELS.replace(",", "\t").encode()))
    dataset = read_sequences(
        tmp_path / "genes.fa.gz", tmp_path / "labels.tsv.gz", target=["inh"], task="binary"
    )
    assert (dataset.name, dataset.samples) == ("genes", 4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.text("ACGTN-", min_size=1, max_size=130), min_size=1, max_size=5))
def test_fasta_text_comes_back(tmp_path: Path, texts: list[str]) -> None:
    path = tmp_path / "x.fa"
    lines = [
        f">s{i}\n" + "\n".join(t[j : j + 60] for j in range(0, len(t), 60))
        for i, t in enumerate(texts)
    ]
    path.write_text("\n".join(lines) + "\n")
    assert list(read_fasta(path).values()) == texts


def test_several_drugs(files: tuple[Path, Path]) -> None:
    dataset = read_sequences(*files, target=["inh", "rif"], task="multilabel")
    assert dataset.target.classes == ()
    np.testing.assert_array_equal(dataset.target.values, [[1, 1], [0, np.nan], [np.nan, 1], [0, 0]])


def test_traits(files: tuple[Path, Path]) -> None:
    dataset = read_sequences(*files, target=["mic"], task="regression")
    np.testing.assert_allclose(dataset.target.values[:, 0], [0.5, 0.1, np.nan, 0.2])
    assert dataset.origin.notes[-1] == "target mic: 1 samples without a label"


@pytest.mark.parametrize(
    ("cells", "classes"),
    [
        (["10", "9", "9", "100"], ("9", "10", "100")),
        (["b", "a", "NA", "c"], ("a", "b", "c")),
    ],
)
def test_classes_are_in_natural_order(
    tmp_path: Path, cells: list[str], classes: tuple[str, ...]
) -> None:
    path = tmp_path / "y.csv"
    path.write_text("id,y\n" + "".join(f"s{i},{cell}\n" for i, cell in enumerate(cells)))
    labels = read_labels(path, id_column=None, targets=["y"])
    target, _ = build_target(labels, task="multiclass", positive=None)
    assert target.classes == classes
    assert target.units == 3
    for cell, value in zip(cells, target.values[:, 0], strict=True):
        assert np.isnan(value) if cell == "NA" else classes[int(value)] == cell


@pytest.mark.parametrize(
    ("labels", "positive", "expected"),
    [
        (("0", "1"), None, "1"),
        (("0", "1"), "0", "0"),
        (("R", "S"), None, "R"),
        (("susceptible", "Resistant"), None, "Resistant"),
        (("control", "case"), None, "case"),
        (("True", "False"), None, "True"),
        (("no", "yes"), None, "yes"),
        (("spring", "winter"), "winter", "winter"),
        (("1", "2"), "2", "2"),
    ],
)
def test_the_positive_class(
    tmp_path: Path, labels: tuple[str, str], positive: str | None, expected: str
) -> None:
    path = tmp_path / "y.csv"
    path.write_text(f"id,y\na,{labels[0]}\nb,{labels[1]}\n")
    read = read_labels(path, id_column="id", targets=["y"])
    target, _ = build_target(read, task="binary", positive=positive)
    assert target.classes[1] == expected
    assert target.values[labels.index(expected), 0] == 1


def test_a_snp_table_with_its_target(tmp_path: Path) -> None:
    path = tmp_path / "wheat.csv"
    path.write_text(
        "line,rs1,yield,rs2,rs3,rs4\na,0,1.5,2,,1\nb,1,2.5,-1,NA,1\n"
        "c, 2 ,0.5,1.0,nan,1\nd,2,na,2,2,2\n"
    )
    dataset = open_dataset(VariantData(variants=path), target="yield", task="regression")
    assert (dataset.name, dataset.kind) == ("wheat", "variants")
    assert dataset.ids == ("a", "b", "c")
    assert dataset.axis == ("rs1", "rs2", "rs3", "rs4")
    assert dataset.codes.tolist() == [[0, 2, -1, 1], [1, -1, -1, 1], [2, 1, -1, 1]]
    assert dataset.origin.notes == (
        "4 of 12 cells not called (33 %)",
        "1 constant variants",
        "1 variants not called in any sample",
        "target yield: 1 samples without a label",
        "1 samples without a label left out",
    )


def test_a_snp_table_and_its_labels(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("rs1\tid\trs2\n0\ta\t1\n1\tb\t0\n0\tc\t0\n")
    (tmp_path / "y.csv").write_text("id;case;family\nb;1;F1\na;0;F2\nz;0;F3\n")
    config = VariantData(variants=Path("x.tsv"), labels=Path("y.csv"), id="id", groups=("family",))
    dataset = open_dataset(config, target=["case"], task="binary", root=tmp_path)
    assert dataset.ids == ("a", "b")
    assert dataset.codes.tolist() == [[0, 1], [1, 0]]
    assert dataset.target.values[:, 0].tolist() == [0, 1]
    assert dataset.groups["family"].tolist() == ["F2", "F1"]
    assert dataset.origin.notes[:2] == (
        "1 of 3 samples without a row of labels left out",
        "1 of 3 rows of labels without a sample left out",
    )


def test_spreadsheet_text_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'\xef\xbb\xbfid,"a, b"\r\n1,"x ""y"""\r\n\r\n2,z\r\n')
    with open_table(path, "labels") as table:
        assert table.columns == ("id", "a, b")
        assert list(table.rows) == [(2, ["1", 'x "y"']), (4, ["2", "z"])]
