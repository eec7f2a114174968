"""Workers in this process: whole trials, failures told apart, interruption, repeatability."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from optuna.exceptions import StorageInternalError
from optuna.trial import TrialState

from geno_hpo.errors import StorageError, StudyChangedError, TrialFailed
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.failures import FAILURES_ALLOWED
from geno_hpo.study.files import curves_path, final_path, unseen_path
from geno_hpo.study.final import enqueue_final, finished_fits
from geno_hpo.study.jobs import Bench
from geno_hpo.study.launch import Launch
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.record import Record
from geno_hpo.study.storage import Pool
from geno_hpo.study.worker import Worker
from geno_hpo.training.setup import configure
from tests.conftest import STUDY, write_project


@contextmanager
def begun(root: Path) -> Iterator[tuple[Launch, dict[str, Pool], Record]]:
    """A study that is prepared and filled, without worker processes."""
    launch = Launch(Project(root), "tiny", workers=1)
    pools = open_pools(launch.plan, launch.storage, maximise=True, create=True)
    record = Record(pools["network"].study)
    record.agree(launch.plan)
    launch._prepare(record)
    for part, asked in launch.plan.budgets.items():
        pools[part].fill(asked)
    record.set(phase="search")
    yield launch, pools, record


def work(launch: Launch, stop: Callable[[], bool] = lambda: False) -> int:
    configure(1)
    return Worker(launch.plan, maximise=True, stop=stop).run()


def scores(pools: dict[str, Pool]) -> dict[str, list[tuple[int, Any, dict[str, Any]]]]:
    return {
        part: [(t.number, t.value, t.params) for t in pool.trials()] for part, pool in pools.items()
    }


def test_a_worker_finishes_every_part(project_root: Path) -> None:
    with begun(project_root) as (launch, pools, _):
        assert work(launch) == 4 + 2 + 1
        for part, asked in launch.plan.budgets.items():
            assert pools[part].tally() == {TrialState.COMPLETE: asked}
        best = pools["network"].best()
        assert best is not None
        assert best.value > 0.8, "one base decides the label"
        assert len(best.user_attrs["fold_scores"]) == 3
        parts = {"trace", "train", "validate", "report", "log", "other", "wait", "checkpoint"}
        assert best.user_attrs["seconds"].keys() == parts
        assert min(best.user_attrs["seconds"].values()) >= 0
        assert sorted(best.intermediate_values) == [1, 2, 3, 4, 5]
        assert np.mean(best.user_attrs["fold_scores"]) == pytest.approx(best.value, abs=1e-5)
        with np.load(curves_path(launch.plan.work, "network", best.number)) as curves:
            assert curves["valid_score"].shape == (3, 5)
        with np.load(unseen_path(launch.plan.work, best.number)) as unseen:
            assert unseen["predictions"].shape == (len(unseen["samples"]), 1)
            assert len(np.unique(unseen["samples"])) == len(unseen["samples"])
        assert enqueue_final(launch.plan, pools) == 2 + 1 + 2 + 1 + 1, (
            "restarts, ridge once, control, trivial models, the folds' networks"
        )
        assert enqueue_final(launch.plan, pools) == 0
        assert pools["final"].trials()[0].user_attrs["task"]["kind"] == "folds", "longest first"
        work(launch)
        reasons = [t.user_attrs.get("traceback", "") for t in pools["final"].trials()]
        assert reasons == [""] * 7
        for name, (fit, _trial) in finished_fits(launch.plan, pools).items():
            path = final_path(launch.plan.work, name)
            with np.load(path) as arrays:
                if fit.kind == "trivial":
                    assert arrays["names"].tolist() == ["constant", "best_feature"]
                    assert arrays["predictions"].shape == (2, 48, 1)
                    continue
                if fit.kind == "folds":
                    tracks = arrays["tracks"]
                    assert tracks.shape == (3, 30)
                    assert (tracks.argmax(axis=1) == 11).all(), "each fold's network sees it"
                    continue
                assert arrays["predictions"].shape == (48, 1)
                assert ("attribution" in arrays) == (fit.kind == "network")
            assert path.with_suffix(".keras").exists() == (fit.kind == "network")


def test_same_seed_same_trials_and_scores(project_root: Path, tmp_path: Path) -> None:
    found = []
    for root in (project_root, write_project(tmp_path / "second")):
        with begun(root) as (launch, pools, _):
            work(launch)
            found.append(scores(pools))
    assert found[0] == found[1]


def test_an_interrupted_trial_is_given_back_and_run_again(project_root: Path) -> None:
    with begun(project_root) as (launch, pools, record):
        asked = iter([False] * 8)
        work(launch, stop=lambda: next(asked, True))
        tally = pools["network"].tally()
        assert tally[TrialState.WAITING] == 4 - tally[TrialState.COMPLETE]
        assert not tally[TrialState.RUNNING]
        work(launch)
        assert pools["network"].tally() == {TrialState.COMPLETE: 4}
        interrupted = scores(pools)
        tracking = launch_runs(launch, record)
    assert len(tracking) == 7, "one MLflow run a trial, the interrupted one not twice"
    root = write_project(project_root.parent / "whole")
    with begun(root) as (launch, pools, _):
        work(launch)
        assert scores(pools) == interrupted


def test_a_database_that_gives_out_in_a_report_ends_the_worker_and_loses_nothing(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = TrialStorage.set_trial_intermediate_value
    calls = iter(range(1000))

    def give_out(self: TrialStorage, *given: Any) -> None:
        if next(calls) == 7:
            raise StorageInternalError("commit failed") from OSError("database or disk is full")
        written(self, *given)

    monkeypatch.setattr(TrialStorage, "set_trial_intermediate_value", give_out)
    with begun(project_root) as (launch, pools, _):
        with pytest.raises(StorageError, match="database or disk is full"):
            work(launch)
        tally = pools["network"].tally()
        assert tally == {TrialState.COMPLETE: 1, TrialState.RUNNING: 1, TrialState.WAITING: 2}
        pools["network"].recover(lambda _: True)
        work(launch)
        assert pools["network"].tally() == {TrialState.COMPLETE: 4}
        steps = [sorted(trial.intermediate_values) for trial in pools["network"].trials()]
        assert steps == [[1, 2, 3, 4, 5]] * 4


def launch_runs(launch: Launch, record: Record) -> list[Any]:
    tracking = tracking_of(launch.plan)
    parent = record.get("mlflow_run")
    runs = tracking.client.search_runs(
        [tracking.experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'"
    )
    return list(runs)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (TrialFailed("non-finite", "loss is nan in epoch 2, fold 1"), "non-finite: loss is nan"),
        (TrialFailed("memory", "out of memory"), "memory: out of memory"),
        (ZeroDivisionError("division by zero"), "error: ZeroDivisionError"),
    ],
)
def test_a_failed_trial_tells_why_and_is_replaced(
    project_root: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception, reason: str
) -> None:
    train = Bench.search_network

    def fail_once(self: Bench, part: str, trial: Any, *rest: Any) -> Any:
        if part == "network" and trial.number == 1:
            raise failure
        return train(self, part, trial, *rest)

    monkeypatch.setattr(Bench, "search_network", fail_once)
    with begun(project_root) as (launch, pools, record):
        work(launch)
        trials = pools["network"].trials()
        runs = launch_runs(launch, record)
    assert [t.state for t in trials].count(TrialState.COMPLETE) == 4
    failed = [t for t in trials if t.state == TrialState.FAIL]
    assert len(failed) == 1
    assert failed[0].user_attrs["reason"].startswith(reason)
    assert ("traceback" in failed[0].user_attrs) == isinstance(failure, ZeroDivisionError)
    (run,) = [r for r in runs if r.info.status == "FAILED"]
    assert run.data.tags["reason"].startswith(reason)


def test_a_study_whose_trials_all_fail_is_not_refilled_for_ever(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Bench, *_: Any) -> Any:
        raise TrialFailed("non-finite", "loss is nan")

    monkeypatch.setattr(Bench, "search_network", fail)
    study = STUDY.replace("trials: 4", "trials: 8")
    with begun(write_project(project_root, study)) as (launch, pools, _):
        work(launch)
        assert pools["network"].tally()[TrialState.FAIL] <= 2 * FAILURES_ALLOWED + 2
        assert not pools["network"].tally()[TrialState.COMPLETE]


def test_a_worker_retires_at_its_memory_limit_after_its_trial(project_root: Path) -> None:
    with begun(project_root) as (launch, pools, _):
        configure(1)
        worker = Worker(launch.plan, maximise=True, memory_limit=2**20)
        assert not worker.retired, "it has run no trial yet"
        assert worker.run() == 1
        assert worker.retired
        assert pools["network"].tally() == {TrialState.COMPLETE: 1, TrialState.WAITING: 3}


def test_a_worker_with_another_study_file_is_refused(project_root: Path) -> None:
    with begun(project_root) as (launch, _, _record):
        work(launch)
        study = project_root / "studies" / "tiny.yaml"
        study.write_text(study.read_text().replace("epochs: 5", "epochs: 4"))
        other = Launch(Project(project_root), "tiny", workers=1)
        with pytest.raises(StudyChangedError, match="study file or one of its search spaces"):
            Worker(other.plan, maximise=True).run()


def test_a_worker_started_by_hand_waits_while_others_are_probed(project_root: Path) -> None:
    with begun(project_root) as (launch, pools, record):
        record.set(phase="probing")
        asked = iter([False] * 2)
        assert work(launch, stop=lambda: next(asked, True)) == 0
        assert pools["network"].tally() == {TrialState.WAITING: 4}


def test_a_worker_whose_layout_was_not_chosen_leaves(project_root: Path) -> None:
    with begun(project_root) as (launch, pools, record):
        record.set(phase="probing", session="this")
        folder = launch.plan.probe("this")
        folder.mkdir()
        (folder / "chosen").write_text("2")
        configure(1)
        assert Worker(launch.plan, maximise=True, session="this").run() == 0
        assert pools["network"].tally() == {TrialState.WAITING: 4}
