"""One contract for every format of sequences: the same toy sequences give the same data set."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pysam
import pytest

from geno_hpo.config import CatalogueData, PreprocessConfig, SequenceData
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import DataError
from geno_hpo.evaluation.shape import model_shape

TEXTS = ("ACGTNA", "TTTTGA", "CAGTAC", "GATTAC")
LABELS = ("1", "0", "1", "0")
IDS = tuple(f"sequence{row:04d}" for row in range(1, 5))
HOT = {"A": "1,0,0,0", "C": "0,1,0,0", "G": "0,0,1,0", "T": "0,0,0,1", "N": "0,0,0,0"}
FASTA = "".join(f">{name}\n{text}\n" for name, text in zip(IDS, TEXTS, strict=True))
TABLE = "id,y\n" + "".join(f"{name},{label}\n" for name, label in zip(IDS, LABELS, strict=True))


def hot(text: str) -> str:
    return "A,C,G,T\n" + "".join(f"{HOT[letter]}\n" for letter in text)


def put(path: Path, content: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def fasta(root: Path) -> SequenceData:
    put(root / "x.fa", FASTA)
    return SequenceData(sequences=Path("x.fa"), labels=Path("y.csv"))


def wrapped_gzip(root: Path) -> SequenceData:
    lines = "".join(f">{n} toy\r\n{t[:4]}\r\n{t[4:]}\r\n" for n, t in zip(IDS, TEXTS, strict=True))
    put(root / "x.fasta.gz", gzip.compress(lines.encode()))
    return SequenceData(sequences=Path("x.fasta.gz"), labels=Path("y.csv"))


def bgzipped_regions(root: Path) -> SequenceData:
    put(root / "genome.fa", f">chr1\nAA{''.join(TEXTS[:2])}\n>chr2\n{''.join(TEXTS[2:])}\n")
    pysam.tabix_compress(str(root / "genome.fa"), str(root / "genome.fa.gz"))
    pysam.faidx(str(root / "genome.fa.gz"))
    put(
        root / "regions.bed",
        f"chr1\t2\t8\t{IDS[0]}\nchr1\t8\t14\t{IDS[1]}\nchr2\t0\t6\t{IDS[2]}\nchr2\t6\t12\t{IDS[3]}\n",
    )
    return SequenceData(
        sequences=Path("genome.fa.gz"), labels=Path("y.csv"), regions=Path("regions.bed")
    )


def labelled(root: Path) -> SequenceData:
    put(root / "x.txt", "".join(f"{y}\t{t}\n" for y, t in zip(LABELS, TEXTS, strict=True)))
    return SequenceData(sequences=Path("x.txt"))


def labelled_with_header(root: Path) -> SequenceData:
    rows = "".join(f"{y}\t{t.lower()}\r\n" for y, t in zip(LABELS, TEXTS, strict=True))
    put(root / "x.tsv", b"\xef\xbb\xbflabel\tsequence\r\n" + rows.encode())
    return SequenceData(sequences=Path("x.tsv"), format="labelled")


def lines(root: Path) -> SequenceData:
    put(root / "x.txt", "\n".join(TEXTS) + "\n\n")
    put(root / "y.txt", "\n".join(LABELS))
    return SequenceData(sequences=Path("x.txt"), labels=Path("y.txt"))


def lines_with_named_labels(root: Path) -> SequenceData:
    put(root / "x.txt", "\r\n".join(TEXTS))
    put(root / "y.txt", "y,other\n" + "\n".join(f"{label},z" for label in LABELS))
    return SequenceData(sequences=Path("x.txt"), labels=Path("y.txt"))


def fasta_in_order(root: Path) -> SequenceData:
    put(root / "x.fa", FASTA)
    put(root / "y.txt", "\n".join(LABELS))
    return SequenceData(sequences=Path("x.fa"), labels=Path("y.txt"), match="order")


def one_hot_folder(root: Path) -> SequenceData:
    for name, text in zip(IDS, TEXTS, strict=True):
        put(root / "hot" / f"{name}.csv", hot(text))
    return SequenceData(sequences=Path("hot"), labels=Path("y.csv"))


def one_hot_table(root: Path) -> SequenceData:
    rows = [f"{n},{HOT[letter]}" for n, t in zip(IDS, TEXTS, strict=True) for letter in t]
    put(root / "x.csv.gz", gzip.compress(("sample,A,C,G,T\n" + "\n".join(rows)).encode()))
    return SequenceData(sequences=Path("x.csv.gz"), labels=Path("y.csv"))


FORMATS = (
    fasta,
    wrapped_gzip,
    bgzipped_regions,
    labelled,
    labelled_with_header,
    lines,
    lines_with_named_labels,
    fasta_in_order,
    one_hot_folder,
    one_hot_table,
)


def read(root: Path, config: SequenceData, target: str = "y", seed: int = 1) -> Dataset:
    put(root / "y.csv", TABLE)
    return open_dataset(config, target=target, task="binary", root=root, seed=seed)


@pytest.mark.parametrize("make", FORMATS)
def test_every_format_gives_the_same_data_set(tmp_path: Path, make: object) -> None:
    expected = read(tmp_path / "a", fasta(tmp_path / "a"))
    dataset = read(tmp_path / "b", make(tmp_path / "b"))  # type: ignore[operator]
    assert dataset.kind == "sequence"
    assert dataset.ids == expected.ids == IDS
    np.testing.assert_array_equal(dataset.codes, expected.codes)
    assert dataset.codes[0].tolist() == [0, 1, 2, 3, -1, 0]
    assert dataset.axis == ("1", "2", "3", "4", "5", "6")
    assert dataset.target.classes == ("0", "1")
    assert dataset.fingerprint == expected.fingerprint
    assert "1 ambiguous letters (N and other IUPAC codes) read as unknown" in dataset.origin.notes


def test_soft_masked_letters_are_told(tmp_path: Path) -> None:
    dataset = read(tmp_path, labelled_with_header(tmp_path))
    assert "24 lower-case letters (soft-masked) read as upper case" in dataset.origin.notes


def test_a_region_on_the_reverse_strand_is_read_on_it(tmp_path: Path) -> None:
    config = bgzipped_regions(tmp_path)
    put(
        tmp_path / "regions.csv",
        f"locus,contig,start0,end,strand\n{IDS[0]},chr1,2,8,-\n{IDS[1]},chr1,8,14,+\n",
    )
    dataset = read(tmp_path, config.model_copy(update={"regions": Path("regions.csv")}))
    assert dataset.codes.tolist() == [[3, -1, 0, 1, 2, 3], [3, 3, 3, 3, 2, 0]]


def test_loci_are_joined_by_sample(tmp_path: Path) -> None:
    a, b, c, _ = IDS
    put(tmp_path / "loci" / "katG.fasta", f">{a}\nACG\n>{b}\nTTT\n>{c}\nAAA\n")
    put(tmp_path / "loci" / "inhA.fa.gz", gzip.compress(f">{b}\nGG\n>{a}\nCC\n".encode()))
    config = SequenceData(sequences=Path("loci"), labels=Path("y.csv"), loci=("katG", "inhA"))
    dataset = read(tmp_path, config)
    assert dataset.ids == (a, b)
    assert dataset.codes.tolist() == [[0, 1, 2, 1, 1], [3, 3, 3, 2, 2]]
    assert dataset.axis == ("katG:1", "katG:2", "katG:3", "inhA:1", "inhA:2")
    assert [(each.name, each.start, each.stop) for each in dataset.loci] == [
        ("katG", 0, 3),
        ("inhA", 3, 5),
    ]
    assert dataset.origin.notes[0] == f"1 of 3 samples without all 2 loci left out: '{c}'"
    one = read(tmp_path, config.model_copy(update={"loci": ("inhA",)}))
    assert one.features == 2


def test_one_hot_positions_give_the_genome(tmp_path: Path) -> None:
    rows = [
        f"{name},{locus},{position},{HOT[letter]}"
        for name, text in zip(IDS[:2], ("ACGT", "TCGA"), strict=True)
        for locus, position, letter in zip(
            ("fwd", "fwd", "rev", "rev"), (11, 12, 40, 39), text, strict=True
        )
    ]
    put(tmp_path / "x.csv", "sample,locus,position,A,C,G,T\n" + "\n".join(rows))
    dataset = read(tmp_path, SequenceData(sequences=Path("x.csv"), labels=Path("y.csv")))
    forward, reverse = dataset.loci
    assert (forward.genome, forward.strand) == ((10, 11), "+")
    assert (reverse.genome, reverse.strand) == ((39, 38), "-")
    assert dataset.codes.tolist() == [[0, 1, 2, 3], [3, 1, 2, 0]]


def test_gaps_have_a_symbol_of_their_own(tmp_path: Path) -> None:
    put(tmp_path / "x.fa", f">{IDS[0]}\nA-C\n>{IDS[1]}\nAGC\n")
    put(tmp_path / "hot" / f"{IDS[0]}.csv", "A,C,G,T,-\n1,0,0,0,0\n0,0,0,0,1\n0,1,0,0,0\n")
    put(tmp_path / "hot" / f"{IDS[1]}.csv", "A,C,G,T,gap\n1,0,0,0,0\n0,0,1,0,0\n0,1,0,0,0\n")
    both = [
        read(
            tmp_path,
            SequenceData(sequences=Path(name), labels=Path("y.csv"), alphabet="gapped"),
        )
        for name in ("x.fa", "hot")
    ]
    assert both[0].codes.tolist() == [[0, 4, 1], [0, 2, 1]]
    assert both[0].fingerprint == both[1].fingerprint


def test_iupac_codes_are_drawn_by_seed_and_sample(tmp_path: Path) -> None:
    put(tmp_path / "x.fa", f">{IDS[0]}\n{'R' * 40}N\n>{IDS[1]}\n{'Y' * 40}A\n")
    config = SequenceData(sequences=Path("x.fa"), labels=Path("y.csv"), ambiguous="draw")
    dataset = read(tmp_path, config)
    assert set(dataset.codes[0, :40].tolist()) == {0, 2}
    assert set(dataset.codes[1, :40].tolist()) == {1, 3}
    assert dataset.codes[0, 40] == -1
    assert dataset.origin.notes[1:3] == (
        "1 ambiguous letters (N and other IUPAC codes) read as unknown",
        "80 IUPAC codes drawn among the bases they stand for",
    )
    put(tmp_path / "x.fa", f">{IDS[1]}\n{'Y' * 40}A\n>{IDS[0]}\n{'R' * 40}N\n")
    again = read(tmp_path, config)
    np.testing.assert_array_equal(again.codes[::-1], dataset.codes)
    assert read(tmp_path, config, seed=2).fingerprint != again.fingerprint


def test_iupac_codes_are_kept_where_asked(tmp_path: Path) -> None:
    put(tmp_path / "x.fa", f">{IDS[0]}\nACRN\n>{IDS[1]}\nACYT\n")
    config = SequenceData(sequences=Path("x.fa"), labels=Path("y.csv"), ambiguous="probabilities")
    dataset = read(tmp_path, config)
    assert dataset.codes.tolist() == [[0, 1, 5, -1], [0, 1, 6, 3]]
    assert "2 IUPAC codes kept as probabilities of the bases they stand for" in dataset.origin.notes
    assert "1 ambiguous letters (N and other IUPAC codes) read as unknown" in dataset.origin.notes
    assert model_shape(dataset, PreprocessConfig()).symbols == 4
    gapped = replace(dataset, codes=np.where(dataset.codes == 3, np.int8(4), dataset.codes))
    assert model_shape(gapped, PreprocessConfig()).symbols == 5


def test_columns_of_classes(tmp_path: Path) -> None:
    put(tmp_path / "x.fa", FASTA)
    put(tmp_path / "y.target", "1\t0\n0\t1\n0\t1\n1\t0\n")
    config = SequenceData(sequences=Path("x.fa"), labels=Path("y.target"), match="order")
    with pytest.raises(DataError, match="labels column1, column2: say in `positive`"):
        open_dataset(config, target="bound", task="binary", root=tmp_path)
    dataset = open_dataset(config, target="bound", task="binary", positive="column1", root=tmp_path)
    assert dataset.target.values[:, 0].tolist() == [1, 0, 0, 1]


MIRROR = os.environ.get("GENO_HPO_DATA_MIRROR", "")
needs_mirror = pytest.mark.skipif(not MIRROR, reason="GENO_HPO_DATA_MIRROR names no folder")


@needs_mirror
def test_the_primer_reads_the_same_as_a_users_own_files() -> None:
    known = open_dataset(CatalogueData(catalogue="primer"), target="motif", task="binary")
    own = open_dataset(
        SequenceData(
            sequences=Path(MIRROR, "primer", "sequences.txt"),
            labels=Path(MIRROR, "primer", "labels.txt"),
        ),
        target="motif",
        task="binary",
    )
    assert own.ids == known.ids
    np.testing.assert_array_equal(own.codes, known.codes)
    np.testing.assert_array_equal(own.target.values, known.target.values)
