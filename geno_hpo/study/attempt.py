"""One attempt at a trial, from its claim to its end: complete, pruned, failed, given back or lost.

What an attempt does is a course (`geno_hpo.training.turns`): several can be under way at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from optuna.trial import Trial, TrialState

from geno_hpo.errors import StorageError
from geno_hpo.space import Parameters
from geno_hpo.study.checkpoints import Interrupted
from geno_hpo.study.failures import Failure, is_replaced
from geno_hpo.study.jobs import Bench, Ending
from geno_hpo.study.keeper import Keeper
from geno_hpo.study.lease import LeaseLost
from geno_hpo.study.naming import FINAL, run_name
from geno_hpo.study.storage import STORAGE_ERRORS, Claim
from geno_hpo.tracking import DatasetTag, RunLog, Tracking, Writer
from geno_hpo.training.setup import chosen_backend, device_name
from geno_hpo.training.turns import Course

__all__ = ["Attempts", "Sink"]


class Sink(NamedTuple):
    """Where runs are recorded: the store, its background writer, the study's run and data."""

    tracking: Tracking
    writer: Writer
    parent: str
    data: DatasetTag


class Attempts:
    """Brings the trials that a worker has claimed to their ends.

    Parameters
    ----------
    host
        The worker's name.
    bench
        What it trains on.
    keeper
        Keeps the leases of its trials.
    sink
        Where runs are recorded.
    tell
        Called with one plain sentence whenever a trial ends.
    """

    def __init__(
        self, host: str, bench: Bench, keeper: Keeper, sink: Sink, tell: Callable[[str], None]
    ) -> None:
        self._host, self._bench, self._keeper, self._sink = host, bench, keeper, sink
        self._tell = tell
        self.idle_since = time.perf_counter()
        """Since when the next trial is waited for."""

    def attempt(self, part: str, claim: Claim) -> Course[int]:
        """Run one claimed trial to its end, whatever that is; gives 1 when it is finished."""
        trial, pool = claim.trial, claim.pool
        named = f"{pool.study.study_name} trial {trial.number}"
        task: dict[str, Any] = trial.user_attrs.get("task") or {}
        log: RunLog | None = None
        self._keeper.hold(claim)
        try:
            params: Parameters = task.get("params") or {}
            if part != FINAL:
                params = self._draw(part, claim)
            log = self._open_run(part, claim, params, task)
            waited = time.perf_counter() - self.idle_since
            try:
                ending = yield from self._train(part, trial, params, task, log)
            finally:
                self.idle_since = time.perf_counter()
                self._bench.reporter.settle(trial=trial._trial_id)
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
        self._bench.checkpoint(part, trial.number, None).remove()
        return 1

    def _give_back(self, claim: Claim, log: RunLog | None) -> int:
        """Let an interrupted trial wait for the next worker."""
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

    def _draw(self, part: str, claim: Claim) -> Parameters:
        """Draw the trial's configuration, or read the one that it has."""
        trial, pool = claim.trial, claim.pool
        with pool.drawing():
            return self._bench.search_space(part).suggest(trial)

    def _open_run(
        self, part: str, claim: Claim, params: Parameters, task: dict[str, Any]
    ) -> RunLog:
        number = claim.trial.number
        name, stage = run_name(part, number, params, task)
        tags = {
            "stage": stage,
            "model": str(params.get("family", task.get("model", part))),
            "worker": self._host,
            "device": device_name(),
            "backend": chosen_backend(),
            "precision": self._bench.plan.config.precision,
            "trial": f"{claim.pool.study.study_name} {number}",
            **self._bench.plan.fold_tag,
        }
        return RunLog(
            self._sink.tracking,
            self._sink.writer,
            name,
            parent=self._sink.parent,
            params=params,
            tags=tags,
            dataset=self._sink.data,
            again=claim.again,
        )

    def _train(
        self,
        part: str,
        trial: Trial,
        params: Parameters,
        task: dict[str, Any],
        log: RunLog,
    ) -> Course[Ending]:
        if part == FINAL:
            return self._bench.final_fit(trial.user_attrs["name"], task, trial.number)
        if part in self._bench.plan.baselines:
            return self._bench.search_baseline(part, trial, params, log)
        return (yield from self._bench.search_network(part, trial, params, log))

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
