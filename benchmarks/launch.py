"""geno_hpo's side: a real study with real worker processes, and only its search timed.

`Arena` writes a project, prepares it as the launcher does (data, split, storage, MLflow run), and
`race` lets workers do the waiting trials. The clock runs from the moment that the search begins,
with every worker waiting for it, to the end of the last worker's last word to MLflow.
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import Case, write_project
from benchmarks.process import last_words, start
from geno_hpo.metrics import METRICS
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.prepared import Prepared, prepare
from geno_hpo.study.record import Record
from geno_hpo.study.storage import Pool, open_storage
from geno_hpo.tracking import Tracking

__all__ = ["Arena", "Race"]

POLL_SECONDS = 0.2
LOOK_SECONDS = 1.0
HARMLESS = ("non-finite", "withdrawn")
"""Failures that a search meets; any other is a fault of the benchmark or of the program."""
START_SECONDS = 300.0


@dataclass(frozen=True)
class Race:
    """What workers did.

    `seconds` is wall time without process starts, `processor` that of all workers' threads;
    `import_seconds` what a start takes; `ended` the seconds and value of each trial that completed,
    in the order of their ends.
    """

    seconds: float
    import_seconds: float
    trials: int
    peak_mb: float
    processor: float = 0.0
    ended: list[tuple[float, float]] = field(default_factory=list)
    parts: dict[str, float] = field(default_factory=dict)

    @property
    def per_hour(self) -> float:
        """Trials an hour."""
        return 3600 * self.trials / self.seconds


class Arena:
    """A prepared study without trials.

    Parameters
    ----------
    root
        An existing, empty folder.
    case, study, shipped, samples
        See `write_project`.
    """

    def __init__(self, root: Path, case: Case, study: dict[str, Any], **options: Any) -> None:
        self.root = root
        self.note = write_project(root, case, study=study, **options)
        project = Project(root)
        project.make_writable()
        self.plan: StudyPlan = load_plan(project, "bench")
        self.maximise = METRICS[self.plan.metric].maximise
        storage = open_storage(project.storage_url)
        self.pools = open_pools(self.plan, storage, maximise=self.maximise, create=True)
        self.record = Record(self.pools["network"].study)
        self.record.agree(self.plan)
        self.record.set(phase="preparing")
        self.prepared: Prepared = prepare(self.plan)
        self.record.agree(self.plan, self.prepared.fingerprint)
        tracking = Tracking(project.tracking_uri, project.mlruns / "artifacts", "bench")
        self.record.set(mlflow_run=tracking.study_run("bench", {}))

    @property
    def pool(self) -> Pool:
        """The networks' trials."""
        return self.pools["network"]

    def draw(self, count: int, seed: int = 1) -> list[dict[str, Any]]:
        """Configurations of the study's space, under short names."""
        rngs = (np.random.default_rng([seed, number]) for number in range(count))
        return [dict(self.plan.space.draw(rng)) for rng in rngs]

    def enqueue(self, configurations: list[dict[str, Any]]) -> None:
        """Let these be the trials that wait."""
        for params in configurations:
            self.pool.study.enqueue_trial(self.plan.space.to_optuna(params))

    def race(
        self,
        workers: int,
        *,
        first_fold: bool = False,
        enough: Callable[[Pool], bool] = lambda _: False,
    ) -> Race:
        """Let workers do what waits, until it is done or `enough` says so."""
        threads = max((os.cpu_count() or 1) // workers, 1)
        processes: list[tuple[subprocess.Popen[bytes], Path]] = []
        try:
            for number in range(workers):
                spec = self.root / f"worker-{number}.json"
                content = {
                    "root": str(self.root),
                    "number": number,
                    "threads": threads,
                    "maximise": self.maximise,
                    "first_fold": first_fold,
                }
                spec.write_text(json.dumps(content))
                environment = {"OMP_NUM_THREADS": str(threads)}
                processes.append((start("benchmarks.worker", spec, environment), spec))
            self._await_ready(processes)
            look = begun = time.time()
            self.record.set(phase="search")
            while any(process.poll() is None for process, _ in processes):
                if time.time() > look:
                    look = time.time() + LOOK_SECONDS
                    if enough(self.pool):
                        (self.root / "stop").touch()
                time.sleep(POLL_SECONDS)
        finally:
            for process, _ in processes:
                if process.poll() is None:
                    process.kill()
        for process, spec in processes:
            if process.returncode:
                raise RuntimeError(f"a worker failed:\n{last_words(spec)}")
        return self._gather(begun, [spec for _, spec in processes])

    def _await_ready(self, processes: list[tuple[subprocess.Popen[bytes], Path]]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while len(list(self.root.glob("ready-*"))) < len(processes):
            for process, spec in processes:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"a worker did not start:\n{last_words(spec)}")
            time.sleep(POLL_SECONDS)

    def _gather(self, begun: float, specs: list[Path]) -> Race:
        found = [json.loads(spec.with_suffix(".found").read_text()) for spec in specs]
        trials = self.pool.study.get_trials(deepcopy=False)
        for trial in trials:
            reason = str(trial.user_attrs.get("reason"))
            if trial.state.name == "FAIL" and not reason.startswith(HARMLESS):
                raise RuntimeError(f"a trial failed: {reason}")
        ended = [
            (t.datetime_complete.timestamp() - begun, float(t.value))
            for t in trials
            if t.state.name == "COMPLETE" and t.datetime_complete and t.value is not None
        ]
        seconds = [t.user_attrs["seconds"] for t in trials if "seconds" in t.user_attrs]
        names = sorted({name for each in seconds for name in each})
        parts = {name: sum(each.get(name, 0.0) for each in seconds) for name in names}
        reused = [bool(t.user_attrs.get("reused")) for t in trials if "seconds" in t.user_attrs]
        return Race(
            seconds=max(each["ended"] for each in found) - begun,
            import_seconds=max(each["import_seconds"] for each in found),
            trials=sum(each["trials"] for each in found),
            peak_mb=sum(each["peak_mb"] for each in found),
            processor=sum(each["processor"] for each in found),
            ended=sorted(ended),
            parts={**parts, "reused_share": float(np.mean(reused)) if reused else 0.0},
        )
