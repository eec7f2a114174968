"""Checkpoints of the trials of a study: when one is written, what it may cost, when it goes.

A checkpoint is written when an epoch ends: after every half minute, but never so often that
writing takes more than a fiftieth of the time, and at once when the worker was told to stop. A
worker reckons what the next one will cost from its size and from how fast the last one came onto
the disk. One that would take much of the free disk is not written.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geno_hpo import __version__
from geno_hpo.study.fingerprint import fingerprint
from geno_hpo.training.checkpoint import Snapshot, read_snapshot, write_snapshot

__all__ = ["CHECKPOINT_SECONDS", "Interrupted", "Pace", "TrialCheckpoint", "drop_checkpoints"]

CHECKPOINT_SECONDS = 30.0
COST_SHARE = 50.0
"""At least so many times the duration of a writing passes before it."""
FIRST_PACE = 1e8
"""Bytes a second that a disk is taken to write until a checkpoint was written."""
DISK_SHARE = 0.25
"""Share of the free disk that a checkpoint may take."""
FOLDER = "checkpoints"


class Interrupted(Exception):  # noqa: N818 - not an error: the worker was asked to stop
    """The worker was told to stop in the middle of a trial."""


class Pace:
    """How fast checkpoints of a worker come onto the disk; its trials share it."""

    def __init__(self) -> None:
        self._speed = FIRST_PACE

    def seconds(self, size: int) -> float:
        """Time that so many bytes will take."""
        return size / self._speed

    def learn(self, size: int, seconds: float) -> None:
        """Hear what the last writing took."""
        self._speed = max(size, 1) / max(seconds, 1e-6)


class TrialCheckpoint:
    """The checkpoint of one trial; see `geno_hpo.training.checkpoint.Checkpoint`.

    Parameters
    ----------
    work, name
        The study's work folder, and a name of the trial in it.
    meaning
        Everything that the trial's course depends on; a file of another meaning is not used.
    seconds
        Time between two checkpoints; 0 writes one after every epoch.
    stop
        True once the worker should end; the checkpoint is then written and the trial interrupted.
    tick
        Called after every epoch.
    pace
        The worker's.
    """

    def __init__(
        self,
        work: Path,
        name: str,
        meaning: Any,
        *,
        seconds: float = CHECKPOINT_SECONDS,
        stop: Callable[[], bool] = lambda: False,
        tick: Callable[[], None] = lambda: None,
        pace: Pace | None = None,
    ) -> None:
        self.path = work / FOLDER / f"{name}.npz"
        self.notes: list[str] = []
        self._key = fingerprint([meaning, __version__])
        self._seconds, self._stop, self._tick = seconds, stop, tick
        self._pace = pace or Pace()
        self._found: Snapshot | None = None
        self._looked = False
        self._size, self._last = 0, time.monotonic()

    def load(self) -> Snapshot | None:
        """What an earlier attempt left, or None; why a file is not used stands in the notes."""
        if not self._looked:
            self._looked = True
            self._sweep()
            try:
                self._found = read_snapshot(self.path, self._key)
                done = len(self._found.history)
                self.notes.append(f"gone on after epoch {done} of an interrupted attempt")
            except FileNotFoundError:
                pass
            except (OSError, ValueError) as error:
                self.notes.append(f"begun anew: the checkpoint could not be used, {error}")
            self._last = time.monotonic()
        return self._found

    def due(self, size: int) -> bool:
        """Whether to save about `size` bytes now, after an epoch."""
        self._tick()
        self._size = size
        wait = max(self._seconds, COST_SHARE * self._pace.seconds(size)) if self._seconds else 0.0
        return self._stop() or time.monotonic() - self._last >= wait

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot; a disk that is full is noted, and the training goes on.

        Raises
        ------
        Interrupted
            The worker was told to stop; what could be kept is kept.
        """
        begun = time.monotonic()
        try:
            self._see_room()
            write_snapshot(self.path, snapshot, self._key)
            self._pace.learn(self._size, time.monotonic() - begun)
        except OSError as error:
            note = f"no checkpoint could be written: {error.strerror or error}"
            if note not in self.notes:
                self.notes.append(note)
        self._last = time.monotonic()
        if self._stop():
            raise Interrupted

    def _see_room(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self._size > DISK_SHARE * shutil.disk_usage(self.path.parent).free:
            raise OSError(f"its {self._size / 1e9:.1f} GB are more than a quarter of the free disk")

    def _sweep(self) -> None:
        """Remove drafts of workers that were killed while they wrote."""
        for draft in self.path.parent.glob(f"{self.path.stem}.*.tmp"):
            draft.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the file: the trial has ended."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
            self._sweep()


def drop_checkpoints(work: Path) -> None:
    """Remove all checkpoints of a study that is done."""
    shutil.rmtree(work / FOLDER, ignore_errors=True)
