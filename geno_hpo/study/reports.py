"""Reports of a trial's epochs, written by a thread of their own so that training never waits.

The order is kept: an epoch's score, what the pruner noted, then the look ahead that the next
decision needs. A decision is taken from what was read during the epoch before it; a worker alone
therefore decides as if it had read just now.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import NamedTuple

from optuna.trial import Trial

from geno_hpo.study.asha import Asha
from geno_hpo.study.cached import TrialStorage

__all__ = ["Reporter", "TrialReports"]


class _Given(NamedTuple):
    """What the thread is to do, for which trial, and what is set afterwards."""

    work: Callable[[], None]
    trial: int
    over: threading.Event


class Reporter:
    """Does a worker's writing in one thread, in the order it was given.

    What fails in the thread is raised, as it is, at the next word of the trial that gave it; what
    that trial gave after it until then is left undone.

    Parameters
    ----------
    storage
        The trial storage.
    """

    def __init__(self, storage: TrialStorage) -> None:
        self.storage = storage
        self._queue: queue.Queue[_Given | None] = queue.Queue()
        self._errors: dict[int, Exception] = {}
        self._thread = threading.Thread(target=self._loop, name="trial-reporter", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], None], trial: int = 0) -> threading.Event:
        """Do `work` of a trial (its id; 0: of none) in the thread.

        The event is set once it is done or left undone.
        """
        self._raise(trial)
        over = threading.Event()
        self._queue.put(_Given(work, trial, over))
        return over

    def settle(self, over: threading.Event | None = None, trial: int = 0) -> None:
        """Wait until everything given is over, or what `over` stands for."""
        if over is None:
            self._queue.join()
        else:
            over.wait()
        self._raise(trial)

    def close(self) -> None:
        """Do everything given and end the thread."""
        self._queue.put(None)
        self._thread.join()
        for trial in list(self._errors):
            self._raise(trial)

    def _raise(self, trial: int) -> None:
        error = self._errors.pop(trial, None)
        if error is not None:
            raise error

    def _loop(self) -> None:
        while (given := self._queue.get()) is not None:
            try:
                if given.trial not in self._errors:
                    given.work()
            except Exception as error:
                self._errors[given.trial] = error
            finally:
                given.over.set()
                self._queue.task_done()
        self.storage._backend.remove_session()


class TrialReports:
    """Reports of one trial, and its pruner's decisions.

    Parameters
    ----------
    trial
        The running trial. Steps that an earlier attempt reported stay as they are.
    reporter
        The worker's reporter.
    decides
        Whether the pruner has something to decide after a step.
    """

    def __init__(self, trial: Trial, reporter: Reporter, decides: Callable[[int], bool]) -> None:
        self._trial = trial
        self._reporter = reporter
        self._decides = decides
        self._values: dict[int, float] = trial._cached_frozen_trial.intermediate_values
        self._ahead: threading.Event | None = None
        self.look_ahead(0)

    def add(self, step: int, score: float) -> None:
        """Report a finite score."""
        storage, key = self._reporter.storage, self._trial._trial_id
        if step not in self._values:
            self._values[step] = score
            self._later(lambda: storage.set_trial_intermediate_value(key, step, score))

    def look_ahead(self, step: int) -> None:
        """Have read during the next step what is decided after it; the last word of a step."""
        if self._decides(step + 1):
            study, pruner = self._trial.study, self._trial.study.pruner
            if isinstance(pruner, Asha):
                self._ahead = self._later(lambda: pruner.prepare(study))
            else:
                storage = self._reporter.storage
                self._ahead = self._later(lambda: storage.refresh(study._study_id))

    def should_prune(self) -> bool:
        """Whether the pruner ends the trial now; waits for the look ahead alone."""
        self._reporter.settle(self._ahead, self._trial._trial_id)
        with self._reporter.storage.held(fresh=False, send=self._later):
            return self._trial.should_prune()

    def _later(self, work: Callable[[], None]) -> threading.Event:
        return self._reporter.submit(work, self._trial._trial_id)
