"""The background writer: a thread that sends what runs record to MLflow, in batches.

One call a metric costs a quarter of a second a trial on SQLite, one batch a trial a few
hundredths. So `RunLog` puts its records on a queue; this thread gathers what came within a
second and sends it as few calls. A store that fails is tried again until `patience` has passed;
nothing is dropped meanwhile. After that the error is kept and raised at the caller's next word.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from geno_hpo.errors import StorageError

__all__ = ["Batch", "Writer"]

METRICS_A_CALL = 1000
ENTRIES_A_CALL = 100


@dataclass
class Batch:
    """What one run has recorded since the last flush."""

    metrics: list[Any] = field(default_factory=list)
    params: list[Any] = field(default_factory=list)
    tags: list[Any] = field(default_factory=list)

    def send(self, client: Any, run_id: str) -> None:
        """Send the batch in as few calls as MLflow's limits allow."""
        while self.metrics or self.params or self.tags:
            metrics, params = self.metrics[:METRICS_A_CALL], self.params[:ENTRIES_A_CALL]
            tags = self.tags[:ENTRIES_A_CALL]
            room = METRICS_A_CALL - len(params) - len(tags)
            client.log_batch(run_id, metrics=metrics[:room], params=params, tags=tags)
            del self.metrics[:room], self.params[: len(params)], self.tags[: len(tags)]


class Writer:
    """Runs MLflow work in one thread, in the order it was given.

    Parameters
    ----------
    client
        An ``MlflowClient``.
    interval
        Seconds between two flushes.
    patience
        Seconds for which a failing store is tried again.
    """

    def __init__(self, client: Any, *, interval: float = 1.0, patience: float = 120.0) -> None:
        self.client = client
        self._interval = interval
        self._patience = patience
        self._queue: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._error: BaseException | None = None
        self._dirty: dict[int, Callable[[], None]] = {}
        self._thread = threading.Thread(target=self._loop, name="mlflow-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], None]) -> None:
        """Do `work` in the writer's thread; raises what an earlier work failed with.

        Raises
        ------
        StorageError
            The tracking store could not be written for longer than the patience.
        """
        self._raise()
        self._queue.put(work)

    def later(self, key: int, flush: Callable[[], None]) -> None:
        """Call `flush` at the next interval, once however often it is asked (writer thread)."""
        self._dirty[key] = flush

    def settle(self, key: int) -> None:
        """Flush one run's batch now (writer thread)."""
        flush = self._dirty.pop(key, None)
        if flush is not None:
            flush()

    def close(self) -> None:
        """Send everything and end the thread.

        Raises
        ------
        StorageError
            Something could not be sent.
        """
        self._queue.put(None)
        self._thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise StorageError(
                f"the tracking store could not be written for {self._patience:.0f} s: {self._error}"
            ) from self._error

    def _loop(self) -> None:
        due = time.monotonic() + self._interval
        while True:
            try:
                work = self._queue.get(timeout=max(due - time.monotonic(), 0.0))
            except queue.Empty:
                self._flush()
                due = time.monotonic() + self._interval
                continue
            if work is None:
                self._flush()
                return
            self._try(work)

    def _flush(self) -> None:
        for key in list(self._dirty):
            self._try(self._dirty.pop(key))

    def _try(self, work: Callable[[], None]) -> None:
        if self._error is not None:
            return
        start, pause = time.monotonic(), 0.2
        while True:
            try:
                work()
            except Exception as error:
                if time.monotonic() - start > self._patience:
                    self._error = error
                    return
                time.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return
