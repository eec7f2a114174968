"""When a checkpoint is written, what it may cost, and when it goes."""

from __future__ import annotations

import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.study import checkpoints
from geno_hpo.study.checkpoints import Interrupted, Pace, TrialCheckpoint
from geno_hpo.training.checkpoint import Snapshot
from geno_hpo.training.protocol import EpochReport

Disk = namedtuple("Disk", "total used free")
SMALL, LARGE = 10_000_000, 1_000_000_000


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is moved by hand."""
    time = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: time[0])
    return time


def snapshot() -> Snapshot:
    nothing = np.zeros(1)
    epoch = EpochReport(1, 0.5, (0.5,), nothing, nothing, nothing, nothing, 0.1)
    states = ((np.arange(4.0),),)
    return Snapshot(8, 1, (epoch,), states, states, (np.zeros((3, 1), np.float32),))


@pytest.mark.parametrize(
    ("size", "speed", "due_after"),
    [(SMALL, None, 30), (LARGE, None, 500), (LARGE, 5e8, 100), (SMALL, 1e6, 500)],
    ids=["small", "large, disk unknown", "large, fast disk", "small, slow disk"],
)
def test_writing_takes_a_fiftieth_of_the_time_at_most(
    tmp_path: Path, clock: list[float], size: int, speed: float | None, due_after: float
) -> None:
    pace = Pace()
    if speed is not None:
        pace.learn(size, size / speed)
    checkpoint = TrialCheckpoint(tmp_path, "trial", "meaning", pace=pace)
    assert checkpoint.load() is None
    clock[0] = due_after - 1
    assert not checkpoint.due(size)
    clock[0] = due_after
    assert checkpoint.due(size)


def test_a_worker_learns_what_checkpoints_cost(
    tmp_path: Path, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(*_given: object) -> None:
        clock[0] += 20

    monkeypatch.setattr(checkpoints, "write_snapshot", slowly)
    pace = Pace()
    first = TrialCheckpoint(tmp_path, "first", "meaning", pace=pace)
    clock[0] = 600
    assert first.due(LARGE)
    first.save(snapshot())
    clock[0] += 999
    assert not first.due(LARGE)
    clock[0] += 1
    assert first.due(LARGE)
    another = TrialCheckpoint(tmp_path, "another", "meaning", pace=pace)
    clock[0] += 999
    assert not another.due(LARGE)


def test_a_worker_that_is_told_to_stop_writes_at_once(tmp_path: Path, clock: list[float]) -> None:
    checkpoint = TrialCheckpoint(tmp_path, "trial", "meaning", stop=lambda: True)
    assert checkpoint.due(LARGE)
    with pytest.raises(Interrupted):
        checkpoint.save(snapshot())
    found = TrialCheckpoint(tmp_path, "trial", "meaning").load()
    assert found is not None
    assert len(found.history) == 1


def test_a_checkpoint_never_fills_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Disk(9, 9, 3 * LARGE))
    checkpoint = TrialCheckpoint(tmp_path, "trial", "meaning")
    clock[0] = 600
    assert checkpoint.due(LARGE)
    checkpoint.save(snapshot())
    assert not checkpoint.path.exists()
    assert checkpoint.notes == [
        "no checkpoint could be written: its 1.0 GB are more than a quarter of the free disk"
    ]


def test_drafts_of_workers_that_were_killed_go(tmp_path: Path) -> None:
    checkpoint = TrialCheckpoint(tmp_path, "network-00001", "meaning")
    folder = checkpoint.path.parent
    folder.mkdir()
    for name in ("network-00001.12.tmp", "network-00002.12.tmp"):
        (folder / name).touch()
    checkpoint.load()
    assert [path.name for path in folder.iterdir()] == ["network-00002.12.tmp"]
