"""Many workers on one storage: exact budgets, lost workers, servers that go away."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from geno_hpo.study.commands import ask
from geno_hpo.study.launch import Launch
from geno_hpo.study.lease import LEASE, Lease
from geno_hpo.study.mend import mend_runs
from geno_hpo.study.paths import Project
from geno_hpo.study.record import Record
from geno_hpo.study.storage import Pool
from geno_hpo.study.worker import open_pools
from geno_hpo.tracking import Tracking
from tests.cluster.double import forked
from tests.cluster.servers import PASSWORD, MLflow, Postgres
from tests.conftest import STUDY, write_project

pytestmark = pytest.mark.cluster
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.cluster.double"])


def tell(line: str) -> None:
    """Keep a line for docs/reliability.md, where the variable names a file."""
    target = os.environ.get("GENO_HPO_SHOW")
    if target:
        with Path(target).open("a") as stream:
            stream.write(line + "\n")


@dataclass
class Crowd:
    """A prepared study and its doubles."""

    root: Path
    launch: Launch
    pools: dict[str, Pool]
    record: Record
    parent: str
    workers: list[Any] = field(default_factory=list)
    started: int = 0

    @property
    def networks(self) -> Pool:
        return self.pools["network"]

    def start(self, *arguments: str) -> Any:
        """Fork a double from a process that has imported everything already."""
        log = self.root / f"worker-{self.started}.log"
        worker = FORKS.Process(
            target=forked, args=(log, [str(self.root), *arguments], dict(os.environ))
        )
        worker.start()
        self.started += 1
        self.workers.append(worker)
        return worker

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.root.glob("worker-*.log")))

    def await_end(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            tally = self.networks.tally()
            if not tally[TrialState.WAITING] + tally[TrialState.RUNNING]:
                return
            if not any(worker.is_alive() for worker in self.workers):
                break
            time.sleep(0.2)
        raise AssertionError(f"not done: {self.networks.tally()}\n{self.logs()[-4000:]}")

    def await_state(self, state: TrialState, count: int, seconds: float = 200) -> None:
        deadline = time.monotonic() + seconds
        while self.networks.tally()[state] < count:
            assert time.monotonic() < deadline, f"{self.networks.tally()}\n{self.logs()[-4000:]}"
            time.sleep(0.05)

    def join(self) -> None:
        for worker in self.workers:
            worker.join(60)

    def runs(self) -> dict[str, str]:
        """State of each trial's MLflow run; fails where a trial has two."""
        tracking = self.tracking()
        found: dict[str, str] = {}
        for run in tracking.runs_below(self.parent):
            trial = run.data.tags["trial"]
            assert trial not in found, f"two runs of trial {trial}"
            found[trial] = run.data.tags.get("state", run.info.status)
        return found

    def tracking(self) -> Tracking:
        project = self.launch.project
        local = project.tracking_uri.startswith("sqlite")
        folder = project.mlruns / "artifacts" if local else None
        return Tracking(project.tracking_uri, folder, "tiny")


@contextmanager
def crowd(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    trials: int,
    epochs: int,
    url: str = "",
    mlflow: str = "",
) -> Iterator[Crowd]:
    """A prepared study without baselines or control, for doubles to work at."""
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    study = STUDY.replace(
        "trials: 4, epochs: 5, patience: 5", f"trials: {trials}, epochs: {epochs}"
    )
    study = study.replace("ridge: {trials: 2}", "ridge: false").replace(
        "control: {trials: 1}", "control: false"
    )
    root = write_project(folder / "project", study)
    if url:
        monkeypatch.setenv("GENO_HPO_STORAGE", url)
    if mlflow:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow)
    launch = Launch(Project(root), "tiny", workers=1)
    pools = open_pools(launch.plan, launch.storage, maximise=True, create=True)
    record = Record(pools["network"].study)
    record.agree(launch.plan)
    launch._prepare(record)
    for part, asked in launch.plan.budgets.items():
        pools[part].fill(asked)
    record.set(phase="search")
    made = Crowd(root, launch, pools, record, str(record.get("mlflow_run")))
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.kill()
            worker.join()
            worker.close()
        launch.storage.remove_session()
        launch.storage.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()


def test_twenty_kills_lose_and_double_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    dice = random.Random(3)
    arguments = ("--epoch-seconds", "0.15", "--lease-seconds", "3")
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
        study.await_end(240)
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


def test_postgresql_away_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    with crowd(tmp_path, monkeypatch, trials=30, epochs=20, url=postgres.database()) as study:
        for _ in range(3):
            study.start("--epoch-seconds", "0.1", "--lease-seconds", "5")
        study.await_state(TrialState.COMPLETE, 3)
        postgres.stop()
        time.sleep(15)
        postgres.start()
        study.await_end(200)
        study.join()
        assert study.networks.tally() == {TrialState.COMPLETE: 30}
        assert all(
            len(t.intermediate_values) == t.user_attrs["epochs"] for t in study.networks.trials()
        )
        assert set(study.runs().values()) == {"complete"}
        assert "waiting for the storage" in study.logs()
        assert PASSWORD not in study.logs()
        tell(
            "PostgreSQL away 15 s | 3 workers waited and went on: 30 of 30 complete, no epoch "
            "missing; their words: "
            + next(x for x in study.logs().splitlines() if x.startswith("waiting for the storage"))
        )


@pytest.mark.parametrize(
    ("workers", "trials", "kind"), [(8, 1000, "postgresql"), (16, 400, "sqlite")]
)
def test_many_trivial_trials(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    workers: int,
    trials: int,
    kind: str,
) -> None:
    url = request.getfixturevalue("postgres").database() if kind == "postgresql" else ""
    with crowd(tmp_path, monkeypatch, trials=trials, epochs=1, url=url) as study:
        began = time.monotonic()
        for _ in range(workers):
            study.start("--lease-seconds", "60", "--checkpoint-seconds", "60")
        study.await_end(400)
        seconds = time.monotonic() - began
        study.join()
        assert study.networks.tally() == {TrialState.COMPLETE: trials}
        numbers = [t.number for t in study.networks.trials()]
        assert numbers == list(range(trials))
        logs = study.logs()
        assert "locked" not in logs
        assert "Traceback" not in logs
        assert "eadlock" not in logs
        tell(
            f"many trials | {kind}: {trials} trials by {workers} processes in {seconds:.0f} s, "
            f"{trials / seconds:.1f} a second with start-up and MLflow; no lock, no deadlock"
        )


def test_two_hosts_whose_clocks_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    if shutil.which("faketime") is None or shutil.which("unshare") is None:
        pytest.skip("faketime and unshare are needed to play a second host")
    with crowd(tmp_path, monkeypatch, trials=6, epochs=20, url=postgres.database()) as study:
        study.start("--epoch-seconds", "0.3", "--lease-seconds", "4")
        script = f"hostname other-host && exec {sys.executable} -m tests.cluster.double"
        far = subprocess.Popen(
            [
                *("unshare", "--uts", "faketime", "-f", "-120s", "bash", "-c"),
                f"{script} {study.root} --epoch-seconds 0.3 --lease-seconds 4",
            ],
            cwd=Path(__file__).parents[2],
            env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        )
        study.await_end(240)
        study.join()
        assert far.wait(60) == 0
        trials = study.networks.trials()
        assert [t.state for t in trials] == [TrialState.COMPLETE] * 6
        hosts = {t.user_attrs["worker"].rpartition(":")[0] for t in trials}
        assert len(hosts) == 2
        lost = [Lease.read(t.system_attrs[LEASE]).lost for t in trials]
        assert lost == [0] * 6, "no lease was lost over the clocks"
        begun = {t.user_attrs["worker"].rpartition(":")[0]: t.datetime_start for t in trials}
        apart = max(begun.values()) - min(begun.values())
        tell(f"two hosts | clocks 120 s apart (trial starts {apart}); 6 of 6 complete, lost {lost}")


def test_mlflow_away_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_server: MLflow
) -> None:
    with crowd(tmp_path, monkeypatch, trials=12, epochs=20, mlflow=mlflow_server.url) as study:
        for _ in range(2):
            study.start("--epoch-seconds", "0.2", "--lease-seconds", "10")
        study.await_state(TrialState.COMPLETE, 2)
        mlflow_server.stop()
        time.sleep(15)
        mlflow_server.start()
        study.await_end(300)
        study.join()
        assert study.networks.tally() == {TrialState.COMPLETE: 12}
        assert set(study.runs().values()) == {"complete"}
        tracking = study.tracking()
        runs = {run.data.tags["trial"]: run for run in tracking.runs_below(study.parent)}
        assert len(runs) == 12
        for trial in study.networks.trials():
            run = runs[f"tiny {trial.number}"]
            history = tracking.client.get_metric_history(run.info.run_id, "score")
            assert {m.step: m.value for m in history} == trial.intermediate_values
        tell("MLflow away 15 s | 12 of 12 complete, 12 runs, every epoch's score arrived once")


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"0" * 4096)


def test_a_disk_that_is_full_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with crowd(disk, monkeypatch, trials=16, epochs=20) as study:
            for _ in range(2):
                study.start("--epoch-seconds", "0.2", "--lease-seconds", "10")
            study.await_state(TrialState.COMPLETE, 2)
            filler = disk / "filler"
            with pytest.raises(OSError, match="No space left"):
                fill(filler)
            time.sleep(12)
            full = study.networks.tally()[TrialState.COMPLETE]
            filler.unlink()
            study.await_end(200)
            study.join()
            assert study.networks.tally() == {TrialState.COMPLETE: 16}
            mend_runs(study.launch.plan, study.pools, study.tracking(), study.parent)
            assert set(study.runs().values()) == {"complete"}
            tell(
                f"disk full 12 s | {full} trials complete while it was full; 16 of 16 complete "
                "afterwards, 16 runs"
            )
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_all_workers_hear_pause_and_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with crowd(tmp_path, monkeypatch, trials=400, epochs=20) as study:
        project = study.launch.project
        for _ in range(2):
            study.start("--epoch-seconds", "0.1", "--lease-seconds", "6")
        study.await_state(TrialState.RUNNING, 2)
        ask(project, "tiny", "pause")
        deadline = time.monotonic() + 100
        while study.networks.tally()[TrialState.RUNNING]:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        ask(project, "tiny", "")
        study.await_state(TrialState.RUNNING, 2)
        ask(project, "tiny", "stop")
        study.join()
        tally = study.networks.tally()
        assert not any(worker.is_alive() for worker in study.workers)
        assert tally[TrialState.RUNNING] == 0
        assert sum(tally.values()) == 400
