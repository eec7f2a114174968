"""``geno-hpo export`` and ``predict``: in a process without Optuna, MLflow and LightGBM."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from geno_hpo.cli.app import app
from geno_hpo.study.finished import Finished
from tests.bundle.studies import isolates, one_hot_rows

BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"optuna", "mlflow", "lightgbm"}:
            raise ImportError(f"{name} is not part of prediction")

sys.meta_path.insert(0, Blocked())
from geno_hpo.cli import main
main()
"""


def test_prediction_needs_no_search(bundles: dict[str, Path], tmp_path: Path) -> None:
    loci, _ = isolates(5, seed=9)
    (tmp_path / "new.csv").write_text(one_hot_rows(loci))
    output = tmp_path / "drug_predictions.csv"
    words = ["predict", str(bundles["drugs"]), "-i", str(tmp_path / "new.csv"), "-o", str(output)]
    told = subprocess.run(
        [sys.executable, "-c", BLOCKED, *words, "-v"],
        capture_output=True,
        text=True,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert told.returncode == 0, told.stderr
    assert len(output.read_text().splitlines()) == 1 + 5 * 2
    lines = [line.split() for line in told.stdout.splitlines()]
    assert ["sample", "locus", "length", "known", "%", "differs", "%"] in lines
    assert ["s0", "katG", "40"] in [line[:3] for line in lines]
    assert lines[-1][:5] == ["5", "samples,", "2", "models", "of"]


def test_export_says_what_it_wrote(studies: dict[str, Finished], tmp_path: Path) -> None:
    root = str(studies["drugs"].plan.project.root)
    runner = CliRunner()
    told = runner.invoke(app, ["export", "drugs", "-o", str(tmp_path / "b"), "--root", root])
    assert told.exit_code == 0, told.output
    assert "2 mlp models of 70 positions for inh, rif written to" in told.output
    assert "predict with: geno-hpo predict" in told.output


def test_a_bundle_becomes_a_bare_model(bundles: dict[str, Path], tmp_path: Path) -> None:
    words = ["export", str(bundles["drugs"]), "--format", "savedmodel", "-o", str(tmp_path / "m")]
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    assert "2 mlp models in one, from one-hot sequences to mean and spread" in told.output
    assert "it checks nothing" in told.output
    assert (tmp_path / "m" / "saved_model" / "saved_model.pb").is_file()
    assert (tmp_path / "m" / "model.json").is_file()
