"""A worker: claims waiting trials of a study and runs them until none is left.

It may train networks of several trials at once, each claimed, drawn, reported, pruned and ended as
if it were alone: what each does is a course (`geno_hpo.training.turns`) that waits for its epochs.

Workers are stateless; any number may share a study. One that was started by a launcher (it then
has a `session`) waits for that launcher's preparation and for the final fits, and ends with it; one
that was started by hand leaves when nothing waits any more.
"""

from __future__ import annotations

import contextlib
import gc
import os
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import optuna
from optuna.trial import Trial, TrialState

from geno_hpo.errors import StorageError
from geno_hpo.space import Parameters
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.checkpoints import CHECKPOINT_SECONDS, Interrupted
from geno_hpo.study.failures import Failure, is_replaced
from geno_hpo.study.identity import peak_memory, worker_name
from geno_hpo.study.jobs import Bench, Ending
from geno_hpo.study.keeper import Keeper
from geno_hpo.study.lease import LEASE_SECONDS, LeaseLost
from geno_hpo.study.naming import FINAL, run_name
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.patience import Patience
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared, load_prepared
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
    study_names,
)
from geno_hpo.tracking import DatasetTag, RunLog, Tracking, Writer
from geno_hpo.tracking.system import measuring
from geno_hpo.training.setup import chosen_backend, device_name
from geno_hpo.training.turns import Course, Courses

__all__ = ["RETIRED", "Worker", "open_pools"]

POLL_SECONDS = 0.25
NETWORKS = ("network", "control")
"""Parts whose trials can be trained several at once."""
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
            storage,
            name,
            maximise=maximise,
            costs=len(plan.costs) if part == "network" else 0,
            lock_folder=lock,
            pruner=pruner,
            create=create,
        )
    return pools


class _Sink(NamedTuple):
    """Where runs are recorded: the store, its background writer, the study's run and data."""

    tracking: Tracking
    writer: Writer
    parent: str
    data: DatasetTag


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
    stays
        Whether a worker without a launcher waits for more while the study is not done, as workers
        on a cluster do; else it leaves when nothing waits.
    at_once
        Trials of networks that are trained at once, at most. Another joins when one has ended;
        baselines and final fits are done one by one, when no network is trained.
    lease_seconds, checkpoint_seconds
        See `geno_hpo.study.lease` and `geno_hpo.study.checkpoints`.
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
        stays: bool = False,
        at_once: int = 1,
        lease_seconds: float = LEASE_SECONDS,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
    ) -> None:
        self.plan = plan
        self._session = session
        self._memory_limit = memory_limit
        self._told_to_stop = stop
        self._stays = stays
        self._at_once = at_once
        self._lease_seconds = lease_seconds
        self._checkpoint_seconds = checkpoint_seconds
        self._keeper: Keeper | None = None
        self._tell = tell
        self._threads = threads
        self._maximise = maximise
        patience = Patience()
        patience.tell, patience.stop = tell, stop
        self.storage = open_storage(plan.project.storage_url, patience)
        self.storage.patience = patience
        self._done = 0
        self._host = worker_name(os.getpid())
        self._samplers = {part: self._sampler(part) for part in plan.parts}
        self._idle_since = time.perf_counter()

    def run(self) -> int:
        """Work until nothing is left, and return the number of trials finished.

        A study that is removed meanwhile leaves nothing to do.

        Raises
        ------
        StorageError
            The storage, the tracking store or the work folder gave out.
        """
        with storage_faults():
            try:
                return self._run()
            except KeyError:
                if str(self.plan.key) in study_names(self.storage):
                    raise
                self._tell(f"study {self.plan.key} was removed")
                return self._done

    def _run(self) -> int:
        record = self._await_preparation()
        if record is None:
            return 0
        pools = open_pools(self.plan, self.storage, maximise=self._maximise, create=False)
        prepared = load_prepared(self.plan, record.get("data"))
        reporter = Reporter(self.storage)
        keeper = self._keeper = Keeper(pools, record, lease_seconds=self._lease_seconds)
        bench = self._bench(prepared, reporter, keeper)
        gc.collect()
        gc.freeze()  # what was imported stays: collections after each trial need not walk it
        try:
            if self._session is not None and record.phase == "probing":
                folder = self.plan.probe(self._session)
                networks, space = bench.networks, self.plan.space
                if not take_part(folder, networks, space, self._threads, self._stop):
                    return 0
            tracking = tracking_of(self.plan)
            parent = str(record.get("mlflow_run"))
            data = DatasetTag.of(prepared.dataset)
            sink = _Sink(tracking, Writer(tracking.client), parent, data)
            self._idle_since = time.perf_counter()
            try:
                with measuring(tracking.uri, parent, self.plan.work):
                    self._serve(record, pools, bench, sink)
            finally:
                try:
                    reporter.close()
                finally:
                    sink.writer.close()
        finally:
            keeper.close()
        return self._done

    def _bench(self, prepared: Prepared, reporter: Reporter, keeper: Keeper) -> Bench:
        return Bench(
            self.plan,
            prepared,
            reporter=reporter,
            threads=self._threads,
            stop=self._stop,
            tick=keeper.tick,
            checkpoint_seconds=self._checkpoint_seconds,
        )

    def _serve(self, record: Record, pools: dict[str, Pool], bench: Bench, sink: _Sink) -> None:
        """Take trials and let them on until there is nothing more to do here."""
        assert self._keeper is not None
        under_way: Courses[Claim, int] = Courses(self._keeper.turn_to)
        try:
            while True:
                over = self._told_to_stop() or self.retired or self._asked == "stop"
                resting = over or self._asked == "pause"
                joined = not resting and self._join(under_way, pools, bench, sink)
                if len(under_way):
                    self._done += sum(under_way.advance())
                elif over or (not joined and self._finished(record, pools)):
                    break
                elif not joined:
                    time.sleep(POLL_SECONDS)
        finally:
            under_way.close()

    def _join(
        self, under_way: Courses[Claim, int], pools: dict[str, Pool], bench: Bench, sink: _Sink
    ) -> bool:
        """Claim trials while there is room; whether there was one.

        What is no network is done at once, and only while no network is trained.
        """
        networks = {part: pool for part, pool in pools.items() if part in NETWORKS}
        joined = False
        while len(under_way) < self._at_once:
            part, claim = self._claim(networks if len(under_way) else pools)
            if claim is None:
                break
            joined = True
            if len(under_way):
                self._idle_since = time.perf_counter()
            self._done += sum(under_way.begin(claim, self._work(part, claim, bench, sink)))
            if not len(under_way):
                break
        return joined

    def _stop(self) -> bool:
        """Whether the trial at work must be given back."""
        return self._told_to_stop() or bool(self._asked)

    @property
    def _asked(self) -> str:
        """What somebody asked of the whole study."""
        return "" if self._keeper is None else self._keeper.asked

    @property
    def retired(self) -> bool:
        """Whether the worker has reached its memory limit, after one trial at the earliest."""
        if self._memory_limit is None or not self._done:
            return False
        return peak_memory() >= self._memory_limit

    def _await_preparation(self) -> Record | None:
        """The study's record once its trials are enqueued; None when told to stop before."""
        said = False
        early = ("preparing",) if self._session is not None else ("preparing", "probing")
        while not self._told_to_stop():
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
        phase = record.phase
        if phase == "done" or (phase == "stopped" and (not self._stays or record.get("error"))):
            return True
        if self._session is not None:
            return bool(record.get("session") != self._session)
        if self._stays or self._asked == "pause":
            return False
        return not any(pool.tally()[TrialState.RUNNING] for pool in pools.values())

    def _sampler(self, part: str) -> Callable[[int], optuna.samplers.BaseSampler]:
        space, config = self.plan.baselines.get(part, self.plan.space), self.plan.config.sampler
        if config.name == "grid" and space.continuous:
            config = config.model_copy(update={"name": "tpe"})
        return make_sampler(config, self.plan.seed, conditional=space.conditional)

    def _claim(self, pools: dict[str, Pool]) -> tuple[str, Claim | None]:
        for part, pool in pools.items():
            claim = pool.claim(self._host, self._samplers.get(part), self._lease_seconds)
            if claim is not None:
                return part, claim
        return "", None

    def _work(self, part: str, claim: Claim, bench: Bench, sink: _Sink) -> Course[int]:
        """Run one claimed trial to its end, whatever that is; gives 1 when it is finished."""
        assert self._keeper is not None
        trial, pool = claim.trial, claim.pool
        named = f"{pool.study.study_name} trial {trial.number}"
        task: dict[str, Any] = trial.user_attrs.get("task") or {}
        log: RunLog | None = None
        self._keeper.hold(claim)
        try:
            params: Parameters = task.get("params") or {}
            if part != FINAL:
                params = self._draw(part, claim, bench)
            log = self._open_run(part, claim, params, task, sink)
            waited = time.perf_counter() - self._idle_since
            try:
                ending = yield from self._train(part, trial, params, task, bench, log)
            finally:
                self._idle_since = time.perf_counter()
                bench.reporter.settle(trial=trial._trial_id)
            self._keeper.tick()
            self._keeper.let_go()
            self._finish(claim, log, ending, waited)
            self._tell(f"{named} {'pruned' if ending.pruned else 'complete'}: {ending.score:.4f}")
        except (Interrupted, KeyboardInterrupt):
            return self._give_back(claim, log)
        except LeaseLost:
            return self._leave(claim, log)
        except (StorageError, *STORAGE_ERRORS):
            raise  # no fault of the trial: its lease runs out, and another worker takes it over
        except Exception as error:
            self._keeper.let_go()
            failure = Failure.of(error)
            try:
                self._fail(claim, log, failure)
            except LeaseLost:  # writing to a trial that another worker ended is such an error
                return self._leave(claim, log)
            self._tell(f"{named} failed, {failure.reason}")
        finally:
            self._keeper.let_go()
        bench.checkpoint(part, trial.number, None).remove()
        return 1

    def _give_back(self, claim: Claim, log: RunLog | None) -> int:
        """Let an interrupted trial wait for the next worker."""
        assert self._keeper is not None
        self._keeper.let_go()
        try:
            claim.pool.release(claim.trial)
        except LeaseLost:
            return self._leave(claim, log)
        if log is not None:
            log.discard()
        name = claim.pool.study.study_name
        self._tell(f"{name} trial {claim.trial.number} given back: it was interrupted")
        return 0

    def _leave(self, claim: Claim, log: RunLog | None) -> int:
        """Leave a trial as it is that another worker has taken over."""
        if log is not None:
            log.abandon()
        name = claim.pool.study.study_name
        self._tell(
            f"{name} trial {claim.trial.number} left alone: another worker has taken it over"
        )
        return 0

    def _draw(self, part: str, claim: Claim, bench: Bench) -> Parameters:
        """Draw the trial's configuration, or read the one that it has."""
        trial, pool = claim.trial, claim.pool
        with pool.drawing():
            return bench.search_space(part).suggest(trial)

    def _open_run(
        self, part: str, claim: Claim, params: Parameters, task: dict[str, Any], sink: _Sink
    ) -> RunLog:
        number = claim.trial.number
        name, stage = run_name(part, number, params, task)
        tags = {
            "stage": stage,
            "model": str(params.get("family", task.get("model", part))),
            "worker": self._host,
            "device": device_name(),
            "backend": chosen_backend(),
            "precision": self.plan.config.precision,
            "trial": f"{claim.pool.study.study_name} {number}",
            **self.plan.fold_tag,
        }
        return RunLog(
            sink.tracking,
            sink.writer,
            name,
            parent=sink.parent,
            params=params,
            tags=tags,
            dataset=sink.data,
            again=claim.again,
        )

    def _train(
        self,
        part: str,
        trial: Trial,
        params: Parameters,
        task: dict[str, Any],
        bench: Bench,
        log: RunLog,
    ) -> Course[Ending]:
        if part == FINAL:
            return bench.final_fit(trial.user_attrs["name"], task, trial.number)
        if part in self.plan.baselines:
            return bench.search_baseline(part, trial, params, log)
        return (yield from bench.search_network(part, trial, params, log))

    def _finish(self, claim: Claim, log: RunLog, ending: Ending, waited: float) -> None:
        """Write the ending down, first where it counts: a trial that was lost ends nowhere."""
        seconds = {**ending.attributes.get("seconds", {}), "wait": round(waited, 4)}
        state = TrialState.PRUNED if ending.pruned else TrialState.COMPLETE
        values = None if ending.pruned else [ending.score, *ending.costs.values()]
        told = {"device": device_name(), "seconds": seconds}
        claim.pool.finish(claim.trial, values, state, {**ending.attributes, **told})
        scores = {ending.name: ending.score, **ending.costs}
        log.log(int(ending.attributes.get("best_epoch", 0)), scores)
        log.end(
            "FINISHED",
            {
                "state": "pruned" if ending.pruned else "complete",
                "reason": str(ending.attributes.get("reason", "")),
                **ending.log,
                **{f"seconds.{name}": f"{value:.3f}" for name, value in seconds.items()},
            },
        )

    def _fail(self, claim: Claim, log: RunLog | None, failure: Failure) -> None:
        claim.pool.fail(claim.trial, replace=is_replaced, attributes=failure.attributes)
        if log is None:
            return
        if failure.trace:
            log.text(failure.trace, "traceback.txt")
        log.end("FAILED", {"state": "failed", "reason": failure.reason})
