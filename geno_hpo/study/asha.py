"""ASHA that prepares ahead: a decision costs the same however many trials came to its rung."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort

import optuna
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial

__all__ = ["Asha"]

RUNG = "completed_rung_{}"


class Asha(optuna.pruners.BasePruner):
    """Asynchronous successive halving, with the decisions of Optuna's `SuccessiveHalvingPruner`.

    It keeps what finished trials of one study scored at each rung in order. `prepare` reads what
    is new; without it, `prune` does so itself.

    Parameters
    ----------
    first
        Epoch of the first rung.
    reduction
        One trial of so many goes on, and each rung is so many times the one before.

    References
    ----------
    Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning (MLSys).
    """

    def __init__(self, first: int, reduction: int) -> None:
        self._first = first
        self._reduction = reduction
        self._met: set[int] = set()
        self._finished: dict[str, list[float]] = {}
        self._open: list[tuple[int, dict[str, float]]] = []
        self._ready = False

    def prepare(self, study: optuna.Study) -> None:
        """Take in the study's trials as they stand, for the next decision."""
        self._open = []
        for trial in study.get_trials(deepcopy=False):
            if trial.number in self._met:
                continue
            if not trial.state.is_finished():
                self._open.append((trial.number, _rungs(trial)))
                continue
            self._met.add(trial.number)
            for rung, value in _rungs(trial).items():
                insort(self._finished.setdefault(rung, []), value)
        self._ready = True

    def prune(self, study: optuna.Study, trial: FrozenTrial) -> bool:
        """Whether the trial ends at the rung that it has come to."""
        step = trial.last_step
        if step is None:
            return False
        value, rung, prunes = trial.intermediate_values[step], 0, False
        while RUNG.format(rung) in trial.system_attrs:
            rung += 1
        while not prunes and step >= self._first * self._reduction**rung:
            if math.isnan(value):
                return True
            if not self._ready:
                self.prepare(study)
            name = RUNG.format(rung)
            study._storage.set_trial_system_attr(trial._trial_id, name, value)
            prunes = not self._goes_on(study.direction, trial.number, name, value)
            rung += 1
        self._ready = False
        return prunes

    def _goes_on(self, direction: StudyDirection, number: int, rung: str, value: float) -> bool:
        """Whether few enough of those that came to the rung are better."""
        finished = self._finished.get(rung, [])
        others = [at[rung] for other, at in self._open if other != number and rung in at]
        if direction == StudyDirection.MAXIMIZE:
            better = len(finished) - bisect_right(finished, value)
            better += sum(other > value for other in others)
        else:
            better = bisect_left(finished, value) + sum(other < value for other in others)
        came = len(finished) + len(others) + 1
        return better <= max(came // self._reduction - 1, 0)


def _rungs(trial: FrozenTrial) -> dict[str, float]:
    return {k: v for k, v in trial.system_attrs.items() if k.startswith(RUNG.format(""))}
