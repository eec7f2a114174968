"""Where a trial stands after an epoch, as plain arrays in one file without pickle.

A trial draws everything random from its seed and the number of the epoch and step, so weights,
optimizer state and the course so far are all that it needs to go on as if it had never stopped.
"""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.training.protocol import EpochReport

__all__ = ["Checkpoint", "Snapshot", "read_snapshot", "write_snapshot"]

Arrays = tuple[NDArray[Any], ...]
FORMAT = 1
COURSE = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy")


@dataclass(frozen=True)
class Snapshot:
    """A trial between two epochs.

    Parameters
    ----------
    batch_size
        Samples a step as trained: less than asked for where memory did not suffice.
    best
        Epoch of the best mean score so far, from 1.
    history
        What was known after each epoch.
    states
        State of each replica after the last epoch, as the backend has it: weights, optimizer's
        variables, moving statistics. The backend's own arrays: they are copied one by one when
        they are written.
    kept, predictions
        States and validation predictions ``(n_valid, units)`` at the epoch that would be restored.
        States of an earlier epoch lack what only training needs: their optimizer's variables are
        empty.
    """

    batch_size: int
    best: int
    history: tuple[EpochReport, ...]
    states: tuple[Arrays, ...]
    kept: tuple[Arrays, ...]
    predictions: Arrays


class Checkpoint(Protocol):
    """Where the course of one trial is kept."""

    def load(self) -> Snapshot | None:
        """What an earlier attempt left; None to begin anew."""

    def due(self, size: int) -> bool:
        """Whether to save about `size` bytes now; asked after every epoch that is not the last."""

    def save(self, snapshot: Snapshot) -> None:
        """Keep a snapshot in place of the one before."""


def write_snapshot(path: Path, snapshot: Snapshot, key: str) -> None:
    """Write atomically, onto the disk itself; `key` tells what trial it is of.

    Raises
    ------
    OSError
        The disk is full or away; the old file stays.
    """
    history = snapshot.history
    arrays: dict[str, Any] = {}
    same = snapshot.kept is snapshot.states
    groups = [("state", snapshot.states)] + ([] if same else [("kept", snapshot.kept)])
    for name, states in groups:
        for fold, state in enumerate(states):
            arrays |= {f"{name}.{fold}.{i}": array for i, array in enumerate(state)}
    arrays |= {f"prediction.{fold}": array for fold, array in enumerate(snapshot.predictions)}
    arrays |= {name: np.array([getattr(epoch, name) for epoch in history]) for name in COURSE}
    arrays["fold_scores"] = np.array([epoch.fold_scores for epoch in history])
    arrays["seconds"] = np.array([epoch.seconds for epoch in history])
    told = {
        "format": FORMAT,
        "key": key,
        "batch_size": snapshot.batch_size,
        "best": snapshot.best,
        "replicas": len(snapshot.states),
        "arrays": [len(state) for state in snapshot.states],
        "same": same,
    }
    arrays["told"] = np.array(json.dumps(told))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with draft.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **arrays)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_snapshot(path: Path, key: str) -> Snapshot:
    """Read what `write_snapshot` wrote.

    Raises
    ------
    ValueError
        The file is damaged, or of another trial, and why.
    OSError
        It cannot be read.
    """
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        told = json.loads(str(arrays["told"]))
        if told["format"] != FORMAT or told["key"] != key:
            raise ValueError(f"it is of another trial or version ({told['key']}, not {key})")
        return _assembled(told, arrays)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(f"it is damaged: {error}") from error


def _assembled(told: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Snapshot:
    folds = range(told["replicas"])

    def states(name: str) -> tuple[Arrays, ...]:
        return tuple(
            tuple(arrays[f"{name}.{fold}.{i}"] for i in range(told["arrays"][fold]))
            for fold in folds
        )

    history = tuple(
        EpochReport(
            epoch=number,
            score=float(np.mean(arrays["fold_scores"][number - 1])),
            fold_scores=tuple(float(x) for x in arrays["fold_scores"][number - 1]),
            seconds=float(arrays["seconds"][number - 1]),
            **{name: arrays[name][number - 1] for name in COURSE},
        )
        for number in range(1, len(arrays["seconds"]) + 1)
    )
    last = states("state")
    return Snapshot(
        batch_size=told["batch_size"],
        best=told["best"],
        history=history,
        states=last,
        kept=last if told["same"] else states("kept"),
        predictions=tuple(arrays[f"prediction.{fold}"] for fold in folds),
    )
