"""What is asked of a study at work, by the commands that a user says."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from geno_hpo.cli.app import app
from geno_hpo.study.storage import study_names
from tests.cluster.crowd import PATIENCE, Crowd, crowd, tell
from tests.cluster.servers import PASSWORD

pytestmark = pytest.mark.cluster


def say(study: Crowd, *words: str) -> str:
    """Say a command as a user does and hear its answer."""
    told = CliRunner().invoke(app, [*words, "--root", str(study.root)])
    assert told.exit_code == 0, told.output
    assert PASSWORD not in told.output
    return told.output


def await_rest(study: Crowd) -> float:
    """Seconds until no trial runs."""
    began = time.monotonic()
    while study.networks.tally()[TrialState.RUNNING]:
        assert time.monotonic() - began < PATIENCE, study.logs()
        time.sleep(0.1)
    return time.monotonic() - began


def test_a_study_at_work_is_controlled_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    with crowd(tmp_path, monkeypatch, trials=12, epochs=20, url=url) as study:
        pace = ("--epoch-seconds", "0.1", "--lease-seconds", "6")
        for _ in range(2):
            study.start(*pace)
        study.await_state(TrialState.RUNNING, 2)
        began = time.monotonic()
        while len(at_work := json.loads(say(study, "status", "tiny", "--json"))["workers"]) < 2:
            assert time.monotonic() - began < PATIENCE, study.logs()
        assert all(one["worker"] and one["lease_age"] < 30 for one in at_work)

        say(study, "pause", "tiny")
        paused = await_rest(study)
        assert all(worker.is_alive() for worker in study.workers), "they wait"
        done = study.networks.tally()[TrialState.COMPLETE]
        number = int(
            say(study, "enqueue", "tiny", "--set", "learning_rate=0.0123", "--set", "neurons=8")
            .removeprefix("trial ")
            .partition(" ")[0]
        )
        assert "3 more for the search at work" in say(study, "budget", "tiny", "15")
        time.sleep(2)
        assert study.networks.tally()[TrialState.COMPLETE] == done, "nobody works meanwhile"

        say(study, "resume", "tiny")
        study.await_state(TrialState.COMPLETE, min(done + 4, 14))
        say(study, "stop", "tiny")
        stopped = await_rest(study)
        study.join()
        assert not any(worker.is_alive() for worker in study.workers)
        assert study.networks.tally()[TrialState.COMPLETE] < 15

        say(study, "resume", "tiny")
        idle = study.start(*pace, "--stay")
        study.start(*pace, "--stay")
        study.await_state(TrialState.COMPLETE, 15)
        assert study.networks.tally() == {TrialState.COMPLETE: 15}
        by_hand = next(t for t in study.networks.trials() if t.number == number)
        tried = study.launch.plan.space.short(by_hand.params)
        assert tried["learning_rate"] == pytest.approx(0.0123)
        assert tried["neurons"] == 8
        assert set(study.runs().values()) == {"complete"}

        assert idle.is_alive(), "it waits for more"
        told = say(study, "remove", "tiny", "--yes")
        study.join()
        assert not any(worker.is_alive() for worker in study.workers)
        assert "Traceback" not in study.logs()
        assert study.logs().count("study tiny was removed") == 2
        assert study_names(study.launch.storage) == []
        assert not study.launch.plan.work.exists()
        assert not study.tracking().runs_below(study.parent)
        tell(
            f"control | {'postgresql' if url else 'sqlite'}: paused after {paused:.1f} s, stopped "
            f"after {stopped:.1f} s; 12 + 3 trials complete, one by hand; removed "
            f"({told.splitlines()[0]})"
        )


def test_a_study_at_work_is_not_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with crowd(tmp_path, monkeypatch, trials=4, epochs=40) as study:
        study.start("--epoch-seconds", "0.5", "--lease-seconds", "6")
        study.await_state(TrialState.RUNNING, 1)
        told = CliRunner().invoke(app, ["remove", "tiny", "--yes", "--root", str(study.root)])
        assert "is at work; stop it first: geno-hpo stop tiny" in str(told.exception)
        assert study.networks.tally()[TrialState.RUNNING] == 1


def test_a_wall_time_ends_the_search_with_what_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with crowd(tmp_path, monkeypatch, trials=500, epochs=20, wall="15s") as study:
        for _ in range(2):
            study.start("--epoch-seconds", "0.1", "--lease-seconds", "6")
        study.await_state(TrialState.COMPLETE, 1)
        began = time.monotonic()
        study.launch._search(study.record, study.pools)
        seconds = time.monotonic() - began
        trials, owed = study.networks.look()
        assert owed == 0, "nothing waits any more"
        assert {t.state for t in trials} == {TrialState.COMPLETE}, "what had begun was finished"
        assert 2 <= len(trials) < 500
        assert study.record.get("spent")["search"] >= 15
        study.record.set(phase="done")
        study.join()
        assert not any(worker.is_alive() for worker in study.workers)
        assert set(study.runs().values()) == {"complete"}
        assert len(study.runs()) == len(trials)
        tell(
            f"wall time | 15 s of a search with 500 trials: over after {seconds:.1f} s, "
            f"{len(trials)} complete, none running, none lost"
        )
