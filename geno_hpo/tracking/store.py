"""The tracking store: opened and migrated once, experiments and study runs by name.

Fresh MLflow databases must not be opened by several processes at once (their migrations race), so
the launcher calls `prepare` before any worker starts. The tracking address is always set: MLflow's
default changes with what lies in ``./mlruns``.
"""

from __future__ import annotations

import contextlib
import getpass
import logging
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geno_hpo.errors import StorageError
from geno_hpo.tracking.datasets import DatasetTag
from geno_hpo.tracking.quick import quicken
from geno_hpo.tracking.views import CHARTS, TRIALS, page_of
from geno_hpo.tracking.writer import Batch

__all__ = ["PastRun", "Tracking"]

PARENT_TAG = "mlflow.parentRunId"
NAME_TAG = "mlflow.runName"
NOTE_TAG = "mlflow.note.content"
KIND_TAG = "mlflow.experimentKind"  # else MLflow opens its pages for language models
KEY_TAG = "geno_hpo.study"
USER_TAG = "mlflow.user"
SOURCE_TAGS = {"mlflow.source.name": "geno-hpo", "mlflow.source.type": "LOCAL"}
STAGE_TAG = "stage"
TRIAL_TAG = "trial"
BINNED_TAG = "discarded"
RUNS_A_PAGE = 1000


@dataclass(frozen=True)
class PastRun:
    """A run that is written after the fact.

    Parameters
    ----------
    name, params, tags
        As a run has them.
    curves
        By metric, the steps and their values.
    status
        ``FINISHED``, ``FAILED`` or ``KILLED``.
    started, ended
        Milliseconds since 1970; None where unknown.
    dataset
        What it saw.
    """

    name: str
    params: Mapping[str, Any]
    tags: Mapping[str, str]
    curves: Mapping[str, Sequence[tuple[int, float]]]
    status: str
    started: int | None
    ended: int | None
    dataset: DatasetTag | None = None


class Tracking:
    """One MLflow experiment: that of a study.

    Parameters
    ----------
    uri
        Tracking address.
    artifacts
        Folder for files when the store is local; None leaves it to the server.
    experiment
        Experiment name: the study's.
    """

    def __init__(self, uri: str, artifacts: Path | None, experiment: str) -> None:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
        os.environ.setdefault("MLFLOW_LOGGING_LEVEL", "ERROR")
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # two lines a run
        from mlflow.tracking import MlflowClient

        for noisy in ("mlflow", "mlflow.store.db.utils", "alembic"):
            logging.getLogger(noisy).setLevel(logging.ERROR)
        self.uri = uri
        self._artifacts = artifacts
        self._name = experiment
        self._user = _user()
        local = Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None
        fresh = local is not None and not local.exists()
        try:
            self.client = MlflowClient(tracking_uri=uri)
            self.experiment_id = self._experiment()
        except Exception as error:
            if fresh and local is not None:
                # Half a migration would stand in the way of the next attempt; nothing is in it.
                with contextlib.suppress(OSError):
                    local.unlink(missing_ok=True)
            raise StorageError(
                f"the tracking store cannot be opened: {str(error).splitlines()[0]}"
            ) from error

    def _experiment(self) -> str:
        found = self.client.get_experiment_by_name(self._name)
        if found is not None:
            if found.lifecycle_stage == "deleted":
                self._restore(str(found.experiment_id))
            return str(found.experiment_id)
        location = None
        if self._artifacts is not None:
            folder = self._artifacts / self._name
            folder.mkdir(parents=True, exist_ok=True)
            location = folder.resolve().as_uri()
        return str(
            self.client.create_experiment(
                self._name, artifact_location=location, tags={KIND_TAG: "custom_model_development"}
            )
        )

    def _restore(self, experiment: str) -> None:
        """Bring an archived experiment back; MLflow empties its bin with it, which is refilled."""
        self.client.restore_experiment(experiment)
        for run in self._runs(experiment, f"tags.{BINNED_TAG} = 'true'"):
            self.client.delete_run(run.info.run_id)

    def archive(self) -> None:
        """Hide the experiment and its runs; whoever opens it next brings it back."""
        self.client.delete_experiment(self.experiment_id)

    @property
    def trials_page(self) -> str:
        """Page of the searched trials by score, below a server's address."""
        return page_of(self.experiment_id, TRIALS)

    @property
    def charts_page(self) -> str:
        """Page of the searched trials as charts, below a server's address."""
        return page_of(self.experiment_id, CHARTS)

    def report_page(self, run_id: str) -> str:
        """Page of the report among a run's files, below a server's address."""
        run = f"#/experiments/{self.experiment_id}/runs/{run_id}"
        return f"{run}/artifacts/report/report.html?workflowType=machine_learning"

    def describe_experiment(self, note: str, tags: Mapping[str, str]) -> None:
        """Write a Markdown note and tags to the experiment."""
        for key, value in {NOTE_TAG: note, **tags}.items():
            self.client.set_experiment_tag(self.experiment_id, key, value)

    def study_run(self, key: str, tags: Mapping[str, str]) -> str:
        """Run id of the study's parent run; created at the first call, running again later."""
        from mlflow.entities import RunStatus

        runs = self.client.search_runs(
            [self.experiment_id], f"tags.`{KEY_TAG}` = '{key}' and tags.stage = 'study'"
        )
        if runs:
            run_id = str(runs[0].info.run_id)
            self.client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
            self.describe(run_id, tags=tags)
            return run_id
        return self._create(f"study {key}", {KEY_TAG: key, STAGE_TAG: "study", **tags}, None)

    def _create(self, name: str, tags: Mapping[str, str], started: int | None) -> str:
        """Create a run that says who started it, by what; return its id."""
        all_tags = {NAME_TAG: name, USER_TAG: self._user, **SOURCE_TAGS, **tags}
        run = self.client.create_run(self.experiment_id, start_time=started, tags=all_tags)
        return str(run.info.run_id)

    def start_run(
        self,
        name: str,
        *,
        parent: str | None,
        tags: Mapping[str, str],
        started: float | None = None,
    ) -> str:
        """Create a run, below the study's run where there is one, and return its id."""
        begun = int((started or time.time()) * 1000)
        above = {} if parent is None else {PARENT_TAG: parent}
        return self._create(name, {**above, **tags}, begun)

    def discard_trial(self, parent: str, trial: str) -> int:
        """Delete what an earlier, lost attempt at a trial has left; return how many runs."""
        runs = self.client.search_runs(
            [self.experiment_id],
            f"tags.`{PARENT_TAG}` = '{parent}' and tags.`{TRIAL_TAG}` = '{trial}'",
        )
        for run in runs:
            self.delete(run.info.run_id)
        return len(runs)

    def runs_below(self, parent: str) -> list[Any]:
        """All runs below the study's run."""
        return self._runs(self.experiment_id, f"tags.`{PARENT_TAG}` = '{parent}'")

    def _runs(self, experiment: str, chosen: str) -> list[Any]:
        found: list[Any] = []
        token = None
        while token != "":
            page = self.client.search_runs(
                [experiment], chosen, max_results=RUNS_A_PAGE, page_token=token
            )
            found += page
            token = page.token or ""
        return found

    def delete(self, run_id: str) -> None:
        """Put a run into MLflow's bin, marked as one that does not come back."""
        self.client.set_tag(run_id, BINNED_TAG, "true")
        self.client.delete_run(run_id)

    def has_run(self, run_id: str) -> bool:
        """Whether a run is there and not deleted."""
        from mlflow.exceptions import MlflowException

        try:
            return bool(self.client.get_run(run_id).info.lifecycle_stage == "active")
        except MlflowException:
            return False

    def trials_of(self, parent: str) -> set[str]:
        """Tags ``trial`` of all runs below the study's run."""
        return {run.data.tags.get(TRIAL_TAG, "") for run in self.runs_below(parent)}

    def write_past(self, parent: str, past: PastRun) -> None:
        """Write a whole run below the study's run."""
        from mlflow.entities import Metric, Param

        run_id = self._create(past.name, {PARENT_TAG: parent, **past.tags}, past.started)
        if past.dataset is not None:
            self.log_dataset(run_id, past.dataset)
        when = past.ended or past.started or int(time.time() * 1000)
        batch = Batch(params=[Param(key, str(value)) for key, value in past.params.items()])
        batch.metrics.extend(
            Metric(name, value, when, step)
            for name, steps in past.curves.items()
            for step, value in steps
            if math.isfinite(value)
        )
        batch.send(self.client, run_id)
        self.client.set_terminated(run_id, past.status, end_time=past.ended)

    def describe(
        self,
        run_id: str,
        *,
        note: str | None = None,
        tags: Mapping[str, str] | None = None,
        metrics: Mapping[str, float] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> None:
        """Write a Markdown note, tags, metrics and parameters to a run."""
        for key, value in (tags or {}).items():
            self.client.set_tag(run_id, key, value)
        if note is not None:
            self.client.set_tag(run_id, NOTE_TAG, note)
        for key, number in (metrics or {}).items():
            self.client.log_metric(run_id, key, number)
        for key, value in (params or {}).items():
            self.client.log_param(run_id, key, value)

    def log_dataset(self, run_id: str, dataset: DatasetTag, context: str = "training") -> None:
        """Tell MLflow which data a run saw, as ``mlflow.data`` reads it back."""
        self.client.log_inputs(run_id, [dataset.entity(context)])

    def keep_text(self, run_id: str, text: str, name: str) -> None:
        """Keep a text as a file with the run."""
        self.client.log_text(run_id, text, name)

    def keep_files(self, run_id: str, folder: Path, into: str) -> None:
        """Keep every file of `folder` with the run."""
        self.client.log_artifacts(run_id, str(folder), into)

    def finish(self, run_id: str, status: str = "FINISHED") -> None:
        """Close a study's run, and keep searches of many runs quick."""
        self.client.set_terminated(run_id, status)
        quicken(self.uri)


def _user() -> str:
    """Who runs this; a container may have no name for its user."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
