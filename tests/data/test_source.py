from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.config import CatalogueData, DataConfig, SequenceData, VariantData
from geno_hpo.data.saved import load_dataset, save_dataset
from geno_hpo.data.simulate import simulate_katg
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import InputError

SIMULATED = CatalogueData(catalogue="katg_simulated", options={"isolates": 200})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "x.fa").write_text(">a\nACGT\n>b\nACGA\n>c\nACGG\n")
    (tmp_path / "x.csv").write_text("id,rs1,rs2\na,0,1\nb,1,2\nc,2,2\n")
    (tmp_path / "y.csv").write_text("id,inh,lineage\na,R,L1\nb,S,L2\nc,,L1\n")
    return tmp_path


@pytest.mark.parametrize(
    "config",
    [
        SIMULATED,
        SequenceData(sequences=Path("x.fa"), labels=Path("y.csv")),
        VariantData(variants=Path("x.csv"), labels=Path("y.csv"), groups=("lineage",)),
    ],
)
def test_every_source_keeps_the_contract(root: Path, config: DataConfig) -> None:
    dataset = open_dataset(config, target="inh", task="binary", root=root, seed=3)
    assert dataset.target.names == ("inh",)
    assert len(dataset.target.classes) == 2
    assert not np.isnan(dataset.target.values).any()
    assert dataset.target.values.dtype == np.float32
    assert len(set(dataset.axis)) == dataset.features
    assert dataset.origin.source
    assert dataset.origin.notes
    again = open_dataset(config, target=("inh",), task="binary", root=root, seed=3)
    assert again.fingerprint == dataset.fingerprint
    save_dataset(dataset, root / "saved")
    assert load_dataset(root / "saved").fingerprint == dataset.fingerprint


def test_samples_without_a_label_are_left_out_and_told(root: Path) -> None:
    config = SequenceData(sequences=Path("x.fa"), labels=Path("y.csv"), groups=("lineage",))
    dataset = open_dataset(config, target="inh", task="binary", root=root)
    assert dataset.ids == ("a", "b")
    assert dataset.groups["lineage"].tolist() == ["L1", "L2"]
    assert dataset.origin.notes[-1] == "1 samples without a label left out"


def test_the_simulation_follows_the_studys_seed_or_its_own() -> None:
    def fingerprint(study: int, **options: int) -> str:
        config = CatalogueData(catalogue="katg_simulated", options={"isolates": 200, **options})
        return open_dataset(config, target="inh", task="binary", seed=study).fingerprint

    assert fingerprint(1) == simulate_katg(1, 200).fingerprint
    assert fingerprint(2) != fingerprint(1)
    assert fingerprint(2, seed=1) == fingerprint(1)


@pytest.mark.parametrize(
    ("config", "asked", "match"),
    [
        (CatalogueData(catalogue="katg"), {}, r"no data set 'katg'; it has: katg_simulated"),
        (
            CatalogueData(catalogue="tb_reads"),
            {},
            r"'tb_reads' can be shown and fetched, .* no reader .*: katg_simulated, .*tb_wdnn",
        ),
        (
            CatalogueData(catalogue="katg_simulated", loci=("katG",)),
            {},
            "'katg_simulated' has no loci",
        ),
        (
            CatalogueData(catalogue="katg_simulated", options={"isolate": 3}),
            {},
            r"no option 'isolate'; did you mean 'isolates'\? \(its options: isolates, seed\)",
        ),
        (
            CatalogueData(catalogue="katg_simulated", options={"isolates": "many"}),
            {},
            "'isolates' .* whole number of at least 100, got 'many'",
        ),
        (SIMULATED, {"target": "rif"}, r"one target, inh \(binary\), got rif \(binary\)"),
        (SIMULATED, {"task": "regression"}, r"one target, inh .* got inh \(regression\)"),
        (SIMULATED, {"positive": "R"}, "positive class of .* is 'resistant', got 'R'"),
    ],
)
def test_what_the_catalogue_cannot_do(
    config: DataConfig, asked: dict[str, str], match: str
) -> None:
    with pytest.raises(InputError, match=match):
        open_dataset(config, **{"target": "inh", "task": "binary", **asked})  # type: ignore[arg-type]
