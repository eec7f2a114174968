"""Several objectives: the Pareto front, who wins, and searches that weigh more than a score."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import FrozenTrial, TrialState, create_trial

from geno_hpo.config import SamplerConfig
from geno_hpo.study.front import choose, costs_of, front, score_of
from geno_hpo.study.samplers import make_sampler

# Standard deviation 0.02 over four folds: the standard error is 0.01.
FOLDS = np.array([-1.5, -0.5, 0.5, 1.5]) / np.sqrt(5 / 3) * 0.02


def trial(number: int, score: float, *costs: float, folds: bool = True) -> FrozenTrial:
    scores = [float(score + x) for x in FOLDS] if folds else [score]
    made = create_trial(values=[score, *costs], user_attrs={"fold_scores": scores})
    made.number = number
    return made


@pytest.mark.parametrize(
    ("values", "maximise", "wins"),
    [
        ([(0.9, 100), (0.895, 50), (0.891, 20), (0.88, 1)], True, 2),
        ([(0.3, 100), (0.305, 50), (0.32, 1)], False, 1),
        ([(0.9, 100), (0.895, 50), (0.895, 50)], True, 1),
        ([(0.895, 50), (0.899, 50), (0.9, 100)], True, 1),
        ([(0.9, 50, 9.0), (0.895, 50, 3.0), (0.899, 60, 1.0)], True, 1),
        ([(0.9,), (0.95,), (0.95,)], True, 1),
    ],
    ids=["cheapest", "a loss", "earliest", "better of equal cost", "third objective", "one"],
)
def test_the_cheapest_within_one_standard_error_wins(
    values: list[tuple[float, ...]], maximise: bool, wins: int
) -> None:
    trials = [trial(number, *one) for number, one in enumerate(values)]
    found = choose(trials, maximise=maximise)
    assert found is not None
    assert found.winner.number == wins
    assert found.error == (pytest.approx(0.01) if len(values[0]) > 1 else 0.0)


def test_a_single_fold_has_no_standard_error() -> None:
    trials = [trial(0, 0.9, 100, folds=False), trial(1, 0.899, 1, folds=False)]
    found = choose(trials, maximise=True)
    assert found is not None
    assert (found.winner.number, found.error) == (0, 0.0)
    assert choose([], maximise=True) is None


def test_trials_without_an_end_do_not_count() -> None:
    running = create_trial(state=TrialState.RUNNING)
    failed = create_trial(state=TrialState.FAIL)
    assert (score_of(running), costs_of(failed)) == (None, ())
    assert choose([running, failed], maximise=True) is None
    assert front([running, trial(1, 0.5, 3)], maximise=True)[0].number == 1


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 3)), max_size=30),
    st.booleans(),
)
def test_the_front_is_optunas(points: list[tuple[int, int, int]], maximise: bool) -> None:
    directions = ["maximize" if maximise else "minimize", "minimize", "minimize"]
    study = optuna.create_study(directions=directions)
    study.add_trials([trial(0, *map(float, one)) for one in points])
    found = front(study.trials, maximise=maximise)
    expected = {tuple(one.values) for one in study.best_trials}
    assert {tuple(one.values) for one in found} == expected
    assert len(found) == len(expected), "of equal trials the earliest alone"
    winner = choose(study.trials, maximise=maximise)
    if winner is not None:
        assert tuple(winner.winner.values) in expected, "nobody beats the winner"


def space(kind: str) -> Any:
    def plain(one: optuna.Trial) -> tuple[float, float]:
        width = one.suggest_int("width", 1, 64)
        rate = one.suggest_float("rate", 0.1, 1.0, step=0.1)
        return 1 - 1 / width - abs(rate - 0.3), width

    def branching(one: optuna.Trial) -> tuple[float, float]:
        score, width = plain(one)
        if one.suggest_categorical("family", ("mlp", "cnn")) == "cnn":
            score -= abs(one.suggest_float("cnn.rate", 0.0, 1.0, step=0.05) - 0.5)
        return score, width

    return branching if kind == "branching" else plain


@pytest.mark.parametrize("kind", ["plain", "branching"])
@pytest.mark.parametrize("name", ["tpe", "genetic", "random", "qmc", "grid"])
def test_samplers_search_for_several_objectives(name: str, kind: str) -> None:
    """Families compete as branches, too; a kept sampler draws what a new one would."""

    def search(seed: int = 3) -> optuna.Study:
        study = optuna.create_study(directions=["maximize", "minimize"])
        config = SamplerConfig(name=name, startup_trials=5, population=8)  # type: ignore[arg-type]
        make = make_sampler(config, seed, conditional=kind == "branching")
        for number in range(40):
            study.sampler = make(number)
            one = study.ask()
            study.tell(one, space(kind)(one))
        return study

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        study, again = search(), search()
    assert [one.params for one in study.trials] == [one.params for one in again.trials]
    found = front(study.trials, maximise=True)
    assert len(found) >= 3
    assert {one.number for one in study.best_trials} >= {one.number for one in found}


def test_learning_samplers_dominate_more_than_chance() -> None:
    def volume(name: str, seed: int) -> float:
        study = optuna.create_study(directions=["maximize", "minimize"])
        config = SamplerConfig(name=name, startup_trials=10)  # type: ignore[arg-type]
        make = make_sampler(config, seed, conditional=True)
        for number in range(80):
            study.sampler = make(number)
            one = study.ask()
            study.tell(one, space("branching")(one))
        points = [(one.values[1], one.values[0]) for one in front(study.trials, maximise=True)]
        edges = np.arange(1, 66)
        best = [max((s for w, s in points if w <= edge), default=-1.0) for edge in edges]
        return float(np.sum(np.maximum(best, -1.0) + 1.0))

    assert sum(volume("tpe", s) for s in range(3)) > sum(volume("random", s) for s in range(3))
