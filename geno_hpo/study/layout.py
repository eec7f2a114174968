"""How many workers of how many threads: what may be tried, when a probe pays, what was found.

A *layout* is a number of worker processes and the threads that each trains with. TensorFlow fixes
its threads when it starts, so another layout means other processes. Workers are not pinned to
cores: the system's scheduler shares the cores between two studies on one machine, and fixed cores
would put both on the same ones.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from geno_hpo import __version__
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared
from geno_hpo.training.setup import chosen_backend

__all__ = ["Choice", "Choices", "Layout", "cores", "count", "layouts", "reckoned_seconds"]

SECONDS_AN_EPOCH = 0.01
CODES_A_SECOND = 1e7
"""What a replica-epoch is reckoned to take on one core before anything is measured: 10 ms, and a
second for each ten million codes (samples × positions) of its training part."""


def cores() -> int:
    """Cores that this process may use: Slurm and containers give fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Layout:
    """A number of workers and of threads a worker."""

    workers: int
    threads: int

    def __str__(self) -> str:
        each = " each" if self.workers > 1 else ""
        return f"{count(self.workers, 'worker')} of {count(self.threads, 'thread')}{each}"


def count(number: int, word: str, words: str = "") -> str:
    """``1 core``, ``2 cores``; `words` where the plural is not ``word`` with an s."""
    return f"{number} {word if number == 1 else words or word + 's'}"


def layouts(cores: int, workers: int | None = None) -> tuple[Layout, ...]:
    """Layouts to try, the usual one first; each next one is tried if the one before it was better.

    Free, they go from a worker a core to one worker on all cores by halves; with `workers` fixed,
    from all its cores a worker to one thread a worker.
    """
    if workers is None:
        counts = [cores]
        while counts[-1] > 1:
            counts.append(counts[-1] // 2)
        return tuple(Layout(count, cores // count) for count in counts)
    threads = [max(cores // workers, 1)]
    while threads[-1] > 1:
        threads.append(threads[-1] // 2)
    return tuple(Layout(workers, count) for count in threads)


def reckoned_seconds(plan: StudyPlan, prepared: Prepared, trials: int, cores: int) -> float:
    """Seconds that `trials` network trials take at most, as reckoned before anything is measured.

    The budget's wall time bounds it; epochs that pruning and early stopping save are not taken off.
    """
    folds = prepared.split.folds
    codes = len(folds[0].train) * prepared.dataset.features
    one = SECONDS_AN_EPOCH + codes / CODES_A_SECOND
    budget = plan.config.budget
    return min(trials * budget.epochs * len(folds) * one / cores, budget.wall_time or math.inf)


@dataclass(frozen=True)
class Choice:
    """A layout that a probe chose, and the sentence that tells why."""

    layout: Layout
    why: str


class Choices:
    """What probes found on the machines of this project.

    Parameters
    ----------
    file
        A JSON file; it is made when the first choice is kept.
    cores, workers
        Cores of this machine, and the number of workers where it is fixed.
    """

    def __init__(self, file: Path, cores: int, workers: int | None) -> None:
        self._file = file
        self._machine = [socket.gethostname(), cores, workers, __version__]
        if chosen_backend() != "tensorflow":
            self._machine.append(chosen_backend())

    def of_study(self, plan: StudyPlan) -> str:
        """Key of a study as its files define it, known before its data are read."""
        return self._digest([plan.definition])

    def of_shape(self, plan: StudyPlan, prepared: Prepared) -> str:
        """Key of all studies with data of this shape and the same search space."""
        data, fold = prepared.dataset, prepared.split.folds[0]
        shape = [data.kind, data.features, data.target.task, data.target.units, len(fold.train)]
        return self._digest([shape, plan.config.preprocess.select, plan.space.fingerprint])

    def get(self, key: str) -> Choice | None:
        """What was chosen for this key."""
        found = self._read().get(key)
        return None if found is None else Choice(Layout(**found["layout"]), found["why"])

    def keep(self, choice: Choice, *keys: str) -> None:
        """Keep a choice under these keys."""
        with FileLock(self._file.with_suffix(".lock")):
            whole = self._read() | dict.fromkeys(keys, asdict(choice))
            draft = self._file.with_suffix(".tmp")
            draft.write_text(json.dumps(whole, indent=1))
            draft.replace(self._file)

    def _read(self) -> dict[str, Any]:
        if not self._file.exists():
            return {}
        whole: dict[str, Any] = json.loads(self._file.read_text())
        return whole

    def _digest(self, told: list[Any]) -> str:
        return hashlib.sha256(json.dumps([self._machine, told]).encode()).hexdigest()[:16]
