"""What every reader of genotypes keeps: the same toy, in every format, gives the same data set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo.config import VariantData
from geno_hpo.data.dataset import Dataset, Origin
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.variant_files import read_variants
from tests.data.genotype_files import CODES, FORMATS, IDS, LABELS, NAMES, Write


def read(folder: Path, block: dict[str, Any], **options: Any) -> Dataset:
    """Read a written block with labels, as a study would."""
    (folder / "y.csv").write_text(LABELS)
    config = VariantData.model_validate({"labels": "y.csv", **block, **options})
    return read_variants(config, Asked(("sick",), "binary"), root=folder)


@pytest.fixture(params=FORMATS.values(), ids=FORMATS.keys())
def write(request: pytest.FixtureRequest) -> Write:
    return request.param  # type: ignore[no-any-return]


def test_every_format_gives_the_same_data_set(write: Write, tmp_path: Path) -> None:
    dataset = read(tmp_path, write(tmp_path))
    assert dataset.kind == "variants"
    assert dataset.ids == IDS
    assert dataset.axis == NAMES
    np.testing.assert_array_equal(dataset.codes, CODES)
    assert dataset.codes.dtype == np.int8
    assert dataset.target.values[:, 0].tolist() == [0, 1, 0, 0, 1]
    made = Dataset("toy", "variants", IDS, CODES, NAMES, dataset.target, Origin("toy"))
    assert dataset.fingerprint == made.fingerprint
    told = " | ".join(dataset.origin.notes)
    assert "1 of 6 rows of labels without a sample left out" in told
    assert "2 of 20 cells not called (10 %)" in told


def test_every_format_takes_a_choice(write: Write, tmp_path: Path) -> None:
    block = write(tmp_path)
    (tmp_path / "keep.txt").write_text("s4\ns2\ns1\n")
    dataset = read(tmp_path, block, samples=["file:keep.txt"], snps=["rs4", "rs1", "rs3"])
    assert dataset.ids == ("s1", "s2", "s4")
    assert dataset.axis == ("rs1", "rs3", "rs4")
    np.testing.assert_array_equal(dataset.codes, CODES[[0, 1, 3]][:, [0, 2, 3]])
    assert "3 samples chosen" in dataset.origin.notes
    assert "1 of 4 variants not chosen" in dataset.origin.notes


def test_every_format_leaves_rare_and_uncalled_variants_out(write: Write, tmp_path: Path) -> None:
    dataset = read(tmp_path, write(tmp_path), min_maf=0.2, max_missing=0.1)
    assert dataset.axis == ("rs1",)
    np.testing.assert_array_equal(dataset.codes, CODES[:, :1])
    told = " | ".join(dataset.origin.notes)
    assert "2 of 4 variants left out (max_missing 0.1: not called in more samples)" in told
    assert "1 of 4 variants left out (min_maf 0.2: rarer allele below it)" in told


def test_every_format_drops_samples_without_a_label(write: Write, tmp_path: Path) -> None:
    block = write(tmp_path)
    (tmp_path / "z.csv").write_text("id,sick\ns1,1\ns2,0\ns3,\ns4,NA\n")
    dataset = read(tmp_path, block, labels="z.csv")
    assert dataset.ids == ("s1", "s2")
    np.testing.assert_array_equal(dataset.codes, CODES[:2])
    assert dataset.origin.notes[-1] == "2 samples without a label left out"
