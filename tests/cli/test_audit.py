from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_commands import geno_hpo
from tests.conftest import STUDY, write_project


def test_a_leak_is_shown_and_strict_ends_with_1(project_root: Path) -> None:
    told = geno_hpo("audit", "tiny", "--strict", root=project_root)
    assert told.returncode == 1, told.stderr
    assert "deciding columns" in told.stdout
    assert "240 samples × 30, 48 sealed for the test, 3 folds" in told.stdout
    assert not (project_root / "mlruns" / "optuna.db").exists()


def test_json(project_root: Path) -> None:
    told = geno_hpo("audit", "tiny", "--json", root=project_root)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    (one,) = [each for each in found["findings"] if each["check"] == "deciding columns"]
    assert one["severity"] == "serious"
    assert one["examples"] == ["12 → resistant (1.000)"]
    assert found["sampled"] == []


@pytest.mark.slow
def test_a_study_that_asks_to_fail_does_before_its_search(project_root: Path) -> None:
    write_project(project_root, STUDY + "audit: fail\n")
    told = geno_hpo("run", "tiny", "--plain", root=project_root)
    assert told.returncode == 2
    assert "asks for `audit: fail`, and 1 findings are serious: 1 single columns" in told.stderr
    assert "geno-hpo audit tiny" in told.stderr
