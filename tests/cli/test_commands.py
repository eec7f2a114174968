"""The command line in its own process: exit codes, messages, and what it does not import."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.conftest import write_project

HEAVY = (
    "tensorflow",
    "keras",
    "mlflow",
    "sklearn",
    "lightgbm",
    "optuna",
    "pandas",
    "matplotlib",
    "plotly",
)


def geno_hpo(
    *arguments: str, root: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GENO_HPO")}
    environment |= {"COLUMNS": "120", "TF_CPP_MIN_LOG_LEVEL": "3"} | variables
    return subprocess.run(
        [sys.executable, "-m", "geno_hpo", *arguments, *(["--root", str(root)] if root else [])],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = f"import sys, geno_hpo.cli; print([m for m in {HEAVY!r} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
    shown = geno_hpo("--help")
    assert shown.returncode == 0
    for command in ("run", "worker", "status", "report", "split", "ui", "encode", "data", "space"):
        assert command in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "tinny"], 'unknown study "tinny"; did you mean "tiny"?'),
        (["run", "tiny", "--workers", "-1"], "--workers"),
        (["status", "tiny"], "study tiny has not been run yet; start it with: geno-hpo run tiny"),
        (["report", "tiny"], "study tiny has not been run yet"),
        (["report", "tiny", "tiny"], "every study is named once, got tiny more often"),
        (["report", "tiny", "--output", "x"], "--output belongs to several studies"),
        (["ui"], "there are no runs yet"),
        (["dashboard"], "there are no trials yet"),
    ],
)
def test_bad_input_ends_with_2(project_root: Path, arguments: list[str], message: str) -> None:
    told = geno_hpo(*arguments, root=project_root)
    assert told.returncode == 2
    assert message in told.stderr
    assert "Traceback" not in told.stderr


def test_a_read_only_mlruns_ends_with_1_and_says_what_to_do(project_root: Path) -> None:
    (project_root / "mlruns").write_text("a file where the folder should be")
    told = geno_hpo("run", "tiny", root=project_root)
    assert told.returncode == 1
    assert "must be writable" in told.stderr
    assert "nothing is lost" in told.stderr


def test_every_fault_of_a_study_is_told_at_once(project_root: Path) -> None:
    study = project_root / "studies" / "tiny.yaml"
    text = study.read_text().replace("folds: 3", "fold: 3").replace("trials: 4", "trials: 0")
    study.write_text(text)
    told = geno_hpo("run", "tiny", root=project_root)
    assert told.returncode == 2
    assert 'split.fold: unknown key; did you mean "folds"?' in told.stderr
    assert "budget.trials: must be at least 1, got 0" in told.stderr
    assert "tiny.yaml:6" in told.stderr


@pytest.mark.parametrize("kind", ["study", "space"])
def test_schemas_are_schemas(kind: str) -> None:
    schema = json.loads(geno_hpo("space", "schema", kind).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)


def test_the_catalogue_is_shown() -> None:
    listed = geno_hpo("data", "list").stdout
    assert "katg_simulated" in listed
    shown = geno_hpo("data", "show", "tb_wdnn").stdout
    assert "licence" in shown
    assert "Chen" in shown
    unknown = geno_hpo("data", "show", "tb_wdn")
    assert unknown.returncode == 2
    assert "tb_wdnn" in unknown.stderr


def test_no_network_is_told_with_the_way_out(tmp_path: Path) -> None:
    told = geno_hpo(
        "data",
        "fetch",
        "tb_wdnn",
        GENO_HPO_CACHE=str(tmp_path),
        HTTPS_PROXY="http://127.0.0.1:9",
        https_proxy="http://127.0.0.1:9",
    )
    assert told.returncode == 2
    assert "GENO_HPO_DATA_MIRROR" in told.stderr


def test_spaces_are_listed_and_shown(project_root: Path) -> None:
    assert "tiny" in geno_hpo("space", "list", root=project_root).stdout
    shown = geno_hpo("space", "show", "tiny", root=project_root).stdout
    assert "learning_rate" in shown
    assert "log" in shown


def test_check_runs_nothing(project_root: Path) -> None:
    told = geno_hpo("space", "check", "tiny", root=project_root)
    assert told.returncode == 0, told.stderr
    assert "240 samples × 30 positions, 3 folds, 48 sealed for the test" in told.stdout
    assert not (project_root / "mlruns" / "optuna.db").exists()


def test_a_split_is_written_and_read_back(tmp_path: Path) -> None:
    root = write_project(tmp_path / "project")
    told = geno_hpo("split", "tiny", "--output", str(root / "split.csv"), root=root)
    assert told.returncode == 0, told.stderr
    fingerprint = told.stdout.split()[-1]
    study = (root / "studies" / "tiny.yaml").read_text()
    given = study.replace("split: {folds: 3, test: 0.2}", "split: {file: split.csv}")
    (root / "studies" / "given.yaml").write_text(given)
    again = geno_hpo("split", "given", "--output", str(root / "again.csv"), root=root)
    assert again.stdout.split()[-1] == fingerprint
    assert (root / "again.csv").read_text() == (root / "split.csv").read_text()
    nested = geno_hpo("split", "tiny", "--output", str(root / "nested"), "--outer", "3", root=root)
    assert nested.returncode == 0, nested.stderr
    sealed = [
        line.split(",")[0]
        for path in (root / "nested").iterdir()
        for line in path.read_text().splitlines()
        if line.endswith(",test")
    ]
    assert len(sealed) == len(set(sealed)) == 240
    outer = study.replace("test: 0.2", "outer: 3")
    (root / "studies" / "outer.yaml").write_text(outer)
    again = geno_hpo("split", "outer", "--output", str(root / "again"), root=root)
    assert again.returncode == 0, again.stderr
    for path in (root / "nested").iterdir():
        assert (root / "again" / path.name).read_text() == path.read_text()
