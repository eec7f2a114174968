"""The benchmarks run at their smallest size and write JSON that says what was measured, where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import NAMES
from benchmarks.cases import CASES, write_project
from benchmarks.machine import ROOT
from benchmarks.outcome import Outcome, Table
from benchmarks.stopwatch import Stopwatch
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan


def ran(tmp_path: Path, name: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks", name, "--smallest", "--out", str(tmp_path)]
    ended = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    (path,) = tmp_path.glob("*.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


LONG = {"search", "throughput"}
SMALLEST = [
    pytest.param(name, marks=pytest.mark.bench if name in LONG else pytest.mark.slow)
    for name in sorted(NAMES)
]


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_runs_at_its_smallest_size(tmp_path: Path, name: str) -> None:
    pytest.importorskip(f"benchmarks.{name}")
    found = ran(tmp_path, name)
    assert found["benchmark"] == name
    assert found["size"] == "smallest"
    assert found["machine"]["cores"] >= 1
    assert found["machine"]["idle"] in (True, False, None)
    assert found["tables"]
    assert all(table["rows"] for table in found["tables"])


def test_a_name_that_is_no_benchmark_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "sped", "--out", str(tmp_path)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "no benchmark sped; there are throughput" in ended.stderr


@pytest.mark.parametrize("shipped", [False, True])
@pytest.mark.parametrize("case", sorted(CASES))
def test_every_case_is_a_valid_study(
    tmp_path: Path, case: str, shipped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GENO_HPO_DATA_MIRROR", raising=False)
    note = write_project(tmp_path, CASES[case], study={}, shipped=shipped, samples=120)
    assert "simulated" in note.lower()
    plan = load_plan(Project(tmp_path), "bench")
    assert plan.config.control is None
    assert not plan.config.baselines


def test_a_table_refuses_a_row_of_another_width() -> None:
    with pytest.raises(ValueError, match=r"pairs: 2 columns, got \[1\]"):
        Table("pairs", ("a", "b"), [(1, 2), (1,)])


def test_an_outcome_reads_as_markdown() -> None:
    outcome = Outcome((Table("times", ("what", "ms"), [("a", 12345.6), ("b", None)]),), ("idle",))
    assert outcome.text().splitlines() == [
        "times",
        "",
        "| what |    ms |",
        "| ---- | ----: |",
        "| a    | 12346 |",
        "| b    |     – |",
        "",
        "- idle",
    ]
    assert outcome.plain()["tables"][0]["rows"][1] == {"what": "b", "ms": None}


def test_a_stopwatch_tells_own_time_from_inner_time_and_leaves_nothing_behind() -> None:
    class Work:
        def outer(self) -> int:
            return self.inner() + self.inner()

        def inner(self) -> int:
            return sum(range(20_000))

    given = Work.__dict__["outer"]
    with Stopwatch({"outer": (Work, "outer"), "inner": (Work, "inner")}) as watch:
        Work().outer()
    outer, inner = watch.laps["outer"], watch.laps["inner"]
    assert (outer.calls, inner.calls) == (1, 2)
    assert outer.wall >= inner.wall
    assert outer.own == pytest.approx(outer.wall - inner.wall)
    assert Work.__dict__["outer"] is given
