"""How many trials a part of a study may have, and those that it has.

The launcher writes down how many trials a part may have in all. Trials of the budget that have not
begun cost nothing: they are the difference of two numbers. A budget is exact because whoever
claims, ends or gives back a trial, or changes what is allowed, holds one lock.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from pathlib import Path
from typing import Any, cast

import optuna
from optuna.storages._rdb import models
from optuna.trial import FrozenTrial, Trial, TrialState

from geno_hpo.errors import InputError
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.claim_lock import ClaimLock
from geno_hpo.study.patience import patient

__all__ = ["Budget"]

WITHDRAWN = "withdrawn"
ALLOWED = "allowed"
"""Attribute of a part: trials that it may have in all, failed and withdrawn ones included."""


class Budget:
    """The trials of one part of a study (its networks, one baseline, the final fits).

    Parameters
    ----------
    study
        The Optuna study that holds them.
    lock_folder
        See `ClaimLock`.
    """

    def __init__(self, study: optuna.Study, lock_folder: Path | None) -> None:
        self.study = study
        self.storage = cast("TrialStorage", study._storage)
        self.patience = self.storage.patience
        self._lock = ClaimLock(study, lock_folder)

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Hold the lock of the part: see `ClaimLock`."""
        return self._lock.held()

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

    def _replace(self, attributes: dict[str, Any]) -> None:
        """Let another trial take the place of one that fails, with its task if it has one."""
        if "task" in attributes:
            self._enqueue({key: attributes[key] for key in ("name", "task")})
        else:
            everything, owed = self._look()
            self._allow(len(everything) + owed + 1)

    def _enqueue(self, attributes: dict[str, Any]) -> None:
        everything, owed = self._look()
        self._allow(len(everything) + owed + 1)
        self.study.enqueue_trial({}, user_attrs=attributes)

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
