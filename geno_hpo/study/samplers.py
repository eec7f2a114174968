"""Samplers: from the study file's ``sampler:`` to an Optuna sampler, made once a part of a study.

Before each trial its random state is set anew from the study's seed and the trial's number alone.
What else it keeps follows from the finished trials, so that an interrupted study that goes on draws
what it would have drawn.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers._tpe.sampler import _split_trials, default_gamma
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.errors import InputError
from geno_hpo.study.genetic import Genetic

if TYPE_CHECKING:
    from collections.abc import Callable

    from geno_hpo.config import SamplerConfig
    from geno_hpo.space import SearchSpace

__all__ = ["HISTORY", "check_sampler", "make_sampler"]

HISTORY = 1000
"""Trials of the worse part that TPE's densities rest on at most, the latest ones. The better part
has 25 at most, of whatever age. Optuna weighs the worse part's trials down with age anyway."""


def make_sampler(
    config: SamplerConfig, seed: int, *, conditional: bool
) -> Callable[[int], optuna.samplers.BaseSampler]:
    """Make the sampler of one part of a study; the result gives it ready for a trial's number.

    Parameters
    ----------
    config
        Name and number of random start-up trials.
    seed
        The study's seed.
    conditional
        Whether the space has branches: TPE then groups the parameters that occur together.

    Raises
    ------
    InputError
        The sampler is unknown.
    """

    def own(number: int) -> int:
        return int(np.random.default_rng([seed, number]).integers(2**31))

    match config.name:
        case "tpe":
            tpe = LatestTPE(config.startup_trials, conditional=conditional)
            return lambda number: tpe.reseeded(own(number))
        case "random":
            return lambda number: optuna.samplers.RandomSampler(seed=own(number))
        case "qmc":
            return lambda number: _qmc(seed, own(number))
        case "grid":
            return lambda number: Grid(own(number))
        case "cmaes":
            startup = config.startup_trials
            return lambda number: optuna.samplers.CmaEsSampler(
                n_startup_trials=startup, seed=own(number), warn_independent_sampling=False
            )
        case "genetic":
            size = config.population
            return lambda number: Genetic(size, own(number))
        case "gp":
            return _gp(config.startup_trials, own)
        case other:
            raise InputError(f"sampler.name: {other!r} is not a known sampler")


def check_sampler(config: SamplerConfig, space: SearchSpace, trials: int) -> None:
    """See that a sampler can search a space.

    Raises
    ------
    InputError
        A grid over a number without steps, or of fewer configurations than trials; or a sampler
        whose library is not installed.
    """
    if config.name == "grid":
        if space.continuous:
            raise InputError(
                "sampler.name: a grid needs steps; give `step`, or a choice of values, to "
                + ", ".join(space.continuous)
            )
        if trials > space.combinations:
            raise InputError(
                f"budget.trials: the grid has {space.combinations} configurations, got {trials}"
            )
    if config.name == "gp" and find_spec("torch") is None:
        raise InputError(
            "sampler.name: gp needs PyTorch; install it with: pip install 'geno-hpo[gp]', or take "
            "tpe"
        )


class Grid(optuna.samplers.BruteForceSampler):
    """Every configuration once, in random order; branches bring theirs.

    Parameters
    ----------
    seed
        Of the order.
    """

    def __init__(self, seed: int) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            super().__init__(seed=seed)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Any
    ) -> None:
        """Leave the study's end to its budget."""


def _gp(startup: int, own: Callable[[int], int]) -> Callable[[int], optuna.samplers.BaseSampler]:
    def make(number: int) -> optuna.samplers.BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.GPSampler(n_startup_trials=startup, seed=own(number))

    return make


def _qmc(seed: int, own: int) -> optuna.samplers.QMCSampler:
    """The sequence is the study's; what it does not reach is random, from the trial's own seed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return optuna.samplers.QMCSampler(
            seed=seed,
            scramble=True,
            independent_sampler=optuna.samplers.RandomSampler(seed=own),
            warn_independent_sampling=False,
        )


class Groups:
    """Parameters that always occur together: the coarsest groups that no finished trial splits.

    Groups and the parameters in them go by name, in whatever order the trials were met.
    """

    def __init__(self) -> None:
        self.search_spaces: list[dict[str, BaseDistribution]] = []
        self._met: set[int] = set()
        self._shapes: set[frozenset[str]] = set()

    def calculate(self, study: optuna.Study, use_cache: bool = False) -> Groups:
        """Take in what has finished since the last call; give the groups."""
        states = (TrialState.COMPLETE, TrialState.PRUNED)
        trials = study._get_trials(deepcopy=False, states=states, use_cache=use_cache)
        for trial in trials:
            if trial.number not in self._met:
                self._met.add(trial.number)
                self._add(trial.distributions)
        return self

    def _add(self, distributions: dict[str, BaseDistribution]) -> None:
        left = frozenset(distributions)
        if left in self._shapes:
            return
        self._shapes.add(left)
        parts: list[dict[str, BaseDistribution]] = []
        for group in self.search_spaces:
            parts.append({name: group[name] for name in group if name in left})
            parts.append({name: group[name] for name in group if name not in left})
            left -= group.keys()
        parts.append({name: distributions[name] for name in sorted(left)})
        self.search_spaces = sorted(filter(None, parts), key=min)


class LatestTPE(optuna.samplers.TPESampler):
    """TPE that splits the history once a trial, and rests on the latest `HISTORY` of it.

    With up to `HISTORY` finished trials it draws what Optuna's own draws.

    Parameters
    ----------
    startup
        Random trials before the first that is drawn from the history.
    conditional
        Whether parameters are grouped by the trials that they occur in, and drawn together. Else
        they are drawn together with one objective, each by itself with several, as Optuna does.
    """

    def __init__(self, startup: int, *, conditional: bool) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            super().__init__(
                n_startup_trials=startup, group=conditional, multivariate=conditional or None
            )
        if conditional:
            groups: Any = Groups()
            self._group_decomposed_search_space = groups
        self._parts: tuple[list[FrozenTrial], list[FrozenTrial]] | None = None

    def reseeded(self, seed: int) -> LatestTPE:
        """Make ready for a trial, as if made anew with this seed."""
        self._rng.rng.seed(seed)
        self._random_sampler._rng.rng.seed(seed)
        self._parts = None
        return self

    def _sample(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        if self._parts is None:
            self._parts = self._split(study, trial)
        below, above = self._parts
        better = self._build_parzen_estimator(study, search_space, below, handle_below=True)
        worse = self._build_parzen_estimator(
            study, search_space, self._latest(study, above, search_space), handle_below=False
        )
        candidates = better.sample(self._rng.rng, self._n_ei_candidates)
        gain = self._compute_acquisition_func(candidates, better, worse)
        drawn = self._compare(candidates, gain)
        return {name: dist.to_external_repr(drawn[name]) for name, dist in search_space.items()}

    def _split(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> tuple[list[FrozenTrial], list[FrozenTrial]]:
        states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
        trials = study._get_trials(deepcopy=False, states=states)
        others = [other for other in trials if other.number != trial.number]
        finished = sum(other.state != TrialState.RUNNING for other in others)
        return _split_trials(study, others, default_gamma(finished))

    def _latest(
        self, study: optuna.Study, trials: list[FrozenTrial], names: dict[str, BaseDistribution]
    ) -> list[FrozenTrial]:
        """The latest `HISTORY` trials that have these parameters, by number."""
        found: list[FrozenTrial] = []
        for trial in reversed(trials):
            if names.keys() <= self._get_params(trial, study).keys():
                found.append(trial)
                if len(found) == HISTORY:
                    break
        return found[::-1]
