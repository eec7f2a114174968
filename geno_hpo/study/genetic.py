"""A genetic sampler for spaces with branches: NSGA-II, whose children inherit whole branches.

Optuna's own NSGA-II lets children inherit only what every trial has. Where families compete that is
the family's name alone, which it then redraws in each child: a search by chance. Here a gene is any
parameter that a trial has met, and a child takes those of a branch from the parent that gave it the
branch.

References
----------
Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE Transactions on
Evolutionary Computation 2002.
"""

from __future__ import annotations

import warnings
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.study._multi_objective import _dominates
from optuna.trial import FrozenTrial, TrialState

__all__ = ["Genetic"]

CROSSED = 0.9
"""Share of children that have two parents."""


class Genetic(optuna.samplers.NSGAIISampler):
    """NSGA-II over every parameter that complete trials have.

    A child is made of two parents, each the better of two drawn from the population. A parameter of
    both comes from either, one of a single parent from that one. Each is drawn anew with a chance
    of one over the number of the first parent's parameters.

    Parameters
    ----------
    population
        Trials in a generation.
    seed
        Of the trial that is drawn next.
    """

    def __init__(self, population: int, seed: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            super().__init__(
                population_size=population, seed=seed, child_generation_strategy=self._child
            )

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Every parameter that a complete trial has, by name; see `optuna.samplers`."""
        del trial
        complete = study._get_trials(deepcopy=False, states=(TrialState.COMPLETE,), use_cache=True)
        found = {name: each for one in complete for name, each in one.distributions.items()}
        return {name: found[name] for name in sorted(found) if not found[name].single()}

    def _child(
        self,
        study: optuna.Study,
        search_space: dict[str, BaseDistribution],
        population: list[FrozenTrial],
    ) -> dict[str, Any]:
        """Parameters of a child; what is left out is drawn by chance."""
        random = self._rng.rng
        first = self._parent(study, population)
        second = self._parent(study, population) if random.rand() < CROSSED else first
        redrawn = 1.0 / max(len(first.params), 1)
        child = {}
        for name in search_space:
            parents = [one for one in (first, second) if name in one.params]
            chosen, chance = random.rand() < 0.5, random.rand()
            if parents and chance >= redrawn:
                child[name] = parents[-1 if chosen else 0].params[name]
        return child

    def _parent(self, study: optuna.Study, population: list[FrozenTrial]) -> FrozenTrial:
        """The better of two, of equal ones the first."""
        one, other = (population[int(i)] for i in self._rng.rng.choice(len(population), 2))
        return other if _dominates(other, one, study.directions) else one
