"""Targets of the Makefile, as make would run them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def told(*arguments: str) -> str:
    """What make would run; the environment counts as made."""
    command = ["make", "--no-print-directory", "--dry-run", "READY=", "BIN=bin", *arguments]
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # of the make that runs the tests
    own = {name: value for name, value in os.environ.items() if name not in outer}
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, env=own)
    return ended.stdout


@pytest.mark.parametrize(
    ("targets", "studies"),
    [("", "wheat"), ("e2", "wheat.e2"), ("e1 e2 e3", "wheat.e1 wheat.e2 wheat.e3")],
)
def test_a_study_of_each_target_is_run_after_another(targets: str, studies: str) -> None:
    asked = ["NAME=wheat", *([f"TARGET={targets}"] if targets else []), "ARGS=--plain"]
    for goal, verb in (("study", "run"), ("status", "status"), ("worker", "worker")):
        line = f"set -e; for study in {studies}; do bin/geno-hpo {verb} $study --plain; done"
        assert told(goal, *asked).strip() == line
    assert told("report", *asked).strip() == f"bin/geno-hpo report {studies} --plain"
