"""Workers that are killed, sleep or come back: nothing is lost and nothing doubled."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from geno_hpo.study.mend import mend_runs
from tests.cluster.crowd import crowd, tell
from tests.cluster.servers import Postgres

pytestmark = pytest.mark.cluster


def test_twenty_kills_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    dice = random.Random(3)
    arguments = ("--epoch-seconds", "0.35", "--lease-seconds", "3")
    with crowd(tmp_path, monkeypatch, trials=60, epochs=20, url=postgres.database()) as study:
        for _ in range(4):
            study.start(*arguments)
        study.await_state(TrialState.COMPLETE, 1)
        began, kills = time.monotonic(), 0
        while kills < 20 and study.networks.tally()[TrialState.COMPLETE] < 52:
            time.sleep(dice.uniform(1.5, 4.0))
            index = dice.randrange(4)
            live = [worker for worker in study.workers if worker.is_alive()]
            victim = live[index % len(live)]
            victim.kill()
            victim.join()
            kills += 1
            study.start(*arguments)
        study.await_end()
        study.join()
        seconds = time.monotonic() - began
        trials = study.networks.trials()
        complete = [t for t in trials if t.state == TrialState.COMPLETE]
        failed = [t for t in trials if t.state == TrialState.FAIL]
        assert kills == 20
        assert len(complete) == 60
        assert len(trials) == 60 + len(failed)
        assert all(t.user_attrs["reason"].startswith("lost worker") for t in failed)
        assert sorted(t.number for t in trials) == list(range(len(trials)))
        for trial in complete:
            steps = range(1, trial.user_attrs["epochs"] + 1)
            assert sorted(trial.intermediate_values) == list(steps)
        best = study.networks.best()
        assert best is not None
        assert best.value == max(t.value or 0.0 for t in complete)
        resumed = sum("gone on after" in str(t.user_attrs.get("notes")) for t in complete)
        mended = mend_runs(study.launch.plan, study.pools, study.tracking(), study.parent)
        expected = {
            f"{study.networks.study.study_name} {t.number}": t.state.name.lower()[:4]
            for t in trials
        }
        assert {name: state[:4] for name, state in study.runs().items()} == expected
        tell(
            f"kills | {kills} kills, 4 workers, {seconds:.0f} s | {len(complete)} complete, "
            f"{len(failed)} failed and replaced, 0 running, {resumed} with notes, "
            f"{mended} MLflow runs mended, {len(expected)} runs = {len(trials)} trials"
        )


def test_a_stopped_worker_comes_back_and_harms_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with crowd(tmp_path, monkeypatch, trials=2, epochs=40, url=url) as study:
        sleeper = study.start("--epoch-seconds", "0.2", "--lease-seconds", "2")
        study.await_state(TrialState.RUNNING, 1)
        while not list((study.launch.plan.work / "checkpoints").glob("*.npz")):
            time.sleep(0.05)
        os.kill(sleeper.pid, signal.SIGSTOP)
        study.start("--epoch-seconds", "0.02", "--lease-seconds", "2")
        study.await_state(TrialState.COMPLETE, 2)
        before = [(t.number, t.value, t.datetime_complete) for t in study.networks.trials()]
        os.kill(sleeper.pid, signal.SIGCONT)
        study.join()
        log = (study.root / "worker-0.log").read_text()
        assert "left alone: another worker has taken it over" in log
        after = [(t.number, t.value, t.datetime_complete) for t in study.networks.trials()]
        assert after == before
        assert set(study.runs().values()) == {"complete"}
        assert not list((study.launch.plan.work / "checkpoints").glob("*.npz"))


def test_a_taken_over_trial_goes_on_and_ends_with_the_same_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = {}
    for name in ("killed", "whole"):
        with crowd(tmp_path / name, monkeypatch, trials=1, epochs=20) as study:
            worker = study.start("--epoch-seconds", "0.2", "--lease-seconds", "2")
            if name == "killed":
                study.await_state(TrialState.RUNNING, 1)
                while (study.networks.trials()[0].last_step or 0) < 7:
                    time.sleep(0.02)
                worker.kill()
                worker.join()
                at = study.networks.trials()[0].last_step
                study.start("--epoch-seconds", "0.05", "--lease-seconds", "2")
            study.await_state(TrialState.COMPLETE, 1)
            (trial,) = study.networks.trials()
            scores[name] = (trial.value, trial.intermediate_values)
            if name == "killed":
                (note,) = trial.user_attrs["notes"]
                told = f"killed at epoch {at}, {note}"
            study.join()
    assert scores["killed"] == scores["whole"]
    tell(f"checkpoint | {told}; score {scores['killed'][0]!r} = {scores['whole'][0]!r}")
