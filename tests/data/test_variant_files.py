"""What single formats offer beyond the shared contract."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest

from geno_hpo.config import VariantData
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.variant_files import read_variants
from tests.data.genotype_files import CODES, FORMATS, IDS, LABELS, vcf_text, write_plink
from tests.data.test_bad_variants import variant_list


def read(
    folder: Path, block: dict[str, Any], *target: str, task: Any = "binary", **asked: Any
) -> Dataset:
    config = VariantData.model_validate(block)
    return read_variants(config, Asked(target or ("sick",), task, **asked), root=folder)


def test_the_fam_file_gives_groups_and_a_target(tmp_path: Path) -> None:
    block = write_plink(tmp_path)
    dataset = read(tmp_path, block, "phenotype")
    assert dataset.target.classes == ("control", "case")
    assert dataset.target.values[:, 0].tolist() == [0, 1, 0, 1, 0]
    assert dataset.groups["family"].tolist() == ["F0", "F1", "F0", "F1", "F0"]
    assert dataset.groups["sex"].tolist() == ["unknown", "male", "female", "unknown", "male"]
    fam = tmp_path / "x.fam"
    fam.write_text("".join(f"0 {name} 0 0 0 {i or -9}\n" for i, name in enumerate(IDS)))
    trait = read(tmp_path, {"variants": "x.fam"}, "phenotype", task="regression")
    assert trait.ids == IDS[1:]
    assert trait.groups["family"].tolist() == list(IDS[1:])
    assert trait.origin.notes[-1] == "1 samples without a label left out"


def test_chromosomes_and_regions(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(LABELS)
    path = tmp_path / FORMATS["vcf.gz by bgzip"](tmp_path)["variants"]
    pysam.tabix_index(str(path), preset="vcf", force=True)
    block = {"variants": path.name, "labels": "y.csv"}
    assert read(tmp_path, block | {"chromosomes": [2]}).axis == ("rs3", "rs4")
    assert read(tmp_path, block | {"regions": ["1:150-250", "2:60-60"]}).axis == ("rs2", "rs4")
    assert read(tmp_path, block | {"regions": ["1:1-150", "1"]}).axis == ("rs1", "rs2")


@pytest.mark.parametrize(
    ("choice", "axis", "told"),
    [
        ("split", ("rs1:G", "rs1:T"), "1 sites with several ALT alleles split"),
        ("drop", (), "1 sites with several ALT alleles left out"),
    ],
)
def test_several_alleles(tmp_path: Path, choice: str, axis: tuple[str, ...], told: str) -> None:
    (tmp_path / "y.csv").write_text(LABELS)
    text = vcf_text().replace("rs1\tA\tG", "rs1\tA\tG,T", 1).replace("1/1", "1/2", 1)
    (tmp_path / "x.vcf").write_text(text)
    block = {"variants": "x.vcf", "labels": "y.csv", "multiallelic": choice}
    dataset = read(tmp_path, block)
    assert dataset.axis == (*axis, "rs2", "rs3", "rs4")
    assert any(told in note for note in dataset.origin.notes)
    if axis:
        assert dataset.codes[:, :2].T.tolist() == [[0, 1, 1, 0, 1], [0, 0, 1, 0, 0]]


def test_haploid_calls_and_sites_without_a_name(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(LABELS)
    text = vcf_text(("0", "1", "1/1", ".")).replace("rs1", ".").replace("rs3", "rs4")
    (tmp_path / "x.vcf").write_text(text)
    dataset = read(tmp_path, {"variants": "x.vcf", "labels": "y.csv"})
    np.testing.assert_array_equal(dataset.codes, CODES)
    assert dataset.axis == ("1:100:A:G", "rs2", "rs4", "rs4#2")
    assert any("1 variants share a name" in note for note in dataset.origin.notes)


def test_plain_text_without_header_and_ids(tmp_path: Path) -> None:
    (tmp_path / "x.X").write_text("0 1\n1 1\n\n1   0\n")
    (tmp_path / "x.Y").write_text("0.5 1\n1.5 2\n2.5 NA\n")
    block = {"variants": "x.X", "labels": "x.Y", "format": "plain"}
    block |= {"header": False, "ids": "numbered"}  # type: ignore[dict-item]
    dataset = read(tmp_path, block, "1", "2", task="regression")
    assert dataset.ids == ("1", "2", "3")
    assert dataset.axis == ("1", "2")
    assert dataset.codes.tolist() == [[0, 1], [1, 1], [1, 0]]
    np.testing.assert_array_equal(dataset.target.values, [[0.5, 1], [1.5, 2], [2.5, np.nan]])


def test_published_folds_of_an_rdata_file(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(LABELS)
    block = FORMATS["rdata"](tmp_path) | {"labels": "y.csv"}
    assert read(tmp_path, block).groups["published_fold"].tolist() == ["1", "2", "1", "2", "1"]


def test_named_variants_become_sequences(tmp_path: Path) -> None:
    (tmp_path / "y.csv").write_text(LABELS)
    block = variant_list()(tmp_path) | {"labels": "y.csv"}
    dataset = read(tmp_path, block)
    assert dataset.kind == "sequence"
    assert dataset.axis == ("kat:2", "kat:3", "kat:3+1", "kat:4", "kat:5", "kat:6")
    assert dataset.codes[0].tolist() == [1, 2, 1, 3, 0, 1]
    assert [(locus.name, locus.start, locus.stop) for locus in dataset.loci] == [("kat", 0, 6)]
    assert "2 of 2 variants lie in the loci" in dataset.origin.notes
    turned = "locus,start,end,strand\nkat,2,6,-\n"
    other = read(tmp_path, variant_list(loci=turned)(tmp_path) | {"labels": "y.csv"})
    assert other.codes[0].tolist() == [2, 3, 0, 2, 1, 2]


def test_one_allele_counts_no_copies(tmp_path: Path) -> None:
    rows = "id,sick,rs1,rs2,rs3\na,1,AA,TT,AG\nb,0,AA,TT,GG\n"
    (tmp_path / "x.csv").write_text(rows)
    dataset = read(tmp_path, {"variants": "x.csv"})
    assert dataset.codes.tolist() == [[0, 0, 1], [0, 0, 2]]
    assert dataset.origin.notes[0] == (
        "3 variants in letters: counted is the alphabetically second allele "
        "(2 have one allele only, read as 0 copies)"
    )


def test_haploid_tables_count_ones_as_the_frequency(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("id,y,m1,m2\na,1,0,1\nb,0,0,1\nc,1,1,1\nd,0,1,0\n")
    dataset = read(tmp_path, {"variants": "x.csv", "min_maf": 0.3}, "y")
    assert dataset.axis == ("m1",)
