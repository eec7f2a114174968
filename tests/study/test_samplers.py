"""Samplers: kept from trial to trial, they draw as if made anew for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optuna
import pytest

from geno_hpo.config import SamplerConfig
from geno_hpo.study import samplers
from geno_hpo.study.samplers import make_sampler

NAMES = ("tpe", "random", "qmc")
OPTUNA = optuna.samplers.BaseSampler


def branching(trial: optuna.Trial) -> float:
    """A space with branches; the score is known."""
    rate = trial.suggest_float("rate", 1e-4, 1.0, log=True)
    score = -abs(rate - 0.01)
    if trial.suggest_categorical("kind", ("a", "b", "c")) == "a":
        score -= trial.suggest_float("a.depth", 0.0, 1.0)
        score -= trial.suggest_int("a.width", 1, 9) / 9
    elif trial.suggest_categorical("b.flag", (True, False)):
        score -= trial.suggest_float("b.size", 0.0, 1.0)
    return score


def plain(trial: optuna.Trial) -> float:
    """A space without branches."""
    return -abs(trial.suggest_float("rate", 0.0, 1.0) - 0.3) - trial.suggest_int("width", 1, 9) / 9


def search(
    sampler: Callable[[int], OPTUNA],
    space: Callable[[optuna.Trial], float],
    trials: int,
    study: optuna.Study | None = None,
) -> optuna.Study:
    """Go on with a study; every fifth trial is pruned."""
    study = study or optuna.create_study(direction="maximize")
    for _ in range(trials):
        number = len(study.trials)
        study.sampler = sampler(number)
        trial = study.ask()
        score = space(trial)
        trial.report(score, 1)
        pruned = number % 5 == 4
        state = optuna.trial.TrialState.PRUNED if pruned else None
        study.tell(trial, None if pruned else score, state=state)
    return study


def drawn(study: optuna.Study) -> list[dict[str, Any]]:
    return [trial.params for trial in study.trials]


@pytest.mark.parametrize("space", [plain, branching])
@pytest.mark.parametrize("name", NAMES)
def test_a_draw_does_not_depend_on_what_the_process_drew_before(
    name: str, space: Callable[[optuna.Trial], float]
) -> None:
    config = SamplerConfig(name=name, startup_trials=5)  # type: ignore[arg-type]

    def made() -> Callable[[int], OPTUNA]:
        return make_sampler(config, 7, conditional=space is branching)

    kept = search(made(), space, 30)
    anew = search(lambda number: made()(number), space, 30)
    assert drawn(kept) == drawn(anew)
    assert len({tuple(params.items()) for params in drawn(kept)}) > 20


def test_tpe_draws_what_optunas_own_draws_without_branches() -> None:
    ours = make_sampler(SamplerConfig(name="tpe", startup_trials=5), 7, conditional=False)
    seeds = {}

    def optunas(number: int) -> OPTUNA:
        seeds[number] = ours(number)._rng.rng.get_state()  # type: ignore[attr-defined]
        theirs = optuna.samplers.TPESampler(n_startup_trials=5)
        theirs._rng.rng.set_state(seeds[number])
        theirs._random_sampler._rng.rng.set_state(seeds[number])
        return theirs

    found = drawn(search(optunas, plain, 40))
    mine = make_sampler(SamplerConfig(name="tpe", startup_trials=5), 7, conditional=False)
    assert drawn(search(mine, plain, 40)) == found


def test_groups_are_those_of_optuna_whatever_the_order() -> None:
    study = search(lambda number: optuna.samplers.RandomSampler(seed=number), branching, 40)
    theirs = optuna.search_space.group_decomposed._GroupDecomposedSearchSpace(True)
    expected = {frozenset(group) for group in theirs.calculate(study).search_spaces}
    forward, backward = samplers.Groups(), samplers.Groups()
    forward.calculate(study)
    for trial in reversed(study.trials):
        backward._add(trial.distributions)
    assert {frozenset(group) for group in forward.search_spaces} == expected
    assert [list(group) for group in forward.search_spaces] == [
        list(group) for group in backward.search_spaces
    ]
    assert len(expected) == 4


def test_a_long_history_is_capped_to_the_latest_of_the_worse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(samplers, "HISTORY", 10)
    study = search(lambda number: optuna.samplers.RandomSampler(seed=number), branching, 60)
    sampler = samplers.LatestTPE(5, conditional=True)
    running = study.ask()
    frozen = study.trials[running.number]
    below, above = sampler._split(study, frozen)
    assert len(below) == 6, "the best tenth, of whatever age"
    for names in ({"rate": None}, {"a.depth": None}):
        kept = sampler._latest(study, above, names)  # type: ignore[arg-type]
        having = [trial for trial in above if names.keys() <= trial.params.keys()]
        assert [trial.number for trial in kept] == [trial.number for trial in having[-10:]]
