"""The benchmarks run at their smallest size and write JSON that says what was measured, where."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.__main__ import NAMES
from benchmarks.cases import CASES, write_project
from benchmarks.curves import FOLDS, Curves
from benchmarks.machine import ROOT
from benchmarks.outcome import Outcome, Table
from benchmarks.pruning import candidates
from benchmarks.replay import Candidate, goal_of, replay, whole
from benchmarks.resident import Peak, resident_bytes
from benchmarks.search import Side, middle, ratio
from benchmarks.stopwatch import Stopwatch
from geno_hpo.config import BudgetConfig, PrunerConfig
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


SHORT = {"audits", "calls", "encode", "floor", "pruning", "selection", "verdict"}
SMALLEST = [
    pytest.param(name, marks=pytest.mark.slow if name in SHORT else pytest.mark.bench)
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


def test_private_memory_is_told_from_pages_of_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones(64 * 2**20, np.int8))
    before, resident = resident_bytes("RssAnon"), resident_bytes("VmRSS")
    with Peak() as reading:
        total = np.load(tmp_path / "x.npy", mmap_mode="c").max()
    with Peak() as copying:
        copied = np.ones(64 * 2**20, np.int8)
    assert total == copied[0] == 1
    assert reading.private - before < 16 * 2**20
    assert reading.resident - resident > 48 * 2**20
    assert copying.private - before > 48 * 2**20


NONE = PrunerConfig(name="none")
EPOCHS = 8


def curves(*means: list[float]) -> Curves:
    """Curves of one fold; an epoch of every configuration takes a second."""
    scores = np.array(means, np.float32)[:, :, None]
    return Curves("made", "made up", "auc", scores, np.ones(scores.shape[:2], np.float32))


def flat(score: float) -> list[float]:
    return [score] * EPOCHS


def test_curves_are_read_as_they_were_written(tmp_path: Path) -> None:
    kept = curves(flat(0.75), [*flat(0.5)[1:], float("nan")])
    kept.save(tmp_path / "curves.npz")
    found = Curves.load(tmp_path / "curves.npz")
    assert (found.case, found.note, found.metric) == ("made", "made up", "auc")
    np.testing.assert_array_equal(found.scores, kept.scores)
    np.testing.assert_array_equal(found.seconds, kept.seconds)


def test_curves_refuse_seconds_of_other_epochs() -> None:
    with pytest.raises(ValueError, match=r"\(2, 8, 1\) scores do not fit \(2, 7\) seconds"):
        Curves("made", "", "auc", np.zeros((2, 8, 1), np.float32), np.zeros((2, 7), np.float32))


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_repository_keeps_curves_of_every_case(case: str) -> None:
    kept = Curves.kept(case)
    count, epochs, folds = kept.scores.shape
    assert (kept.case, folds) == (case, FOLDS)
    assert count >= 24
    assert epochs >= 20
    assert np.nanmax(kept.scores) <= 1
    assert (whole(kept)[1] > 0).all()


def test_a_goal_lies_between_chance_and_the_best() -> None:
    made = curves(flat(0.5), flat(0.9), flat(1.0))
    assert goal_of(made, [0, 1], 0.99) == pytest.approx(0.5 + 0.99 * 0.4)


def test_a_goal_needs_a_score_of_chance() -> None:
    made = Curves("m", "", "rmse", np.ones((1, 2, 1), np.float32), np.ones((1, 2), np.float32))
    with pytest.raises(ValueError, match="rmse has no scale from chance upwards"):
        goal_of(made, [0], 0.99)


def test_without_pruning_every_epoch_is_spent_and_the_best_is_found() -> None:
    made = curves(flat(0.6), flat(0.9), flat(0.7))
    found = replay(made, [0, 1, 2], Candidate(NONE), goal=0.89)
    assert found.epochs == 3 * EPOCHS == whole(made)[0].sum()
    assert found.seconds == 3 * EPOCHS
    assert found.best == pytest.approx(0.9)
    assert found.reached == 2 * EPOCHS
    assert not found.lost


def test_asha_ends_what_is_worse_at_its_first_rung() -> None:
    made = curves(flat(0.9), flat(0.8), flat(0.7), flat(0.6))
    pruner = PrunerConfig(name="asha", warmup_epochs=2, reduction=2)
    found = replay(made, [0, 1, 2, 3], Candidate(pruner), goal=0.89)
    assert found.epochs == EPOCHS + 3 * 2
    assert found.best == pytest.approx(0.9)
    assert not found.lost


def test_a_late_winner_is_lost_to_a_pruner_that_looks_early() -> None:
    late = [0.5, 0.5, *[0.95] * (EPOCHS - 2)]
    made = curves(flat(0.8), late)
    pruner = PrunerConfig(name="asha", warmup_epochs=1, reduction=2)
    found = replay(made, [0, 1], Candidate(pruner), goal=0.94)
    assert found.lost
    assert found.reached is None
    assert found.best == pytest.approx(0.8)
    assert not replay(made, [0, 1], Candidate(NONE), goal=0.94).lost


def test_patience_completes_a_trial_with_its_best_score() -> None:
    made = curves([0.6, 0.8, *[0.7] * (EPOCHS - 2)])
    found = replay(made, [0], Candidate(NONE, patience=3), goal=0.79)
    assert (found.epochs, found.reached) == (5, 5)
    assert found.best == pytest.approx(0.8)


def test_a_failed_trial_costs_its_epochs_and_finds_nothing() -> None:
    made = curves([0.9, *[float("nan")] * (EPOCHS - 1)])
    found = replay(made, [0], Candidate(NONE), goal=0.8)
    assert found.epochs == 2 == whole(made)[0].sum()
    assert np.isnan(found.best)
    assert found.reached is None


def test_a_free_worker_takes_the_next_configuration() -> None:
    made = curves(flat(0.6), flat(0.6), flat(0.9))
    slow = Curves("made", "", "auc", made.scores, made.seconds * np.array([[9], [1], [1]], "f4"))
    found = replay(slow, [0, 1, 2], Candidate(NONE), goal=0.89)
    assert found.reached is not None
    assert found.reached < 3 * EPOCHS


@pytest.mark.parametrize("case", sorted(CASES))
def test_the_default_pruner_saves_epochs_and_keeps_the_score(case: str) -> None:
    kept = Curves.kept(case)
    default = Candidate(PrunerConfig(), BudgetConfig().patience)
    shares, losses = [], []
    for number in range(10):
        order = np.random.default_rng(number).permutation(len(kept.scores))[:40].tolist()
        chance, best = goal_of(kept, order, 0.0), goal_of(kept, order, 1.0)
        found = replay(kept, order, default, best)
        shares.append(found.epochs / whole(kept)[0][order].sum())
        losses.append((best - found.best) / (best - chance))
    assert np.mean(shares) < 0.5
    assert np.mean(losses) < 0.01


def test_no_two_candidates_are_alike() -> None:
    names = [candidate.name for candidate in candidates((None, 3))]
    assert names[:2] == ["none", "none, patience 8"]
    assert len(set(names)) == len(names)


REACHED, MISSED = Side(60.0, True, 8), Side(60.0, False, 8)


@pytest.mark.parametrize(
    ("script", "ours", "expected"),
    [
        (REACHED, Side(4.0, True, 8), 15.0),
        (MISSED, Side(4.0, True, 8), "≥ 15.0"),
        (REACHED, Side(4.0, False, 8), "≤ 15.0"),
        (MISSED, MISSED, None),
    ],
)
def test_a_ratio_is_a_bound_where_a_side_missed_the_goal(
    script: Side, ours: Side, expected: float | str | None
) -> None:
    assert ratio(script, ours) == expected


def test_the_middle_of_searches_counts_a_miss_as_the_slowest() -> None:
    assert middle([Side(90.0, True, 9), Side(5.0, False, 1), Side(7.0, True, 2)]).seconds == 90.0
    assert middle([MISSED, MISSED, REACHED]).shown() == "≥ 60"
