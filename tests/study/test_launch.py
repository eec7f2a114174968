"""Whole studies through the command line, with real worker processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from geno_hpo.metrics import METRICS
from geno_hpo.report import check_summary
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.storage import Pool, open_storage
from geno_hpo.tracking import Tracking
from tests.conftest import STUDY, write_project

pytestmark = pytest.mark.slow


def start(root: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GENO_HPO")}
    return subprocess.Popen(
        [sys.executable, "-m", "geno_hpo", *arguments, "--root", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def finish(process: subprocess.Popen[str], code: int = 0) -> str:
    out, err = process.communicate(timeout=240)
    assert process.returncode == code, f"{out}\n{err}"
    return out + err


def pools_of(root: Path, name: str = "tiny") -> dict[str, Pool]:
    plan = load_plan(Project(root), name)
    maximise = METRICS[plan.metric].maximise
    storage = open_storage(Project(root).storage_url)
    return open_pools(plan, storage, maximise=maximise, create=False)


def mlflow_states(root: Path) -> dict[str, list[str]]:
    """States of the runs that are shown in MLflow, by stage."""
    tracking = Tracking(Project(root).tracking_uri, Project(root).mlruns / "artifacts", "tiny")
    found: dict[str, list[str]] = {}
    for run in tracking.client.search_runs([tracking.experiment_id], max_results=1000):
        stage = run.data.tags["stage"]
        found.setdefault(stage, []).append(run.data.tags.get("state", run.info.status))
    return found


def wait_for(
    root: Path,
    state: TrialState,
    count: int,
    process: subprocess.Popen[str],
    name: str = "tiny",
) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if Project(root).has_trials:
            try:
                if pools_of(root, name)["network"].tally()[state] >= count:
                    return
            except Exception:  # the launcher is still making the storage
                time.sleep(0.2)
        time.sleep(0.1)
    raise AssertionError(f"no {count} trials came to {state}: {process.communicate()}")


def test_a_study_runs_to_its_report_and_a_second_run_adds_nothing(project_root: Path) -> None:
    told = finish(start(project_root, "run", "tiny", "--workers", "2"))
    assert "sealed test" in told
    assert "Control on permuted labels" in told
    folder = project_root / "reports" / "tiny"
    summary = json.loads((folder / "summary.json").read_text())
    check_summary(summary)
    assert summary["trials"] == {"asked": 4, "complete": 4, "pruned": 0, "failed": 0}
    assert {row["model"] for row in summary["leaderboard"]} == {"mlp", "ridge"}
    assert all(len(row["test_seeds"]) in (1, 2) for row in summary["leaderboard"])
    assert summary["seal"]["trials_before"] == 4
    assert (folder / "report.html").stat().st_size > 10_000
    assert summary["explanation"]["restarts"] == 2
    assert summary["explanation"]["completeness_gap"] < 0.1
    for picture in ("ACC.png", "LOSS.png", "figures/history.png"):
        assert (folder / picture).read_bytes().startswith(b"\x89PNG")
    assert mlflow_states(project_root) == {
        "study": ["FINISHED"],
        "search": ["complete"] * 4,
        "baseline": ["complete"] * 2,
        "control": ["complete"],
        "final": ["complete"] * 6,
    }
    again = finish(start(project_root, "run", "tiny"))
    assert "opened" not in again, "the seal is opened once"
    assert (
        json.loads((folder / "summary.json").read_text())["leaderboard"] == (summary["leaderboard"])
    )
    assert '"phase": "done"' in finish(start(project_root, "status", "tiny", "--json"))


def test_ctrl_c_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    study = STUDY.replace("trials: 4, epochs: 5", "trials: 12, epochs: 500").replace(
        "patience: 5", "patience: 500"
    )
    root = write_project(tmp_path / "project", study)
    process = start(root, "run", "tiny", "--workers", "2")
    wait_for(root, TrialState.COMPLETE, 2, process)
    process.send_signal(signal.SIGINT)
    assert "nothing is lost. Go on with: geno-hpo run tiny" in finish(process, 130)
    tally = pools_of(root)["network"].tally()
    assert tally[TrialState.RUNNING] == 0
    assert tally[TrialState.COMPLETE] + tally[TrialState.WAITING] == 12
    finish(start(root, "run", "tiny", "--workers", "2"))
    assert pools_of(root)["network"].tally() == {TrialState.COMPLETE: 12}
    assert len(mlflow_states(root)["search"]) == 12


def test_nested_folds_run_one_after_another_and_are_pooled(tmp_path: Path) -> None:
    study = STUDY.replace("folds: 3, test: 0.2", "folds: 2, outer: 2")
    study = study.replace("trials: 4, epochs: 5", "trials: 2, epochs: 2")
    study = study.replace("ridge: {trials: 2}", "ridge: {trials: 1}")
    root = write_project(tmp_path / "project", study)
    process = start(root, "run", "tiny")
    wait_for(root, TrialState.WAITING, 1, process, "tiny~2")
    process.send_signal(signal.SIGINT)
    assert "nothing is lost. Go on with: geno-hpo run tiny" in finish(process, 130)
    told = finish(start(root, "status", "tiny"))
    assert "outer fold 1 of 2: done" in told
    assert "outer fold 2 of 2: stopped" in told
    told = finish(start(root, "run", "tiny"))
    assert "nested cross-validation: 2 searches of 2 trials each" in told
    assert "outer fold 1 of 2 is done" in told
    summary = json.loads((root / "reports" / "tiny" / "summary.json").read_text())
    check_summary(summary)
    assert {row["model"] for row in summary["leaderboard"]} == {"network", "ridge"}
    assert sum(fold["test_samples"] for fold in summary["outer_folds"]) == 240
    assert summary["trials"] == {"asked": 2, "complete": 4, "pruned": 0, "failed": 0}
    for fold in (1, 2):
        assert pools_of(root, f"tiny~{fold}")["network"].tally() == {TrialState.COMPLETE: 2}
        one = json.loads((root / "reports" / f"tiny~{fold}" / "summary.json").read_text())
        check_summary(one)
        assert (one["outer_fold"], one["seal"]["trials_after"]) == (fold, 0)
        assert one["best"]["params"] == summary["outer_folds"][fold - 1]["params"]
    tracking = Tracking(Project(root).tracking_uri, root / "mlruns" / "artifacts", "tiny")
    runs = tracking.client.search_runs([tracking.experiment_id], "tags.outer_fold = '2'")
    stages = sorted(run.data.tags["stage"] for run in runs)
    assert stages == ["baseline", *["final"] * 4, *["search"] * 2, "study"]


def test_a_killed_worker_is_replaced_and_its_trial_run_again(tmp_path: Path) -> None:
    study = STUDY.replace("trials: 4, epochs: 5", "trials: 8, epochs: 500").replace(
        "patience: 5", "patience: 500"
    )
    root = write_project(tmp_path / "project", study)
    process = start(root, "run", "tiny", "--workers", "2")
    wait_for(root, TrialState.COMPLETE, 1, process)
    wait_for(root, TrialState.RUNNING, 1, process)
    running = [t for t in pools_of(root)["network"].trials() if t.state == TrialState.RUNNING]
    os.kill(int(running[0].user_attrs["worker"].rpartition(":")[2]), signal.SIGKILL)
    assert "starting another" in finish(process)
    assert pools_of(root)["network"].tally() == {TrialState.COMPLETE: 8}
    assert len(mlflow_states(root)["search"]) == 8


def test_a_changed_study_is_refused_and_a_fresh_one_stands_beside_it(project_root: Path) -> None:
    finish(start(project_root, "run", "tiny"))
    study = project_root / "studies" / "tiny.yaml"
    study.write_text(study.read_text().replace("folds: 3", "folds: 4"))
    told = finish(start(project_root, "run", "tiny"), 2)
    assert "geno-hpo run tiny --fresh" in told
    finish(start(project_root, "run", "tiny", "--fresh"))
    summary = json.loads((project_root / "reports" / "tiny@2" / "summary.json").read_text())
    assert summary["generation"] == 2
    assert (project_root / "reports" / "tiny" / "report.html").exists()


def test_two_launchers_do_not_run_one_study(tmp_path: Path) -> None:
    study = STUDY.replace("trials: 4, epochs: 5", "trials: 8, epochs: 500").replace(
        "patience: 5", "patience: 500"
    )
    root = write_project(tmp_path / "project", study)
    first = start(root, "run", "tiny")
    wait_for(root, TrialState.RUNNING, 1, first)
    assert "being run by another process" in finish(start(root, "run", "tiny"), 2)
    helper = start(root, "worker", "tiny")
    finish(first)
    assert "worker ends" in finish(helper)
    assert pools_of(root)["network"].tally() == {TrialState.COMPLETE: 8}


def test_a_long_study_is_probed_once(tmp_path: Path) -> None:
    study = STUDY.replace("trials: 4, epochs: 5", "trials: 8, epochs: 100000")
    study = study.replace("patience: 5", "patience: 1").replace("workers: 1\n", "")
    root = write_project(tmp_path / "project", study)
    told = finish(start(root, "run", "tiny"))
    if len(os.sched_getaffinity(0)) == 1:
        assert "no other layout fits 1 core" in told
        return
    assert "timing how many workers and threads" in told
    assert "replica-epochs a second in a probe of" in told
    assert pools_of(root)["network"].tally() == {TrialState.COMPLETE: 8}
    work = root / "mlruns" / "work" / "tiny"
    assert not list(work.glob("probe-*"))
    assert not list((work / "folds").glob("features-*")), "they are dropped when all is done"
    assert len(list((work / "folds").glob("mean-*"))) > 3
    assert "(probed before)" in finish(start(root, "run", "tiny"))


def test_a_holdout_and_repeated_folds_run_to_their_report(tmp_path: Path) -> None:
    for kind, folds in (("kind: holdout, valid: 0.25", 1), ("folds: 2, repeats: 2", 4)):
        study = STUDY.replace("folds: 3", kind).replace("trials: 4", "trials: 2")
        root = write_project(tmp_path / str(folds), study)
        finish(start(root, "run", "tiny"))
        path = next((root / "reports").rglob("summary.json"), None)
        assert path is not None
        summary = json.loads(path.read_text())
        check_summary(summary)
        assert (summary["split"]["folds"], summary["best"]["cv_std"] is None) == (folds, folds == 1)
