"""Several objectives: what a trial cost beside its score, the Pareto front, and who wins.

A trial's values are its score (the mean over the folds) and then its costs, all of which shall be
small. With one objective the best score wins. With several, every score within one standard error
of the best one counts as good enough, and the cheapest of those trials wins.

References
----------
Breiman et al., Classification and regression trees, 1984, section 3.4.3: the rule of one standard
error.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from optuna.trial import FrozenTrial, TrialState

__all__ = ["Choice", "choose", "costs_of", "front", "score_of"]


@dataclass(frozen=True)
class Choice:
    """The winner among complete trials, and what it was chosen by.

    Parameters
    ----------
    winner, best
        The trial that wins, and the one with the best score; with one objective they are the same.
    error
        Standard error of the best trial's mean over its folds; 0 with one objective or one fold.
    """

    winner: FrozenTrial
    best: FrozenTrial
    error: float = 0.0


def score_of(trial: FrozenTrial) -> float | None:
    """A trial's score; None where it has none."""
    return float(trial.values[0]) if trial.values else None


def costs_of(trial: FrozenTrial) -> tuple[float, ...]:
    """What a complete trial cost, in the order of the objectives after the score."""
    return tuple(float(value) for value in trial.values[1:]) if trial.values else ()


def choose(trials: Sequence[FrozenTrial], *, maximise: bool) -> Choice | None:
    """Choose the winner; None without a complete trial.

    Equal ones are told apart by the next cost, then by the score, then by their number.
    """
    ranked = _ranked(trials, maximise)
    if not ranked:
        return None
    best = ranked[0]
    if not costs_of(best):
        return Choice(best, best)
    error = _error(best)
    limit = _loss(best, maximise) + error
    enough = [trial for trial in ranked if _loss(trial, maximise) <= limit]
    return Choice(min(enough, key=costs_of), best, error)


def front(trials: Sequence[FrozenTrial], *, maximise: bool) -> list[FrozenTrial]:
    """Give the complete trials that no other one equals or beats in every objective, best first.

    Of trials with equal values it gives the earliest.
    """
    found: list[FrozenTrial] = []
    for trial in _ranked(trials, maximise):
        costs = costs_of(trial)
        if not any(
            all(a <= b for a, b in zip(costs_of(other), costs, strict=True)) for other in found
        ):
            found.append(trial)
    return found


def _ranked(trials: Sequence[FrozenTrial], maximise: bool) -> list[FrozenTrial]:
    """Complete trials, the best score first, of equal ones the cheapest, then the earliest."""
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(complete, key=lambda t: (_loss(t, maximise), costs_of(t), t.number))


def _loss(trial: FrozenTrial, maximise: bool) -> float:
    """The score turned so that less is better."""
    score = score_of(trial) or 0.0
    return -score if maximise else score


def _error(trial: FrozenTrial) -> float:
    """Standard error of a trial's mean over its folds; 0 for a single one."""
    scores = np.asarray(trial.user_attrs.get("fold_scores", ()), dtype=np.float64)
    if len(scores) < 2:
        return 0.0
    return float(scores.std(ddof=1)) / math.sqrt(len(scores))
