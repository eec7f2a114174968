"""A worker: claims waiting trials of a study and runs them until none is left.

Workers are stateless; any number may share a study. One that was started by a launcher (it then
has a `session`) waits for that launcher's preparation and for the final fits, and ends with it; one
that was started by hand leaves when nothing waits any more.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable
from typing import Any

import optuna
from optuna.trial import Trial, TrialState

from geno_hpo.errors import GenoHpoError, StorageError, TrialFailed
from geno_hpo.space import Parameters
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.identity import peak_memory, worker_name
from geno_hpo.study.jobs import Bench, Ending, Interrupted
from geno_hpo.study.plan import StudyPlan, load_prepared
from geno_hpo.study.probe import take_part
from geno_hpo.study.pruners import make_pruner
from geno_hpo.study.record import Record
from geno_hpo.study.reports import Reporter
from geno_hpo.study.samplers import make_sampler
from geno_hpo.study.storage import (
    STORAGE_ERRORS,
    Claim,
    Pool,
    open_pool,
    open_storage,
    storage_faults,
)
from geno_hpo.tracking import RunLog, Tracking, Writer

__all__ = ["FAILURES_ALLOWED", "RETIRED", "Worker", "open_pools", "run_name"]

POLL_SECONDS = 0.25
FAILURES_ALLOWED = 5
"""Failed trials of one part after which, with none complete, the study stops; and how many
failures beyond the budget's tenth are replaced."""

FINAL = "final"
RETIRED = 75
"""Exit code of a worker that has reached its memory limit and wants to be replaced."""


def open_pools(
    plan: StudyPlan, storage: TrialStorage, *, maximise: bool, create: bool
) -> dict[str, Pool]:
    """Open every part of a study, the final fits last."""
    epochs = plan.config.budget.epochs
    lock = plan.work if plan.project.storage_url.startswith("sqlite") else None
    pools = {}
    for part, name in {**plan.parts, FINAL: plan.key.part(FINAL)}.items():
        searched = part in ("network", "lightgbm")
        pruner = make_pruner(plan.config.pruner, epochs) if searched else optuna.pruners.NopPruner()
        pools[part] = open_pool(
            storage, name, maximise=maximise, lock_folder=lock, pruner=pruner, create=create
        )
    return pools


class Worker:
    """Runs trials of one study in this process.

    Parameters
    ----------
    plan
        The study.
    threads
        Threads for training.
    session
        The launcher's token, or None for a worker started by hand.
    memory_limit
        Peak resident bytes at which the worker retires after its trial, for another to replace
        it; None never retires. TensorFlow keeps a little of every function it compiled.
    stop
        True once the worker should end; asked after every epoch.
    tell
        Called with one plain sentence whenever something begins or ends.
    """

    def __init__(
        self,
        plan: StudyPlan,
        *,
        maximise: bool,
        threads: int = 1,
        session: str | None = None,
        memory_limit: int | None = None,
        stop: Callable[[], bool] = lambda: False,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.plan = plan
        self._session = session
        self._memory_limit = memory_limit
        self._stop = stop
        self._tell = tell
        self._threads = threads
        self._maximise = maximise
        self.storage = open_storage(plan.project.storage_url)
        self._done = 0
        self._host = worker_name(os.getpid())
        self._samplers = {part: self._sampler(part) for part in plan.parts}
        self._idle_since = time.perf_counter()

    def run(self) -> int:
        """Work until nothing is left, and return the number of trials finished.

        Raises
        ------
        StorageError
            The storage, the tracking store or the work folder gave out.
        """
        with storage_faults():
            return self._run()

    def _run(self) -> int:
        record = self._await_preparation()
        if record is None:
            return 0
        pools = open_pools(self.plan, self.storage, maximise=self._maximise, create=False)
        prepared = load_prepared(self.plan, record.get("data"))
        reporter = Reporter(self.storage)
        bench = Bench(
            self.plan, prepared, reporter=reporter, threads=self._threads, stop=self._stop
        )
        gc.collect()
        gc.freeze()  # what was imported stays: collections after each trial need not walk it
        if self._session is not None and record.phase == "probing":
            folder = self.plan.probe(self._session)
            if not take_part(folder, bench.networks, self.plan.space, self._threads, self._stop):
                return 0
        tracking = self._open_tracking()
        writer = Writer(tracking.client)
        parent = str(record.get("mlflow_run"))
        self._idle_since = time.perf_counter()
        try:
            while not self._stop() and not self.retired:
                part, claim = self._claim(pools)
                if claim is not None:
                    self._done += self._work(part, claim, bench, (tracking, writer, parent))
                elif self._finished(record, pools):
                    break
                else:
                    time.sleep(POLL_SECONDS)
        finally:
            try:
                reporter.close()
            finally:
                writer.close()
        return self._done

    @property
    def retired(self) -> bool:
        """Whether the worker has reached its memory limit, after one trial at the earliest."""
        if self._memory_limit is None or not self._done:
            return False
        return peak_memory() >= self._memory_limit

    def _open_tracking(self) -> Tracking:
        local = self.plan.project.tracking_uri.startswith("sqlite")
        folder = self.plan.project.mlruns / "artifacts" if local else None
        return Tracking(self.plan.project.tracking_uri, folder, self.plan.config.name)

    def _await_preparation(self) -> Record | None:
        """The study's record once its trials are enqueued; None when told to stop before."""
        said = False
        early = ("preparing",) if self._session is not None else ("preparing", "probing")
        while not self._stop():
            with contextlib.suppress(KeyError, StorageError):
                study = optuna.load_study(study_name=str(self.plan.key), storage=self.storage)
                record = Record(study)
                mine = self._session is None or record.get("session") == self._session
                if mine and record.phase not in early:
                    record.agree(self.plan)
                    return record
            if self._session is None and not said:
                self._tell(
                    f"study {self.plan.key} is not prepared yet; waiting for "
                    f"`geno-hpo run {self.plan.key}` to prepare it"
                )
                said = True
            time.sleep(POLL_SECONDS)
        return None

    def _finished(self, record: Record, pools: dict[str, Pool]) -> bool:
        if record.phase in ("done", "stopped"):
            return True
        if self._session is not None:
            return bool(record.get("session") != self._session)
        return not any(pool.tally()[TrialState.RUNNING] for pool in pools.values())

    def _sampler(self, part: str) -> Callable[[int], optuna.samplers.BaseSampler]:
        config, space = self.plan.config, self.plan.baselines.get(part, self.plan.space)
        return make_sampler(config.sampler, self.plan.seed, conditional=space.conditional)

    def _claim(self, pools: dict[str, Pool]) -> tuple[str, Claim | None]:
        for part, pool in pools.items():
            claim = pool.claim(self._host, self._samplers.get(part))
            if claim is not None:
                return part, claim
        return "", None

    def _work(
        self,
        part: str,
        claim: Claim,
        bench: Bench,
        sink: tuple[Tracking, Writer, str],
    ) -> int:
        """Run one claimed trial to its end, whatever that is; 1 when it is finished."""
        trial, pool = claim.trial, claim.pool
        task: dict[str, Any] = trial.user_attrs.get("task") or {}
        params: Parameters = task.get("params") or {}
        log: RunLog | None = None
        try:
            if part != FINAL:
                with pool.drawing():
                    params = bench.search_space(part).suggest(trial)
            name, stage = run_name(part, trial.number, params, task)
            tags = {
                "stage": stage,
                "model": str(params.get("family", part)),
                "worker": self._host,
                "trial": f"{pool.study.study_name} {trial.number}",
                **self.plan.fold_tag,
            }
            log = RunLog(
                *sink[:2], name, parent=sink[2], params=params, tags=tags, again=claim.again
            )
            waited = time.perf_counter() - self._idle_since
            try:
                if part == FINAL:
                    ending = bench.final_fit(trial.user_attrs["name"], task)
                elif part in self.plan.baselines:
                    ending = bench.search_baseline(part, trial, params, log)
                else:
                    ending = bench.search_network(part, trial, params, log)
            finally:
                self._idle_since = time.perf_counter()
                bench.reporter.settle()
        except (Interrupted, KeyboardInterrupt):
            pool.release(trial)
            if log is not None:
                log.discard()
            self._tell(f"{part} trial {trial.number} given back: it was interrupted")
            return 0
        except (StorageError, *STORAGE_ERRORS):
            raise  # no fault of the trial: it stays claimed and is given back at the next launch
        except TrialFailed as failure:
            self._fail(pool, trial, log, failure.kind, str(failure))
        except GenoHpoError as failure:
            self._fail(pool, trial, log, "invalid", str(failure))
        except Exception as failure:
            text = "".join(traceback.format_exception(failure))
            self._fail(pool, trial, log, "error", f"{type(failure).__name__}: {failure}", text)
        else:
            self._finish(pool, trial, log, ending, waited)
        return 1

    def _finish(self, pool: Pool, trial: Trial, log: RunLog, ending: Ending, waited: float) -> None:
        seconds = {**ending.attributes.get("seconds", {}), "wait": round(waited, 4)}
        pool.set_attributes(trial, {**ending.attributes, "seconds": seconds})
        state = TrialState.PRUNED if ending.pruned else TrialState.COMPLETE
        word = "pruned" if ending.pruned else "complete"
        log.log(int(ending.attributes.get("best_epoch", 0)), {ending.name: ending.score})
        log.end(
            "KILLED" if ending.pruned else "FINISHED",
            {
                "state": word,
                "reason": str(ending.attributes.get("reason", "")),
                **ending.log,
                **{f"seconds.{name}": f"{value:.3f}" for name, value in seconds.items()},
            },
        )
        value = None if ending.pruned else ending.score
        pool.study.tell(trial, value, state=state)
        self._tell(f"{pool.study.study_name} trial {trial.number} {word}: {ending.score:.4f}")

    def _fail(
        self,
        pool: Pool,
        trial: Trial,
        log: RunLog | None,
        kind: str,
        message: str,
        text: str = "",
    ) -> None:
        reason = f"{kind}: {message}"
        traces = {"traceback": text[-4000:]} if text else {}
        pool.set_attributes(trial, {"reason": reason, **traces})
        if log is not None:
            log.end("FAILED", {"state": "failed", "reason": reason})
        pool.fail(trial, replace=_replaced)
        self._tell(f"{pool.study.study_name} trial {trial.number} failed, {reason}")


def _replaced(tally: Counter[TrialState]) -> bool:
    """Whether another trial takes the place of one that has just failed."""
    failed = tally[TrialState.FAIL]
    hopeless = failed >= FAILURES_ALLOWED and not tally[TrialState.COMPLETE]
    return not hopeless and failed <= FAILURES_ALLOWED + sum(tally.values()) // 10


def run_name(part: str, number: int, params: Parameters, task: dict[str, Any]) -> tuple[str, str]:
    """Name and stage tag of a trial's MLflow run."""
    family = params.get("family", part)
    if part == FINAL:
        return f"final {task['kind']} {family} {task['restart']}", FINAL
    if part == "control":
        return f"control {number:04d} {family}", "control"
    if part == "network":
        return f"trial {number:04d} {family}", "search"
    return f"baseline {number:04d} {part}", "baseline"
