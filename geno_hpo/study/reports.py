"""Reports of a trial's epochs, written by a thread of their own so that training never waits.

The order is kept: an epoch's score, what the pruner noted, then the look ahead that the next
decision needs. A decision is taken from what was read during the epoch before it; a worker alone
therefore decides as if it had read just now.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from optuna.trial import Trial

from geno_hpo.study.asha import Asha
from geno_hpo.study.cached import TrialStorage

__all__ = ["Reporter", "TrialReports"]


class Reporter:
    """Does a worker's writing in one thread, in the order it was given.

    What fails in the thread is raised, as it is, at the worker's next word; what was given after
    it until then is left undone.

    Parameters
    ----------
    storage
        The trial storage.
    """

    def __init__(self, storage: TrialStorage) -> None:
        self.storage = storage
        self._queue: queue.Queue[tuple[Callable[[], None], threading.Event] | None] = queue.Queue()
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._loop, name="trial-reporter", daemon=True)
        self._thread.start()

    def submit(self, work: Callable[[], None]) -> threading.Event:
        """Do `work` in the thread; the event is set once it is done or left undone."""
        self._raise()
        over = threading.Event()
        self._queue.put((work, over))
        return over

    def settle(self, over: threading.Event | None = None) -> None:
        """Wait until everything given is over, or what `over` stands for."""
        if over is None:
            self._queue.join()
        else:
            over.wait()
        self._raise()

    def close(self) -> None:
        """Do everything given and end the thread."""
        self._queue.put(None)
        self._thread.join()
        self._raise()

    def _raise(self) -> None:
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _loop(self) -> None:
        while (given := self._queue.get()) is not None:
            work, over = given
            try:
                if self._error is None:
                    work()
            except Exception as error:
                self._error = error
            finally:
                over.set()
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
            self._reporter.submit(lambda: storage.set_trial_intermediate_value(key, step, score))

    def look_ahead(self, step: int) -> None:
        """Have read during the next step what is decided after it; the last word of a step."""
        if self._decides(step + 1):
            study, pruner = self._trial.study, self._trial.study.pruner
            if isinstance(pruner, Asha):
                self._ahead = self._reporter.submit(lambda: pruner.prepare(study))
            else:
                storage = self._reporter.storage
                self._ahead = self._reporter.submit(lambda: storage.refresh(study._study_id))

    def should_prune(self) -> bool:
        """Whether the pruner ends the trial now; waits for the look ahead alone."""
        self._reporter.settle(self._ahead)
        with self._reporter.storage.held(fresh=False, send=self._later):
            return self._trial.should_prune()

    def _later(self, write: Callable[[], None]) -> None:
        self._reporter.submit(write)
