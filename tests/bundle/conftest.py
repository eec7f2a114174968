"""Finished studies and their bundles, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.study.export import export_finished
from geno_hpo.study.results import Finished
from tests.bundle.studies import run_study, write_studies


@pytest.fixture(scope="session")
def studies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """The studies ``drugs`` and ``trait`` of one project."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GENO_HPO_STORAGE", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = write_studies(tmp_path_factory.mktemp("project"))
        return {name: run_study(root, name) for name in ("drugs", "trait")}


@pytest.fixture(scope="session")
def bundles(
    studies: dict[str, Finished], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    """Their bundles."""
    folder = tmp_path_factory.mktemp("bundles")
    for name, finished in studies.items():
        export_finished(finished, folder / name)
    return {name: folder / name for name in studies}
