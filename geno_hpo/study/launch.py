"""The launcher: prepares a study, starts local workers, follows them, and sees it to its end.

It holds no training code and imports nothing heavy: workers import TensorFlow while the launcher
prepares the data. Interrupted at any moment, it tells its workers to stop after their epoch; the
next launch goes on from the storage.
"""

from __future__ import annotations

import contextlib
import shutil
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator

from filelock import FileLock, Timeout
from optuna.trial import TrialState

from geno_hpo.audit import audit
from geno_hpo.errors import GenoHpoError, InputError, StudyStopped
from geno_hpo.evaluation.fits import FEATURES, IMPUTED, Fits
from geno_hpo.metrics import METRICS
from geno_hpo.study.checkpoints import drop_checkpoints
from geno_hpo.study.crew import Crew
from geno_hpo.study.failures import FAILURES_ALLOWED
from geno_hpo.study.final import enqueue_final
from geno_hpo.study.identity import code_version, is_gone
from geno_hpo.study.keeper import watch_leases
from geno_hpo.study.layout import cores, count
from geno_hpo.study.lease import Watch as LeaseWatch
from geno_hpo.study.mend import mend_runs
from geno_hpo.study.naming import FINAL
from geno_hpo.study.parent import open_parent, tracking_of
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project, masked
from geno_hpo.study.plan import load_plan
from geno_hpo.study.prepared import Prepared, fit_folds, prepare
from geno_hpo.study.progress import Progress, take_progress
from geno_hpo.study.record import Record, check_siblings, latest_generation
from geno_hpo.study.settle import Settler
from geno_hpo.study.shares import fair_part, telling
from geno_hpo.study.storage import STORAGE_ERRORS, Pool, open_storage, storage_faults
from geno_hpo.tracking import DatasetTag
from geno_hpo.training.setup import refuse_windows

__all__ = ["Launch", "Watcher"]

POLL_SECONDS = 1.0

Watcher = Callable[[Progress], None]


class Launch:
    """One launch of a study on this machine.

    Parameters
    ----------
    project, name
        Where the study is; ``inh~2`` is the second outer fold of a nested one.
    workers
        Local worker processes; None takes the study's ``workers``, else as many as train most
        (see `geno_hpo.study.settle`). 0: workers on other machines do all of it.
    per_gpu
        Workers on each GPU, where there are GPUs.
    fresh
        Start a new generation beside the old trials.
    say
        Called with one plain sentence when something begins.
    watch
        Called about twice a second with the progress.
    """

    def __init__(
        self,
        project: Project,
        name: str,
        *,
        workers: int | None = None,
        per_gpu: int = 1,
        fresh: bool = False,
        say: Callable[[str], None] = lambda _: None,
        watch: Watcher = lambda _: None,
    ) -> None:
        self.project = project
        self._say = say
        self._watch = watch
        plan = load_plan(project, name)
        refuse_windows(plan.config.windows)
        project.make_writable()
        self.storage = open_storage(project.storage_url)
        generation = latest_generation(self.storage, plan.config.name) + int(fresh)
        if plan.key.generation not in (1, generation):
            raise InputError(
                f"a run goes on with the latest generation ({generation}), got {plan.key}; "
                f"say: geno-hpo run {plan.key.name}"
            )
        self.plan = load_plan(project, name, generation) if generation > 1 else plan
        self._cores, self._others = fair_part(project.mlruns, cores())
        self.session = uuid.uuid4().hex[:12]
        self.started = time.monotonic()
        self.maximise = METRICS[self.plan.metric].maximise
        self._crew = Crew(self.plan, self.session, per_gpu, say)
        self._settler = Settler(
            self.plan, self._crew, say, cores=self._cores, workers=workers, per_gpu=per_gpu
        )
        self._watch_over = LeaseWatch()

    def run(self) -> None:
        """Prepare, search, and fit the winners on the whole development part.

        Raises
        ------
        InputError
            Files or data that cannot be used, or another launcher at work on this study.
        GenoHpoError
            The study had to stop; the message says why and what to do.
        KeyboardInterrupt
            Passed on after the workers have given their trials back.
        """
        serves = self._settler.serves
        used = 0 if serves else self._cores
        with storage_faults(), self._alone(), telling(self.project.mlruns, used):
            pools = open_pools(self.plan, self.storage, maximise=self.maximise, create=True)
            record = Record(pools["network"].study)
            record.agree(self.plan)
            record.set(phase="preparing", session=self.session, asked="", error="")
            if self._others and not serves:
                self._say(
                    f"{count(self._others, 'other study', 'other studies')} at work on this "
                    f"machine: this one takes {count(self._cores, 'core')}"
                )
            try:
                self._crew.start(self._settler.layout)
                prepared = self._prepare(record)
                self._settler.settle(record, prepared, pools["network"])
                self._search(record, pools)
                self._finalise(record, pools, prepared)
                record.set(phase="done", met=self.plan.promise)
                self._crew.await_end()
                self._mend(record, pools, prepared)
                for kind in (FEATURES, IMPUTED):
                    Fits(self.plan.fits).drop(kind)
                drop_checkpoints(self.plan.work)
            except BaseException as error:
                with contextlib.suppress(Exception):  # the first error is the one to tell
                    told = isinstance(error, GenoHpoError)
                    record.set(phase="stopped", error=masked(str(error)) if told else "")
                raise
            finally:
                self._crew.stop()
                shutil.rmtree(self.plan.probe(self.session), ignore_errors=True)
                with contextlib.suppress(Exception):
                    record.spend("total", self.started)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self.plan.work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.plan.work / "launcher.lock")
        try:
            with lock.acquire(timeout=0):
                yield
        except Timeout as error:
            raise InputError(
                f"study {self.plan.key} is being run by another process already; "
                f"to help it along say: geno-hpo worker {self.plan.key.name}"
            ) from error

    def _prepare(self, record: Record) -> Prepared:
        self._say("reading the data and making the folds")
        prepared = prepare(self.plan)
        check_siblings(self.storage, self.plan.key, prepared.dataset.fingerprint)
        record.agree(self.plan, prepared.fingerprint)
        record.set(dataset=prepared.dataset.fingerprint)
        dataset, split = prepared.dataset, prepared.split
        for note in dataset.origin.notes:
            self._say(note)
        if self.plan.shipped:
            self._say(f"as shipped with geno-hpo: {', '.join(self.plan.shipped)}")
        self._say(
            f"{dataset.samples} samples × {dataset.features} "
            f"{'positions' if dataset.kind == 'sequence' else 'variants'}; "
            f"{len(split.test)} sealed for the test, {len(split.folds)} folds over the rest"
        )
        fit_folds(self.plan, prepared, self._cores)
        self._audit(record, prepared)
        record.set(mlflow_run=open_parent(self.plan, prepared, tracking_of(self.plan)))
        return prepared

    def _audit(self, record: Record, prepared: Prepared) -> None:
        """Look for what could flatter the study; the findings stay in its record."""
        if self.plan.config.audit == "off":
            return
        found = audit(prepared.dataset, prepared.split)
        record.set(audit=found.as_dict())
        if paragraph := found.paragraph():
            self._say(f"{paragraph}. What to do: geno-hpo audit {self.plan.key}")
        if found.serious and self.plan.config.audit == "fail":
            raise InputError(
                f"study {self.plan.key} asks for `audit: fail`, and {len(found.serious)} findings "
                f"are serious: {'; '.join(each.what for each in found.serious)}; "
                f"see: geno-hpo audit {self.plan.key.name}"
            )

    def _watch_others(self, pools: dict[str, Pool]) -> None:
        """Take over the trials of lost workers; end where somebody asked for it.

        Raises
        ------
        StudyStopped
            The study is to stop.
        """
        with contextlib.suppress(*STORAGE_ERRORS):  # away for a moment: looked at again
            lost = watch_leases(pools, self._watch_over)
            if lost:
                self._say(f"{count(lost, 'trial')} of lost workers taken over")
        if Record(pools["network"].study).asked == "stop":
            raise StudyStopped(
                f"study {self.plan.key} was stopped as asked; nothing is lost. Go on with: "
                f"geno-hpo run {self.plan.key.name}"
            )

    def _mend(self, record: Record, pools: dict[str, Pool], prepared: Prepared) -> None:
        """See that MLflow shows every trial once."""
        parent = str(record.get("mlflow_run"))
        data = DatasetTag.of(prepared.dataset)
        mended = mend_runs(self.plan, pools, tracking_of(self.plan), parent, data)
        if mended:
            self._say(f"MLflow: {count(mended, 'run')} of lost workers written from the storage")

    def _search(self, record: Record, pools: dict[str, Pool]) -> None:
        began = time.monotonic()
        for pool in pools.values():
            pool.recover(is_gone)
        for part, asked in self.plan.budgets.items():
            pools[part].fill(asked)
        searched = {part: pools[part] for part in self.plan.parts}
        record.set(phase="search")
        if not self._settler.serves:
            self._say(
                f"searching with {self._settler.layout}; a worker that starts loads Keras first"
            )
        limit = self.plan.config.budget.wall_time
        spent = float((record.get("spent") or {}).get("search", 0.0))
        try:
            while self._step("search", searched, pools):
                if limit is not None and spent + time.monotonic() - began > limit:
                    withdrawn = pools["network"].withdraw("the wall time was used up")
                    if withdrawn:
                        self._say(f"wall time used up: {withdrawn} trials were not begun")
        finally:
            with contextlib.suppress(Exception):
                record.spend("search", began)

    def _finalise(self, record: Record, pools: dict[str, Pool], prepared: Prepared) -> None:
        trials = len([t for t in pools["network"].trials() if t.state.is_finished()])
        record.open_seal(trials, code_version(self.project.root))
        began = time.monotonic()
        added = enqueue_final(self.plan, pools)
        record.set(phase="final")
        if added:
            self._say(
                f"the sealed test set of {len(prepared.split.test)} samples is opened: "
                "winners are trained again on the whole development part"
            )
        try:
            while self._step("final", {FINAL: pools[FINAL]}, pools):
                pass
        finally:
            with contextlib.suppress(Exception):
                record.spend("final", began)

    def _step(self, phase: str, active: dict[str, Pool], pools: dict[str, Pool]) -> bool:
        """Look at the study once; False when nothing waits or runs in its active parts."""
        progress = take_progress(self.plan, phase, pools, self._settler.layout.workers)
        self._watch(progress)
        mine = [part for part in progress.parts if part.part in active]
        if not any(part.waiting + part.running for part in mine):
            return False
        for part in mine:
            if part.failed >= FAILURES_ALLOWED and not part.complete:
                raise GenoHpoError(_hopeless(part.part, pools[part.part]))
        self._crew.mind(pools, progress.done)
        self._watch_others(pools)
        time.sleep(POLL_SECONDS)
        return True


def _hopeless(part: str, pool: Pool) -> str:
    """Why a study stops whose trials fail again and again with none complete."""
    failed = [t for t in pool.trials() if t.state == TrialState.FAIL]
    reasons = Counter(str(t.user_attrs.get("reason", "unknown")) for t in failed)
    worst, times = reasons.most_common(1)[0]
    return (
        f"the first {len(failed)} trials of {part} all failed, so the study stops here; "
        f"{times} of them because of {worst}"
    )
