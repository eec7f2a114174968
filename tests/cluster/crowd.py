"""A prepared study and the doubles that work at it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from geno_hpo.study.launch import Launch
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.record import Record
from geno_hpo.study.storage import Pool
from geno_hpo.tracking import Tracking
from tests.cluster.double import forked
from tests.conftest import STUDY, write_project

FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["tests.cluster.double"])
PATIENCE = 1500.0
"""Seconds after which a test that waits fails: machines may be busy."""


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

    def await_end(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            tally = self.networks.tally()
            if not tally[TrialState.WAITING] + tally[TrialState.RUNNING]:
                return
            if not any(worker.is_alive() for worker in self.workers):
                break
            time.sleep(0.2)
        raise AssertionError(f"not done: {self.networks.tally()}\n{self.logs()[-4000:]}")

    def await_state(self, state: TrialState, count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.networks.tally()[state] < count:
            assert time.monotonic() < deadline, f"{self.networks.tally()}\n{self.logs()[-4000:]}"
            time.sleep(0.05)

    def join(self) -> None:
        for worker in self.workers:
            worker.join(300)

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
    wall: str = "",
) -> Iterator[Crowd]:
    """A prepared study without baselines or control, for doubles to work at."""
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    budget = f"trials: {trials}, epochs: {epochs}" + (f", wall_time: {wall}" if wall else "")
    study = STUDY.replace("trials: 4, epochs: 5, patience: 5", budget)
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
