"""Genotypes without labels: found by id, turned to the study's allele, or refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.bundle import Bundle, InputOptions, open_samples
from geno_hpo.errors import BundleError, InputError
from tests.bundle.toys import write_snps

PAIRS = [("G", "A"), ("T", "C"), ("A", "G")]
VCF = """\
##fileformat=VCFv4.2
##contig=<ID=1>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\ta\tb
1\t10\trs1\tC\tT\t.\t.\t.\tGT\t0/1\t1/1
1\t20\trs9\tC\tT\t.\t.\t.\tGT\t0/1\t1/1
1\t30\trs0\tG\tA\t.\t.\t.\tGT\t0/1\t1/1
1\t40\trs2\tG\tA\t.\t.\t.\tGT\t./.\t0/1
"""


def read(bundle: Bundle, path: Path, size: int = 2) -> tuple[dict[str, list[int]], str]:
    """Dosages by sample as the models get them, and the notes."""
    samples = open_samples(bundle, (path,), InputOptions())
    found: dict[str, list[int]] = {}
    for batch in samples.batches(size):
        found |= dict(zip(batch.ids, batch.codes.tolist(), strict=True))
    return found, "; ".join(samples.notes)


def test_a_vcf_is_reordered_and_turned_round(tmp_path: Path) -> None:
    bundle = write_snps(tmp_path / "bundle", PAIRS)
    path = tmp_path / "in.vcf"
    path.write_text(VCF)
    found, notes = read(bundle, path)
    assert found == {"a": [1, 1, -1], "b": [0, 2, 1]}, "rs0 counts A there and G in the study"
    assert "1 variants that the models do not take not used" in notes
    assert "another order than in the study: taken by their ids" in notes
    assert "1 variants count the other allele than the study: turned round" in notes


def test_letters_of_one_sample_are_counted_as_the_study_did(tmp_path: Path) -> None:
    bundle = write_snps(tmp_path / "bundle", PAIRS)
    path = tmp_path / "one.csv"
    path.write_text("id,yield,rs2,rs1,rs0\np,61.5,AA,CC,AG\n")
    found, notes = read(bundle, path)
    assert found == {"p": [1, 0, 2]}, "a file with AA only does not tell that A is counted"
    assert "1 columns that are no variant of the study not read: yield" in notes


def test_plink_counts_allele_one(tmp_path: Path) -> None:
    from bed_reader import to_bed

    bundle = write_snps(tmp_path / "bundle", PAIRS)
    path = tmp_path / "panel.bed"
    to_bed(
        path,
        np.array([[0.0, 1.0, 2.0], [2.0, np.nan, 1.0]]),
        properties={
            "iid": ["a", "b"],
            "sid": ["rs0", "rs1", "rs2"],
            "allele_1": ["A", "T", "A"],
            "allele_2": ["G", "C", "G"],
        },
    )
    found, _ = read(bundle, path.with_suffix(".fam"), size=1)
    assert found == {"a": [2, 1, 2], "b": [0, -1, 1]}


@pytest.mark.parametrize(
    ("table", "changed", "reason"),
    [
        ("id,rs0,rs1\np,0,1\n", {}, "the 3 variants that the models take; 1 are missing"),
        ("id,rs0,rs1,rs3\np,0,1,1\n", {}, "the first is 'rs2'; did you mean"),
        (
            "id,rs0,rs1,rs2\np,AG,CC,CT\n",
            {},
            r"1 variants of .* other alleles .* 'rs2': T/C here, A/G there",
        ),
        ("id,rs0,rs1,rs2\np,0,1,2\n", {"top": 1}, "dosages are 0 and 1, and sample 'p' .* has 2"),
    ],
    ids=["missing", "near", "strand", "coding"],
)
def test_other_variants_are_refused(
    tmp_path: Path, table: str, changed: dict[str, int], reason: str
) -> None:
    bundle = write_snps(tmp_path / "bundle", PAIRS, **changed)
    path = tmp_path / "in.csv"
    path.write_text(table)
    with pytest.raises(BundleError, match=reason):
        read(bundle, path)


def test_letters_without_the_studys_alleles_are_refused(tmp_path: Path) -> None:
    bundle = write_snps(tmp_path / "bundle", [("", "")] * 3)
    path = tmp_path / "in.csv"
    path.write_text("id,rs0,rs1,rs2\np,AG,CC,AG\n")
    with pytest.raises(BundleError, match="does not tell which allele it counts"):
        read(bundle, path)


def test_frequencies_show_that_the_other_allele_is_counted(tmp_path: Path) -> None:
    bundle = write_snps(tmp_path / "bundle", [("", "")] * 12)
    rng = np.random.default_rng(1)
    codes = rng.binomial(2, np.linspace(0.1, 0.9, 12), (40, 12))
    path = tmp_path / "in.csv"
    for matrix, refused in ((codes, False), (2 - codes, True)):
        lines = [f"p{i},{','.join(map(str, row))}" for i, row in enumerate(matrix)]
        names = ",".join(f"rs{i}" for i in range(12))
        path.write_text("\n".join([f"id,{names}", *lines]) + "\n")
        if refused:
            with pytest.raises(BundleError, match="the other allele seems to be counted"):
                read(bundle, path)
        else:
            assert read(bundle, path)[0]["p7"] == matrix[7].tolist()


def test_reads_are_no_genotypes(tmp_path: Path) -> None:
    bundle = write_snps(tmp_path / "bundle", PAIRS)
    with pytest.raises(InputError, match="predicts from genotypes"):
        open_samples(bundle, (tmp_path / "a.bam",), InputOptions())
