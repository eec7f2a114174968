"""The trial storage: opened once a process, and the pool of trials that a budget allows.

A budget is exact because its trials exist before they run: the launcher enqueues one WAITING
trial for each that the budget asks for, and a worker *claims* one (WAITING → RUNNING). A worker
never creates a trial, save the one that replaces a failed trial of its own.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from geno_hpo.errors import StorageError
from geno_hpo.study.paths import masked

__all__ = [
    "STORAGE_ERRORS",
    "Claim",
    "Pool",
    "open_pool",
    "open_storage",
    "storage_faults",
    "study_names",
]

SQLITE_WAIT_SECONDS = 60
STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, SQLAlchemyError, OSError)
"""What a database or disk that gives out raises."""
WITHDRAWN = "withdrawn"

optuna.logging.set_verbosity(optuna.logging.ERROR)
logging.getLogger("alembic").setLevel(logging.WARNING)


def _tune_sqlite(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


def open_storage(url: str) -> optuna.storages.BaseStorage:
    """Open the trial storage; SQLite is put in WAL mode so that many processes can share it.

    Raises
    ------
    StorageError
        The database cannot be reached or written.
    """
    sqlite = url.startswith("sqlite")
    options: dict[str, Any] = (
        {"connect_args": {"timeout": SQLITE_WAIT_SECONDS}} if sqlite else {"pool_pre_ping": True}
    )
    if sqlite and not event.contains(Engine, "connect", _tune_sqlite):
        event.listen(Engine, "connect", _tune_sqlite)
    try:
        return optuna.storages.get_storage(optuna.storages.RDBStorage(url, engine_kwargs=options))
    except Exception as error:
        reason = masked(str(error).splitlines()[0])
        raise StorageError(f"the trial storage {masked(url)} cannot be opened: {reason}") from error


@contextlib.contextmanager
def storage_faults() -> Iterator[None]:
    """Tell a database or disk that gives out as one `StorageError`, with its first cause.

    Raises
    ------
    StorageError
        The storage or the work folder could not be read or written.
    """
    try:
        yield
    except STORAGE_ERRORS as error:
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        reason = masked(str(cause).splitlines()[0])
        raise StorageError(
            f"the study cannot be written down any more: {reason}. Free some space or bring the "
            "storage back, then say the same command again: every finished trial is kept"
        ) from error


def study_names(storage: optuna.storages.BaseStorage) -> list[str]:
    """Names of all studies in the storage, parts included."""
    return optuna.study.get_all_study_names(storage=storage)


@dataclass(frozen=True)
class Claim:
    """A trial taken from its pool; `again` tells that an earlier attempt at it was lost."""

    pool: Pool
    trial: Trial
    again: bool


class Pool:
    """The trials of one part of a study (its networks, one baseline, the final fits).

    Parameters
    ----------
    study
        The Optuna study that holds them.
    lock_folder
        Local folder for the claim lock: SQLite's own transactions would let two processes claim
        one trial. None where the database locks rows itself.
    """

    def __init__(self, study: optuna.Study, lock_folder: Path | None) -> None:
        self.study = study
        self._lock_path = lock_folder / "claim.lock" if lock_folder else None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the claim lock: whoever changes which trials wait or run holds it."""
        if self._lock_path is None:
            yield
            return
        with FileLock(self._lock_path, timeout=SQLITE_WAIT_SECONDS):
            yield

    def claim(
        self, worker: str, sampler: optuna.samplers.BaseSampler | None = None
    ) -> Claim | None:
        """Take the waiting trial of the lowest number for `worker`, or None where none waits."""
        with self.lock():
            if self.next_number() is None:
                return None
            if sampler is not None:
                self.study.sampler = sampler
            trial = self.study.ask()
            again = "worker" in trial.user_attrs
            self.set_attribute(trial, "worker", worker)
            return Claim(self, trial, again)

    def next_number(self) -> int | None:
        """Number of the trial that `claim` would take now."""
        waiting = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        return min((trial.number for trial in waiting), default=None)

    def release(self, trial: Trial) -> None:
        """Give an interrupted trial back; it keeps its parameters and will start anew."""
        with self.lock():
            self.study._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)

    def enqueue(self, attributes: dict[str, Any] | None = None) -> None:
        """Add one waiting trial."""
        self.study.enqueue_trial({}, user_attrs=attributes)

    def fill(self, asked: int) -> int:
        """Enqueue what is missing to `asked` trials that did not fail; return how many.

        A smaller `asked` than before withdraws waiting trials only, never what has begun.
        """
        with self.lock():
            tally = self.tally()
            standing = sum(tally.values()) - tally[TrialState.FAIL]
            for _ in range(standing, asked):
                self.enqueue()
        self.withdraw("the budget was lowered", at_most=max(standing - asked, 0))
        return max(asked - standing, 0)

    def withdraw(self, reason: str, at_most: int | None = None) -> int:
        """Close waiting trials, the latest first, as never begun; return how many."""
        with self.lock():
            waiting = self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
            latest = sorted(waiting, key=lambda trial: -trial.number)[:at_most]
            for trial in latest:
                self.set_attribute(trial, "reason", f"{WITHDRAWN}: {reason}")
                self.study._storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
            return len(latest)

    def recover(self, gone: Callable[[str], bool]) -> int:
        """Give back the running trials of workers that are gone; return how many."""
        with self.lock():
            running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            lost = [t for t in running if gone(str(t.user_attrs.get("worker", "")))]
            for trial in lost:
                self.study._storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)
            return len(lost)

    def trials(self) -> list[FrozenTrial]:
        """All trials, withdrawn ones left out."""
        everything = self.study.get_trials(deepcopy=False)
        return [t for t in everything if not str(t.user_attrs.get("reason")).startswith(WITHDRAWN)]

    def tally(self) -> Counter[TrialState]:
        """Number of trials in each state."""
        return Counter(trial.state for trial in self.study.get_trials(deepcopy=False))

    def set_attribute(self, trial: FrozenTrial | Trial, key: str, value: Any) -> None:
        """Write one user attribute of a trial."""
        self.study._storage.set_trial_user_attr(trial._trial_id, key, value)

    def best(self, trials: list[FrozenTrial] | None = None) -> FrozenTrial | None:
        """The complete trial (of `trials`, else of all) with the best score, earliest first."""
        everything = self.trials() if trials is None else trials
        complete = [t for t in everything if t.state == TrialState.COMPLETE]
        sign = -1.0 if self.study.direction == optuna.study.StudyDirection.MAXIMIZE else 1.0
        return min(complete, key=lambda t: (sign * float(t.value or 0.0), t.number), default=None)


def open_pool(
    storage: optuna.storages.BaseStorage,
    name: str,
    *,
    maximise: bool,
    lock_folder: Path | None,
    pruner: optuna.pruners.BasePruner | None = None,
    create: bool = False,
) -> Pool:
    """Open one part of a study, creating it when asked.

    Raises
    ------
    StorageError
        The part does not exist and `create` is false.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if create:
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                direction="maximize" if maximise else "minimize",
                load_if_exists=True,
                pruner=pruner,
            )
        else:
            try:
                study = optuna.load_study(storage=storage, study_name=name, pruner=pruner)
            except KeyError as error:
                raise StorageError(f"the storage holds no study {name!r}") from error
    return Pool(study, lock_folder)
