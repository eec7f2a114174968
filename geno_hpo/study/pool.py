"""The pool of trials that a budget allows: claimed, renewed, given back, and ended once.

The launcher writes down how many trials a part may have in all; a worker that *claims* one takes
a trial that waits (it was given back), else begins the next number while the budget lasts. A
budget is exact because whoever claims, ends or gives back a trial, or changes what is allowed,
holds one lock. Trials of the budget that have not begun cost nothing: they are the difference of
two numbers. Whoever ends or gives back a trial shows by its lease that the trial is its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import optuna
from filelock import FileLock
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy import text

from geno_hpo.errors import InputError
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.front import choose
from geno_hpo.study.lease import LEASE, LEASE_SECONDS, LOST_ALLOWED, Lease, LeaseLost
from geno_hpo.study.patience import patient

__all__ = ["LOCK_WAIT_SECONDS", "Claim", "Pool"]

LOCK_WAIT_SECONDS = 60
WITHDRAWN = "withdrawn"
ALLOWED = "allowed"
"""Attribute of a part: trials that it may have in all, failed and withdrawn ones included."""


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
        Local folder for the claim lock of an SQLite storage, whose own transactions would let two
        processes claim one trial. None on PostgreSQL, which keeps the lock itself.
    """

    def __init__(self, study: optuna.Study, lock_folder: Path | None) -> None:
        self.study = study
        self.storage = cast("TrialStorage", study._storage)
        self.patience = self.storage.patience
        self._leases: dict[int, Lease] = {}
        self._folder = lock_folder
        self._lock = (
            FileLock(lock_folder / "claim.lock", timeout=LOCK_WAIT_SECONDS) if lock_folder else None
        )

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the claim lock: whoever changes which trials wait or run holds it.

        On PostgreSQL it ends with its transaction, so a worker that is gone holds nothing. What
        happens under the lock is not tried again by itself: the lock may be gone by then.

        Raises
        ------
        KeyError
            The study was removed: its folder is gone, and taking the lock would make it anew.
        """
        if self._lock is not None and self._folder is not None:
            if not self._folder.is_dir():
                self.storage._backend.get_study_name_from_id(self.study._study_id)
            with self._lock, self.patience.suspended():
                yield
            return
        name = hashlib.sha256(self.study.study_name.encode()).digest()
        key = int.from_bytes(name[:8], signed=True)
        with self.storage.engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            with self.patience.suspended():
                yield

    @patient
    def claim(
        self,
        worker: str,
        sampler: Callable[[int], optuna.samplers.BaseSampler] | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> Claim | None:
        """Take a trial for `worker`: the waiting one of the lowest number, else the next to begin.

        Parameters
        ----------
        worker
            Its name, written down with the trial.
        sampler
            Gives the sampler that draws the trial of a number; None leaves the study's.
        lease_seconds
            How long the trial's lease may stand still before another worker takes it over.

        Returns
        -------
        Claim or None
            None where nothing waits and the budget has begun.
        """
        with self.lock(), self.storage.held():
            everything, owed = self._look()
            waiting = next((t for t in everything if t.state == TrialState.WAITING), None)
            if waiting is not None:
                key = waiting._trial_id
                before = Lease.read(waiting.system_attrs.get(LEASE))
                lease = Lease.begin(worker, before, lease_seconds)
                self.storage.set_trial_state_values(key, TrialState.RUNNING)
                self.storage.set_trial_user_attr(key, "worker", worker)
                self.storage.set_trial_system_attr(key, LEASE, lease.value)
            elif owed:
                lease = Lease.begin(worker, Lease(), lease_seconds)
                begun = _begun(worker, lease)
                key = self.storage.create_new_trial(self.study._study_id, begun)
            else:
                return None
        self._leases[key] = lease
        self.study._thread_local.cached_all_trials = None
        trial = Trial(self.study, key)
        if sampler is not None:
            self.study.sampler = sampler(trial.number)
        again = waiting is not None and "worker" in waiting.user_attrs
        return Claim(self, trial, again)

    def drawing(self) -> contextlib.AbstractContextManager[None]:
        """While a configuration is drawn: one read, and one transaction for all of it."""
        return self.storage.held()

    def renew(self, trial: Trial) -> bool:
        """Move the lease's counter; False where another worker has taken the trial over."""
        lease = self._leases.get(trial._trial_id)
        if lease is None:
            return False
        moved = lease.moved()
        if not self.storage.swap_lease(trial._trial_id, lease.text, moved.text):
            held = self._stored_lease(trial._trial_id)
            if held.owner != lease.owner:
                return False
            moved = held  # the last renewal was written, but its answer was lost
        self._leases[trial._trial_id] = moved
        return True

    def _stored_lease(self, trial_id: int) -> Lease:
        return Lease.read(self.storage.get_trial(trial_id).system_attrs.get(LEASE))

    def _own(self, trial: Trial) -> Lease:
        """The lease of a trial that this pool claimed, seen to be held still (under the lock).

        Raises
        ------
        LeaseLost
            Another worker has taken the trial over.
        """
        mine, held = self._leases.get(trial._trial_id), self._stored_lease(trial._trial_id)
        if mine is None or held.owner != mine.owner:
            raise LeaseLost
        return held

    @patient
    def finish(
        self,
        trial: Trial,
        values: float | Sequence[float] | None,
        state: TrialState,
        attributes: dict[str, Any],
    ) -> None:
        """Close a trial with its score and what else the search weighs, once.

        Raises
        ------
        LeaseLost
            Another worker has taken the trial over; nothing is written.
        """
        with self.lock():
            self._own(trial)
            if self.storage.get_trial(trial._trial_id).state.is_finished():
                return  # it was written, but the answer was lost
            self.set_attributes(trial, attributes)
            self.study.tell(trial, values, state=state)

    @patient
    def release(self, trial: Trial) -> None:
        """Give an interrupted trial back; it keeps its parameters.

        Raises
        ------
        LeaseLost
            Another worker has taken the trial over.
        """
        with self.lock():
            if self.storage.get_trial(trial._trial_id).state == TrialState.RUNNING:
                self._give_back(trial._trial_id, self._own(trial).text, lost=False)

    def _give_back(self, trial_id: int, seen: str, *, lost: bool) -> bool:
        """Free a running trial whose lease is as it was `seen` (under the lock)."""
        lease = Lease.read(json.loads(seen)).freed(lost=lost)
        if seen == "null":
            self.storage.set_trial_system_attr(trial_id, LEASE, lease.value)
        elif not self.storage.swap_lease(trial_id, seen, lease.text):
            return False
        if lease.lost <= LOST_ALLOWED:
            self.storage.set_trial_state_values(trial_id, TrialState.WAITING)
            return True
        attributes = self.storage.get_trial(trial_id).user_attrs
        reason = f"lost worker: {lease.lost} workers were lost at this trial, the last one {{}}"
        reason = reason.format(attributes.get("worker", "unknown"))
        self.storage.set_trial_user_attr(trial_id, "reason", reason)
        self._replace(attributes)
        self.storage.set_trial_state_values(trial_id, TrialState.FAIL)
        return True

    @patient
    def enqueue(self, attributes: dict[str, Any]) -> None:
        """Add one waiting trial with a task of its own, beyond the budget."""
        with self.lock():
            self._enqueue(attributes)

    @patient
    def place(self, params: dict[str, Any]) -> int:
        """Let a trial of the budget have these parameters (Optuna's names); give its number.

        Raises
        ------
        InputError
            The budget has no trial left that has not begun.
        """
        with self.lock():
            everything, owed = self._look()
            if not owed:
                raise InputError(
                    f"{self.study.study_name}: all {len(everything)} trials of the budget have "
                    "begun; raise it first: geno-hpo budget NAME TRIALS"
                )
            self.study.enqueue_trial(params, user_attrs={"by_hand": True})
            return len(everything)

    def _enqueue(self, attributes: dict[str, Any]) -> None:
        everything, owed = self._look()
        self._allow(len(everything) + owed + 1)
        self.study.enqueue_trial({}, user_attrs=attributes)

    @patient
    def fill(self, asked: int) -> int:
        """Let the part have `asked` trials that did not fail; return how many more those are.

        A smaller `asked` than before withdraws trials that wait or have not begun, the latest
        first, never what runs or is done.
        """
        with self.lock():
            everything, owed = self._look()
            standing = sum(trial.state != TrialState.FAIL for trial in everything)
            self._allow(len(everything) + max(asked - standing, 0))
            self._close_waiting("the budget was lowered", everything, max(standing - asked, 0))
        return max(asked - standing - owed, 0)

    @patient
    def withdraw(self, reason: str) -> int:
        """Close what waits or has not begun; return how many."""
        with self.lock():
            everything, owed = self._look()
            if owed:
                self._allow(len(everything))
            return owed + self._close_waiting(reason, everything, len(everything))

    def _close_waiting(self, reason: str, everything: list[FrozenTrial], at_most: int) -> int:
        waiting = [trial for trial in everything if trial.state == TrialState.WAITING]
        latest = waiting[::-1][:at_most]
        for trial in latest:
            self.set_attributes(trial, {"reason": f"{WITHDRAWN}: {reason}"})
            self.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        return len(latest)

    @patient
    def fail(
        self,
        trial: Trial,
        *,
        replace: Callable[[Counter[TrialState]], bool],
        attributes: dict[str, Any] | None = None,
    ) -> None:
        """Close a trial as failed; another takes its place where `replace` says so.

        Parameters
        ----------
        trial
            The running trial. Its task, if it has one, goes to the trial that replaces it.
        replace
            Decides by the tally, in which the trial has failed already.
        attributes
            Written down with the trial: why it failed.

        Raises
        ------
        LeaseLost
            Another worker has taken the trial over; nothing is written.
        """
        with self.lock():
            self._own(trial)
            if self.storage.get_trial(trial._trial_id).state.is_finished():
                return  # it was written, but the answer was lost
            self.set_attributes(trial, attributes or {})
            tally = self.tally()
            tally[TrialState.RUNNING] -= 1
            tally[TrialState.FAIL] += 1
            if replace(tally):
                self._replace(trial.user_attrs)
            self.study.tell(trial, state=TrialState.FAIL)

    def _replace(self, attributes: dict[str, Any]) -> None:
        """Let another trial take the place of one that fails, with its task if it has one."""
        if "task" in attributes:
            self._enqueue({key: attributes[key] for key in ("name", "task")})
        else:
            everything, owed = self._look()
            self._allow(len(everything) + owed + 1)

    @patient
    def recover(self, gone: Callable[[str], bool]) -> int:
        """Give back the running trials of workers that are gone; return how many."""
        with self.lock():
            running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
            lost = [t for t in running if gone(str(t.user_attrs.get("worker", "")))]
            return sum(self._give_back(t._trial_id, _text(t), lost=True) for t in lost)

    @patient
    def take_over(self, expired: dict[int, str]) -> int:
        """Give back running trials whose leases expired (text as it was seen, by trial)."""
        with self.lock():
            running = self.storage.running_leases([self.study._study_id])
            return sum(
                self._give_back(key, seen, lost=True)
                for key, seen in expired.items()
                if running.get(key) == seen
            )

    def trials(self) -> list[FrozenTrial]:
        """All trials that have begun or wait with a task, withdrawn ones left out."""
        return self.look()[0]

    def look(self) -> tuple[list[FrozenTrial], int]:
        """`trials`, and how many of the budget have not begun."""
        everything, owed = self._look()
        kept = [t for t in everything if not str(t.user_attrs.get("reason")).startswith(WITHDRAWN)]
        return kept, owed

    def _look(self) -> tuple[list[FrozenTrial], int]:
        """All trials by number, and how many of the budget have not begun.

        The number allowed is read last, and raised before a trial fails: so what is about to
        begin, or to be replaced, is never missing from both.
        """
        everything = self.study.get_trials(deepcopy=False)
        allowed = int(self.study.user_attrs.get(ALLOWED, 0))
        return everything, max(allowed - len(everything), 0)

    def _allow(self, trials: int) -> None:
        self.study.set_user_attr(ALLOWED, trials)

    def tally(self) -> Counter[TrialState]:
        """Number of trials in each state; what has not begun is waiting."""
        everything, owed = self._look()
        tally = Counter(trial.state for trial in everything)
        if owed:
            tally[TrialState.WAITING] += owed
        return tally

    def set_attributes(self, trial: FrozenTrial | Trial, attributes: dict[str, Any]) -> None:
        """Write user attributes of a trial, in one transaction."""
        if not attributes:
            return
        model = models.TrialUserAttributeModel
        self.storage.set_trial_attributes(model, trial._trial_id, attributes)

    def best(self, trials: list[FrozenTrial] | None = None) -> FrozenTrial | None:
        """The winner of the complete trials (of `trials`, else of all): see `front.choose`."""
        found = choose(self.trials() if trials is None else trials, maximise=self.maximise)
        return None if found is None else found.winner

    @property
    def maximise(self) -> bool:
        """Whether a higher score is better."""
        return bool(self.study.directions[0] == optuna.study.StudyDirection.MAXIMIZE)


def _text(trial: FrozenTrial) -> str:
    return json.dumps(trial.system_attrs.get(LEASE))


def _begun(worker: str, lease: Lease) -> FrozenTrial:
    """A trial that begins now; the storage gives it its number."""
    return FrozenTrial(
        number=-1,
        trial_id=-1,
        state=TrialState.RUNNING,
        value=None,
        values=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs={"worker": worker},
        system_attrs={LEASE: lease.value},
        intermediate_values={},
    )
