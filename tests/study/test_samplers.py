"""Samplers: kept from trial to trial, they draw as if made anew for each."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import optuna
import pytest

from geno_hpo.config import SamplerConfig
from geno_hpo.errors import InputError
from geno_hpo.space import SearchSpace, load_space
from geno_hpo.study import samplers
from geno_hpo.study.samplers import check_sampler, make_sampler

NAMES = ("tpe", "random", "qmc", "cmaes", "genetic")
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


def stepped(trial: optuna.Trial) -> float:
    """Seven configurations: a branch of two by two, and one of three."""
    if trial.suggest_categorical("kind", ("a", "b")) == "a":
        rate = trial.suggest_float("a.rate", 0.1, 0.2, step=0.1)
        return rate + trial.suggest_categorical("a.flag", (0, 1))
    return float(trial.suggest_int("b.width", 1, 3))


def test_a_grid_takes_every_configuration_once_and_goes_on_where_it_was() -> None:
    config = SamplerConfig(name="grid")
    study = search(make_sampler(config, 7, conditional=True), stepped, 4)
    study = search(make_sampler(config, 7, conditional=True), stepped, 3, study)
    assert len({tuple(params.items()) for params in drawn(study)}) == 7
    again = search(make_sampler(config, 7, conditional=True), stepped, 1, study)
    assert len(again.trials) == 8, "beyond its end a grid repeats itself"


@pytest.mark.parametrize("name", ["cmaes", "genetic"])
def test_a_sampler_that_learns_comes_nearer_than_chance(name: str) -> None:
    def bowl(trial: optuna.Trial) -> float:
        return -sum((trial.suggest_float(key, 0, 1) - 0.3) ** 2 for key in "abcd")

    def best(kind: str, seed: int) -> float:
        config = SamplerConfig(name=kind, population=10)  # type: ignore[arg-type]
        return search(make_sampler(config, seed, conditional=False), bowl, 150).best_value

    learnt = [best(name, seed) for seed in range(3)]
    by_chance = [best("random", seed) for seed in range(3)]
    assert sum(learnt) > sum(by_chance)


def space(tmp_path: Path, parameters: str) -> SearchSpace:
    path = tmp_path / "one.yaml"
    path.write_text(f"family: mlp\nparameters:\n{parameters}")
    return SearchSpace((load_space(path),))


def test_what_a_grid_cannot_search_is_told(tmp_path: Path) -> None:
    config = SamplerConfig(name="grid")
    endless = space(tmp_path, "  learning_rate: {float: [0.1, 0.2]}\n  dropout: 0.1\n")
    with pytest.raises(InputError, match=r"a grid needs steps; .* to mlp\.learning_rate"):
        check_sampler(config, endless, 3)
    six = space(
        tmp_path,
        "  dropout: {float: [0.0, 0.2], step: 0.1}\n"
        "  optimizer: {branch: {adam: {}, sgd: {nesterov: true}}}\n",
    )
    assert six.combinations == 6
    check_sampler(config, six, 6)
    with pytest.raises(InputError, match=r"the grid has 6 configurations, got 7"):
        check_sampler(config, six, 7)


@pytest.mark.skipif(find_spec("torch") is not None, reason="PyTorch is installed")
def test_a_missing_library_is_told(tmp_path: Path) -> None:
    one = space(tmp_path, "  dropout: 0.1\n")
    with pytest.raises(InputError, match=r"gp needs PyTorch; install it"):
        check_sampler(SamplerConfig(name="gp"), one, 3)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_a_gaussian_process_comes_nearer_than_chance() -> None:
    def values(name: str) -> float:
        config = SamplerConfig(name=name, startup_trials=5)  # type: ignore[arg-type]
        return search(make_sampler(config, 3, conditional=False), plain, 25).best_value

    assert values("gp") >= values("random")
