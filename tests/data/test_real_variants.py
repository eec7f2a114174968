"""Readers on published files, against a second way to read the same."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo.config import VariantData
from geno_hpo.data.catalogue import MIRROR
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.source import open_dataset

pytestmark = pytest.mark.skipif(
    not os.environ.get(MIRROR), reason=f"{MIRROR} names no folder with the real data"
)


@pytest.fixture
def mirror() -> Path:
    return Path(os.environ[MIRROR])


def read(root: Path, target: str, task: Any, **block: Any) -> Dataset:
    return open_dataset(VariantData.model_validate(block), target=target, task=task, root=root)


def test_wheat_as_r_and_as_text_saved_it(mirror: Path) -> None:
    saved = read(mirror / "wheat599", "1", "regression", variants="wheat.RData")
    plain = {"format": "plain", "header": False, "ids": "numbered"}
    text = read(
        mirror / "wheat599", "1", "regression", variants="wheat.X", labels="wheat.Y", **plain
    )
    np.testing.assert_array_equal(saved.codes, text.codes)
    np.testing.assert_allclose(saved.target.values, text.target.values, rtol=1e-6)
    assert saved.ids[:2] == ("775", "2166")
    assert saved.axis[0] == "wPt.0538"
    assert np.unique(saved.groups["published_fold"]).tolist() == sorted(map(str, range(1, 11)))
    assert saved.origin.notes[0] == "objects of the file that are not used: wheat.A"


def test_thousand_genomes_in_plink_files(mirror: Path, tmp_path: Path) -> None:
    (bed,) = (mirror / "kg1_phase1").glob("*.bed")
    panel = (mirror / "kg1_phase1" / "phase1_integrated_calls.20101123.ALL.panel").read_text()
    rows = [",".join(line.split()[:3]) for line in panel.splitlines()]
    (tmp_path / "panel.csv").write_text("\n".join(["id,population,super", *rows]) + "\n")
    block = {"variants": str(bed), "labels": str(tmp_path / "panel.csv")}
    dataset = read(mirror, "super", "multiclass", **block, groups=["population"])
    packed = np.frombuffer(bed.read_bytes()[3:], np.uint8).reshape(len(dataset.axis), -1)
    pairs = np.stack([packed >> shift & 3 for shift in (0, 2, 4, 6)], axis=2)
    copies = np.array([2, -1, 1, 0], dtype=np.int8)[pairs].reshape(len(packed), -1)
    np.testing.assert_array_equal(dataset.codes, copies[:, : dataset.samples].T)
    assert dataset.codes.shape == (1092, 14079)
    some = read(mirror, "super", "multiclass", **block, chromosomes=[21, 22], min_maf=0.05)
    inside = [name in set(some.axis) for name in dataset.axis]
    np.testing.assert_array_equal(some.codes, dataset.codes[:, inside])
    frequency = dataset.codes[:, inside].mean(axis=0) / 2
    assert np.minimum(frequency, 1 - frequency).min() > 0.04


def test_ancestry_markers_in_letters(mirror: Path) -> None:
    dataset = read(
        mirror / "kg1_aisnp",
        "superpopulation",
        "multiclass",
        variants="kidd.1kG.csv",
        groups=["population", "gender"],
    )
    assert dataset.codes.shape == (2504, 55)
    lines = (mirror / "kg1_aisnp" / "kidd.1kG.csv").read_text().split("\n")
    place = lines[0].split(",").index(dataset.axis[1])
    letters = [line.split(",")[place] for line in lines[1:] if line]
    second = max(set("".join(letters)))
    assert dataset.codes[:, 1].tolist() == [cell.count(second) for cell in letters]
