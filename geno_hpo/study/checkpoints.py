"""Checkpoints of the trials of a study: when one is written, what it may cost, when it goes.

A checkpoint is written when an epoch ends: after every half minute, but never so often that
writing takes more than a fiftieth of the time, and at once when the worker was told to stop.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from geno_hpo import __version__
from geno_hpo.training.checkpoint import Snapshot, read_snapshot, write_snapshot

__all__ = ["CHECKPOINT_SECONDS", "Interrupted", "TrialCheckpoint", "drop_checkpoints"]

CHECKPOINT_SECONDS = 30.0
COST_SHARE = 50.0
"""At least so many times the last writing's duration passes before the next one."""
FOLDER = "checkpoints"


class Interrupted(Exception):  # noqa: N818 - not an error: the worker was asked to stop
    """The worker was told to stop in the middle of a trial."""


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
    ) -> None:
        self.path = work / FOLDER / f"{name}.npz"
        self.notes: list[str] = []
        told = json.dumps([meaning, __version__], sort_keys=True, default=str)
        self._key = hashlib.sha256(told.encode()).hexdigest()[:16]
        self._seconds, self._stop, self._tick = seconds, stop, tick
        self._found: Snapshot | None = None
        self._looked = False
        self._wait, self._last = seconds, time.monotonic()

    def load(self) -> Snapshot | None:
        """What an earlier attempt left, or None; why a file is not used stands in the notes."""
        if not self._looked:
            self._looked = True
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

    def due(self) -> bool:
        """Whether to save now, after an epoch."""
        self._tick()
        return self._stop() or time.monotonic() - self._last >= self._wait

    def save(self, snapshot: Snapshot) -> None:
        """Write a snapshot; a disk that is full is noted, and the training goes on.

        Raises
        ------
        Interrupted
            The worker was told to stop; what could be kept is kept.
        """
        begun = time.monotonic()
        try:
            write_snapshot(self.path, snapshot, self._key)
        except OSError as error:
            note = f"no checkpoint could be written: {error.strerror or error}"
            if note not in self.notes:
                self.notes.append(note)
        self._last = time.monotonic()
        self._wait = max(self._seconds, COST_SHARE * (self._last - begun) * bool(self._seconds))
        if self._stop():
            raise Interrupted

    def remove(self) -> None:
        """Remove the file: the trial has ended."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)


def drop_checkpoints(work: Path) -> None:
    """Remove all checkpoints of a study that is done."""
    shutil.rmtree(work / FOLDER, ignore_errors=True)
