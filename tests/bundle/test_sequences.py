"""Sequences without labels: matched by locus, length and place; anything else is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo import encoding
from geno_hpo.bundle import Bundle, InputOptions, open_samples
from geno_hpo.errors import DataError, GenoHpoError, InputError
from tests.bundle.toys import REFERENCE, write_toy

KATG, RPOB = REFERENCE[:10], REFERENCE[10:]


def folder_of(tmp_path: Path, **loci: str) -> Path:
    folder = tmp_path / "input"
    folder.mkdir()
    for name, text in loci.items():
        (folder / f"{name}.fasta").write_text(text)
    return folder


def read(bundle: Bundle, path: Path, size: int = 2) -> tuple[dict[str, str], str]:
    """Letters by sample as the models get them, and the notes."""
    samples = open_samples(bundle, (path,), InputOptions())
    found: dict[str, str] = {}
    for batch in samples.batches(size):
        assert len(batch.ids) <= size
        found |= {i: encoding.decode(row) for i, row in zip(batch.ids, batch.codes, strict=True)}
    assert len(found) == samples.total
    return found, "; ".join(samples.notes)


def test_loci_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    path = folder_of(
        tmp_path,
        rpoB=f">a\n{RPOB}\n>b\nNTTTGGG-\n>c\n{RPOB}\n",
        gyrA=">a\nACGT\n>b\nACGT\n>c\nACGT\n",
        katG=f">a\n{KATG}\n>b\n{KATG.lower()}\n>c\n{KATG}\n",
    )
    found, notes = read(bundle, path)
    assert found == {"a": REFERENCE, "b": KATG + "NTTTGGGN", "c": REFERENCE}
    assert "1 loci that the study does not know not used: gyrA" in notes
    assert "1 letters (N and other IUPAC codes) read as unknown" in notes


def test_a_gap_is_itself_where_the_study_knew_gaps(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle", symbols=5)
    path = folder_of(tmp_path, katG=f">a\n{KATG}\n", rpoB=">a\n-TTTGGGG\n")
    assert read(bundle, path)[0] == {"a": KATG + "-TTTGGGG"}


def test_iupac_codes_stay_where_the_study_kept_them(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle", reading={"ambiguous": "probabilities"})
    path = folder_of(tmp_path, katG=">a\nRCGTACGTAN\n", rpoB=">a\n-TTTGGGG\n")
    samples = open_samples(bundle, (path,), InputOptions())
    (batch,) = samples.batches(1)
    assert batch.codes[0, [0, 9, 10]].tolist() == [5, -1, -1], "R; N; a gap that nobody knew"
    assert "; ".join(samples.notes) == "1 letters (N and other IUPAC codes) read as unknown"


def test_rows_without_loci_are_cut_in_order(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    path = tmp_path / "isolate.csv"
    rows = [",".join(str(int(letter == base)) for base in "ACGT") for letter in REFERENCE]
    path.write_text("\n".join(["A,C,G,T", *rows]) + "\n")
    found, notes = read(bundle, path)
    assert found == {"isolate": REFERENCE}
    assert "its 18 positions are taken for katG, rpoB in this order" in notes


@pytest.mark.parametrize(
    ("loci", "reason"),
    [
        ({"katG": f">a\n{KATG}\n"}, r"1 are missing, the first is 'rpoB' \(it has: katG\)"),
        (
            {"katG": f">a\n{KATG}\n", "rpoB": f">a\n{RPOB}T\n"},
            "locus 'rpoB' must have 8 positions, as in the study, got 9",
        ),
        (
            {"katG": f">a\n{KATG}\n>b\nACGT\n", "rpoB": f">a\n{RPOB}\n>b\n{RPOB}\n"},
            "'b' has 4 letters, others 10",
        ),
        ({"katG": ">a\nACGTACGTAX\n", "rpoB": f">a\n{RPOB}\n"}, "letter 'X' in sequence 'a'"),
    ],
    ids=["locus", "length", "ragged", "letter"],
)
def test_what_is_not_the_studys_is_refused(
    tmp_path: Path, loci: dict[str, str], reason: str
) -> None:
    bundle = write_toy(tmp_path / "bundle")
    with pytest.raises(GenoHpoError, match=reason):
        read(bundle, folder_of(tmp_path, **loci))


def test_samples_without_all_loci_are_told(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    path = folder_of(tmp_path, katG=f">a\n{KATG}\n>b\n{KATG}\n", rpoB=f">a\n{RPOB}\n")
    found, notes = read(bundle, path)
    assert list(found) == ["a"]
    assert "1 of 2 samples without all 2 loci left out: 'b'" in notes


GENOME = np.array([100, 101, 102, -1, 103, 104, 105, 106, 107, 108, *range(207, 199, -1)])
"""The fourth column of katG stands for an insertion; rpoB is read on the reverse strand."""


def positioned(path: Path, katg: range) -> Path:
    lines = ["sample,locus,position,A,C,G,T"]
    for locus, places, text in (
        ("katG", katg, "A" * len(katg)),
        ("rpoB", range(207, 199, -1), "C" * 8),
    ):
        for place, letter in zip(places, text, strict=True):
            cells = ",".join(str(int(letter == base)) for base in "ACGT")
            lines.append(f"a,{locus},{place + 1},{cells}")
    path.write_text("\n".join(lines) + "\n")
    return path


def test_letters_with_places_go_to_their_columns(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle", genome=GENOME, symbols=5)
    found, notes = read(bundle, positioned(tmp_path / "in.csv", range(101, 112)))
    assert found == {"a": "NAA-AAAAAA" + "C" * 8}
    assert "3 positions of katG outside the study's not used" in notes
    assert "1 columns of katG stand for insertions" in notes
    with pytest.raises(InputError, match=r"katG' lies at 101-109 in the bundle and at 501-509 in"):
        read(bundle, positioned(tmp_path / "other.csv", range(500, 509)))


def test_letters_without_places_skip_columns_of_insertions(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle", genome=GENOME, symbols=5)
    path = folder_of(tmp_path, katG=">a\nAAACCCCCC\n", rpoB=f">a\n{RPOB}\n")
    assert read(bundle, path)[0] == {"a": "AAA-CCCCCC" + RPOB}


def test_shorter_sequences_where_the_study_had_them(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle", loci=[], reading={"pad": "right"})
    path = tmp_path / "short.fa"
    path.write_text(f">a\n{REFERENCE[:12]}\n>b\n{REFERENCE[:9]}\n")
    found, _ = read(bundle, path)
    assert found == {"a": REFERENCE[:12] + "N" * 6, "b": REFERENCE[:9] + "N" * 9}


def test_several_files_must_be_alignments(tmp_path: Path) -> None:
    bundle = write_toy(tmp_path / "bundle")
    with pytest.raises(InputError, match=r"must all be BAM or CRAM files, got a\.fa, b\.fa"):
        open_samples(bundle, (tmp_path / "a.fa", tmp_path / "b.fa"), InputOptions())
    with pytest.raises(DataError, match="gone"):
        open_samples(bundle, (tmp_path / "gone.fa",), InputOptions())
    with pytest.raises(InputError, match="told no places on the genome of locus 'katG'"):
        open_samples(bundle, (tmp_path / "a.bam",), InputOptions())
