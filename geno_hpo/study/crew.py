"""The crew: a launcher's worker processes on this machine, started, minded and stopped.

Passwords reach a worker by its environment, never by its arguments, which everybody on a machine
can read.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from geno_hpo.errors import InputError, StorageError
from geno_hpo.study.gpus import Place, places
from geno_hpo.study.identity import machine_memory, worker_name
from geno_hpo.study.layout import Layout
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.storage import Pool
from geno_hpo.study.worker import RETIRED

__all__ = ["Crew"]

GRACE_SECONDS = 20.0
RESTARTS_ALLOWED = 3
"""Workers that may die one after another without a trial finished in between."""
MEMORY_SHARE = 0.6
"""Share of the machine's memory that all local workers may have before one is replaced."""


@dataclass
class LocalWorker:
    """A worker process of this launcher."""

    number: int
    layout: Layout
    process: subprocess.Popen[bytes]
    log: Path


class Crew:
    """Worker processes of one launch.

    Parameters
    ----------
    plan, session
        The study, and the launcher's token.
    per_gpu
        Workers on each GPU, where there are GPUs.
    say
        Called with one plain sentence when a worker is replaced.
    """

    def __init__(
        self, plan: StudyPlan, session: str, per_gpu: int, say: Callable[[str], None]
    ) -> None:
        self._plan, self.session, self._say = plan, session, say
        self._per_gpu = per_gpu
        self._local: list[LocalWorker] = []
        self._leaving: list[LocalWorker] = []
        self._restarts = 0
        self._finished = 0

    @property
    def alive(self) -> bool:
        """Whether no worker has died."""
        return all(worker.process.poll() is None for worker in self._local)

    def start(self, layout: Layout) -> None:
        """Start the workers of a layout, beside those that there are."""
        (self._plan.work / "logs").mkdir(parents=True, exist_ok=True)
        for _ in range(layout.workers):
            self._local.append(self._start(len(self._local), layout))

    def keep(self, layout: Layout) -> None:
        """Keep the workers of a layout and let the others leave."""
        self._leaving = [worker for worker in self._local if worker.layout != layout]
        self._local = [worker for worker in self._local if worker.layout == layout]
        for worker in self._leaving:
            worker.process.terminate()

    def _start(self, number: int, layout: Layout) -> LocalWorker:
        log = self._plan.work / "logs" / f"worker-{number}.log"
        threads = layout.threads
        memory_limit = int(MEMORY_SHARE * machine_memory() / layout.workers)
        place = self._place(number, layout)
        environment = (
            os.environ
            | place.environment
            | {
                "TF_CPP_MIN_LOG_LEVEL": "3",
                "OMP_NUM_THREADS": str(threads),
                "PYTHONUNBUFFERED": "1",
            }
        )
        command = [sys.executable, "-m", "geno_hpo", "worker", str(self._plan.key)]
        command += ["--root", str(self._plan.project.root), "--threads", str(threads)]
        command += ["--session", self.session, "--memory-limit", str(memory_limit)]
        with log.open("ab") as stream:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                start_new_session=True,
            )
        return LocalWorker(number, layout, process, log)

    def _place(self, number: int, layout: Layout) -> Place:
        """Where a worker computes; one more than there are places shares from the first on."""
        found = places(layout.workers, self._per_gpu)
        return found[number % len(found)]

    def mind(self, pools: dict[str, Pool], finished: int) -> None:
        """Replace workers that died; give up when they keep dying with no trial finished.

        Raises
        ------
        StorageError
            They keep dying; the last words of one are told.
        """
        if finished > self._finished:
            self._finished, self._restarts = finished, 0
        for index, worker in enumerate(self._local):
            code = worker.process.poll()
            if code is None:
                continue
            if code == RETIRED:
                self._say(f"worker {worker.number} reached its memory limit; another takes over")
                self._local[index] = self._start(worker.number, worker.layout)
                continue
            if self._restarts >= RESTARTS_ALLOWED or code == InputError.exit_code:
                raise StorageError(
                    f"worker {worker.number} ended with exit code {code}; its last words "
                    f"({worker.log}):\n{_tail(worker.log)}"
                )
            self._restarts += 1
            self._say(f"worker {worker.number} ended with exit code {code}; starting another")
            dead = worker_name(worker.process.pid)
            for pool in pools.values():
                pool.recover(dead.__eq__)
            self._local[index] = self._start(worker.number, worker.layout)

    def await_end(self) -> None:
        """Wait a while for the workers to end by themselves."""
        deadline = time.monotonic() + GRACE_SECONDS
        for worker in (*self._local, *self._leaving):
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(deadline - time.monotonic(), 0.1))

    def stop(self) -> None:
        """Ask the workers to give their trials back and end; insist after a while."""
        for worker in (*self._local, *self._leaving):
            if worker.process.poll() is None:
                worker.process.send_signal(signal.SIGTERM)
        self.await_end()
        for worker in (*self._local, *self._leaving):
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait()
        self._local.clear()
        self._leaving.clear()


def _tail(path: Path, lines: int = 8) -> str:
    text = path.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join(f"    {line}" for line in text)
