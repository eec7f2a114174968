"""What tests share: quiet TensorFlow on one thread, and a tiny project on disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from geno_hpo.study.finished import Finished

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

# The gate tries the same examples each time; `--hypothesis-profile=default` tries new ones.
settings.register_profile("same", derandomize=True)
settings.load_profile("same")

STUDY = """\
question: Does the planted base decide?
data: {sequences: data/genes.fasta, labels: data/labels.csv}
target: resistant
task: binary
spaces: [tiny]
split: {folds: 3, test: 0.2}
budget: {trials: 4, epochs: 5, patience: 5}
pruner: {name: none}
sampler: {name: random}
baselines: {ridge: {trials: 2}, random_forest: false, lightgbm: false}
final: {seeds: 2}
control: {trials: 1}
workers: 1
"""

SPACE = """\
family: mlp
description: A very small network.
parameters:
  layers: 1
  neurons: {choice: [4, 8]}
  batch_size: 16
  learning_rate: {float: [1.0e-3, 1.0e-1], log: true}
"""


def write_project(root: Path, study: str = STUDY, samples: int = 240) -> Path:
    """Write a project whose label is decided by one base of 30."""
    for folder in ("studies", "search_spaces", "data"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent.parent / "search_spaces"
    baselines = root / "search_spaces" / "baselines"
    if not baselines.exists():
        baselines.symlink_to(here / "baselines")
    (root / "studies" / "tiny.yaml").write_text(study)
    (root / "search_spaces" / "tiny.yaml").write_text(SPACE)
    rng = np.random.default_rng(5)
    letters = np.array(list("ACGT"))[rng.integers(0, 4, (samples, 30))]
    resistant = rng.random(samples) < 0.5
    letters[:, 11] = np.where(resistant, "T", "C")
    records = [f">s{i}\n{''.join(row)}\n" for i, row in enumerate(letters)]
    (root / "data" / "genes.fasta").write_text("".join(records))
    rows = [f"s{i},{int(label)}\n" for i, label in enumerate(resistant)]
    (root / "data" / "labels.csv").write_text("id,resistant\n" + "".join(rows))
    return root


@pytest.fixture
def project_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny project in a folder of its own; storage variables are unset."""
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return write_project(tmp_path / "project")


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """The finished studies ``drugs`` and ``trait`` of one project."""
    return finished_studies(tmp_path_factory.mktemp("project"))


def finished_studies(folder: Path) -> dict[str, Finished]:
    """Run ``drugs`` and ``trait`` in a folder, for tests that change what MLflow holds of them."""
    from tests.bundle.studies import run_study, write_studies

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GENO_HPO_STORAGE", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = write_studies(folder)
        return {name: run_study(root, name) for name in ("drugs", "trait")}


@pytest.fixture(scope="session")
def bundles(
    studies: dict[str, Finished], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Their bundles."""
    from geno_hpo.study.export import export_finished

    folder = tmp_path_factory.mktemp("bundles")
    for name, finished in studies.items():
        export_finished(finished, folder / name)
    return {name: folder / name for name in studies}
