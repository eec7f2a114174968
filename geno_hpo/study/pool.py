"""The pool of trials that a budget allows: claimed, renewed, given back, and ended once.

A worker that *claims* a trial takes one that waits (it was given back), else begins the next number
while the budget lasts. Whoever ends or gives back a trial shows by its lease that the trial is its
own.
"""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, Trial, TrialState

from geno_hpo.study.budget import Budget
from geno_hpo.study.front import choose
from geno_hpo.study.lease import LEASE, LEASE_SECONDS, LOST_ALLOWED, Lease, LeaseLost
from geno_hpo.study.patience import patient

__all__ = ["Claim", "Pool"]


@dataclass(frozen=True)
class Claim:
    """A trial taken from its pool; `again` tells that an earlier attempt at it was lost."""

    pool: Pool
    trial: Trial
    again: bool


class Pool(Budget):
    """The trials of one part, taken and ended by workers."""

    def __init__(self, study: optuna.Study, lock_folder: Path | None) -> None:
        super().__init__(study, lock_folder)
        self._leases: dict[int, Lease] = {}

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
