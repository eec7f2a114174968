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

import optuna
from optuna.trial import TrialState

from geno_hpo.errors import StorageError
from geno_hpo.study.attempt import Attempts, Sink
from geno_hpo.study.checkpoints import CHECKPOINT_SECONDS
from geno_hpo.study.identity import peak_memory, worker_name
from geno_hpo.study.jobs import Bench
from geno_hpo.study.keeper import Keeper
from geno_hpo.study.lease import LEASE_SECONDS
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.parts import open_pools
from geno_hpo.study.patience import Patience
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared, load_prepared
from geno_hpo.study.probe import take_part
from geno_hpo.study.record import Record
from geno_hpo.study.reports import Reporter
from geno_hpo.study.samplers import make_sampler
from geno_hpo.study.storage import (
    Claim,
    Pool,
    open_storage,
    storage_faults,
    study_names,
)
from geno_hpo.tracking import DatasetTag, Writer
from geno_hpo.tracking.system import measuring
from geno_hpo.training.turns import Courses

__all__ = ["RETIRED", "Worker"]

POLL_SECONDS = 0.25
NETWORKS = ("network", "control")
"""Parts whose trials can be trained several at once."""
RETIRED = 75
"""Exit code of a worker that has reached its memory limit and wants to be replaced."""


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
            sink = Sink(tracking, Writer(tracking.client), parent, data)
            attempts = Attempts(self._host, bench, keeper, sink, self._tell)
            try:
                with measuring(tracking.uri, parent, self.plan.work):
                    self._serve(record, pools, attempts)
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

    def _serve(self, record: Record, pools: dict[str, Pool], attempts: Attempts) -> None:
        """Take trials and let them on until there is nothing more to do here."""
        assert self._keeper is not None
        under_way: Courses[Claim, int] = Courses(self._keeper.turn_to)
        try:
            while True:
                over = self._told_to_stop() or self.retired or self._asked == "stop"
                resting = over or self._asked == "pause"
                joined = not resting and self._join(under_way, pools, attempts)
                if len(under_way):
                    self._done += sum(under_way.advance())
                elif over or (not joined and self._finished(record, pools)):
                    break
                elif not joined:
                    time.sleep(POLL_SECONDS)
        finally:
            under_way.close()

    def _join(
        self, under_way: Courses[Claim, int], pools: dict[str, Pool], attempts: Attempts
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
                attempts.idle_since = time.perf_counter()
            self._done += sum(under_way.begin(claim, attempts.attempt(part, claim)))
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
