"""`RunLog`: one MLflow run, recorded from the training thread and written by the `Writer`."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geno_hpo.tracking.datasets import DatasetTag
from geno_hpo.tracking.writer import Batch, Writer

if TYPE_CHECKING:
    from geno_hpo.tracking.store import Tracking

__all__ = ["RunLog"]

PARAM_LIMIT = 6000


class RunLog:
    """A run nested below the study's run, or one of its own. Every method returns at once.

    Parameters
    ----------
    tracking, writer
        The open store and its background writer.
    name
        Run name, such as ``trial 0042 cnn``.
    parent
        Run id of the study's run; None for a run of its own.
    params, tags
        Recorded when the run is created; the tag ``trial`` names the trial.
    dataset
        What the run sees.
    again
        An earlier attempt at this trial was lost; its runs are deleted first.
    """

    def __init__(
        self,
        tracking: Tracking,
        writer: Writer,
        name: str,
        *,
        parent: str | None,
        params: Mapping[str, Any],
        tags: Mapping[str, str],
        dataset: DatasetTag | None = None,
        again: bool = False,
    ) -> None:
        from mlflow.entities import Param

        self._writer = writer
        self._tracking = tracking
        self._batch = Batch(params=[Param(k, str(v)[:PARAM_LIMIT]) for k, v in params.items()])
        self._run_id: str | None = None
        self._abandoned = False
        started = time.time()
        attempts: list[float] = [started] if again else []

        def create() -> None:
            if self._abandoned:
                return
            if attempts and parent is not None and self._run_id is None:
                tracking.discard_trial(parent, tags["trial"])
            attempts.append(started)  # a call that failed may have made a run all the same
            if self._run_id is None:
                self._run_id = tracking.start_run(name, parent=parent, tags=tags, started=started)
            if dataset is not None:
                tracking.log_dataset(self._run_id, dataset)
            self._writer.later(id(self), self._flush)

        writer.submit(create)

    @property
    def run_id(self) -> str | None:
        """Id of the run; None until the writer has created it."""
        return self._run_id

    def _flush(self) -> None:
        if self._run_id is not None and not self._abandoned:
            self._batch.send(self._writer.client, self._run_id)

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Record metrics of one epoch; values that are not finite are left out."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        records = [Metric(k, float(v), now, step) for k, v in metrics.items() if math.isfinite(v)]

        def add() -> None:
            self._batch.metrics.extend(records)
            self._writer.later(id(self), self._flush)

        self._writer.submit(add)

    def artifact(self, path: Path, folder: str | None = None) -> None:
        """Keep a file with the run."""
        self._writer.submit(
            lambda: self._writer.client.log_artifact(self._run_id, str(path), folder)
        )

    def text(self, content: str, name: str) -> None:
        """Keep a text as a file with the run."""

        def send() -> None:
            if self._run_id is not None and not self._abandoned:
                self._writer.client.log_text(self._run_id, content, name)

        self._writer.submit(send)

    def end(self, status: str, tags: Mapping[str, str]) -> None:
        """Close the run as ``FINISHED`` (also when pruned: see the tag ``state``) or ``FAILED``."""
        from mlflow.entities import RunTag

        ended = int(time.time() * 1000)
        records = [RunTag(k, str(v)) for k, v in tags.items()]

        def close() -> None:
            if self._abandoned:
                return
            self._batch.tags.extend(records)
            self._flush()
            self._writer.settle(id(self))
            self._writer.client.set_terminated(self._run_id, status, end_time=ended)

        self._writer.submit(close)

    def discard(self) -> None:
        """Delete the run: its trial was interrupted and will be run anew."""

        def delete() -> None:
            self._writer.settle(id(self))
            if self._run_id is not None:
                self._tracking.delete(self._run_id)

        self._writer.submit(delete)

    def abandon(self) -> None:
        """Send nothing any more: another worker has taken the trial over, and deleted this run."""
        self._abandoned = True
