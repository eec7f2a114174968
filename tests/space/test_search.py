"""Suggesting, drawing and translating configurations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from geno_hpo.errors import InputError
from geno_hpo.space import Parameters, SearchSpace, Space, load_space
from geno_hpo.space.tree import Choice, Fixed, Float, Int, every

from .test_space import TREE

Make = Callable[..., Space]
ROOT = Path(__file__).parents[2]
SHIPPED = SearchSpace(
    tuple(load_space(ROOT / "search_spaces" / f"{name}.yaml") for name in ("cnn", "mlp"))
)
FACTS = {"length": 50, "samples": 100, "units": 1}
SEEDS = st.integers(0, 2**32)


@pytest.fixture
def two(make: Make) -> SearchSpace:
    return SearchSpace((make(TREE), make("layers: {int: [1, 2]}", family="mlp")))


def asked(space: SearchSpace, params: dict[str, Any]) -> Parameters:
    return space.suggest(optuna.trial.FixedTrial(params))


def test_suggest_names_and_shortens(two: SearchSpace) -> None:
    given_ = {
        "family": "cnn",
        "cnn.layers": 2,
        "cnn.width": 16,
        "cnn.kernel": 8,
        "cnn.dropout": 0.1 * 3,
        "cnn.rate": 1e-3,
        "cnn.share": 0.25,
        "cnn.activation": "elu",
        "cnn.optimizer": "sgd",
        "cnn.optimizer.sgd.momentum": 0.9,
        "cnn.optimizer.sgd.schedule": "cosine",
        "cnn.optimizer.sgd.schedule.cosine.cycles": 2,
    }
    wanted = {
        "family": "cnn",
        "layers": 2,
        "width": 16,
        "kernel": 8,
        "dropout": 0.3,
        "rate": 1e-3,
        "share": 0.25,
        "activation": "elu",
        "norm": False,
        "optimizer": "sgd",
        "momentum": 0.9,
        "schedule": "cosine",
        "cycles": 2,
    }
    assert asked(two, given_) == wanted
    assert two.short(given_) == wanted
    assert two.to_optuna(wanted) == {**given_, "cnn.dropout": 0.3}
    assert asked(two, {"family": "mlp", "mlp.layers": 1}) == {"family": "mlp", "layers": 1}


def test_one_space_asks_for_no_family(make: Make) -> None:
    space = SearchSpace((make("a: {int: [1, 4]}\nb: 3"),))
    assert asked(space, {"cnn.a": 2}) == {"family": "cnn", "a": 2, "b": 3}
    assert space.to_optuna({"family": "cnn", "a": 2, "b": 3}) == {"cnn.a": 2}
    assert not space.conditional


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc"])
def test_real_trials(two: SearchSpace, sampler: str) -> None:
    made = {
        "tpe": optuna.samplers.TPESampler(seed=1, n_startup_trials=5, group=True),
        "random": optuna.samplers.RandomSampler(seed=1),
        "qmc": optuna.samplers.QMCSampler(seed=1, warn_independent_sampling=False),
    }
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=made[sampler])
    for number in range(20):
        trial = study.ask()
        params = two.suggest(trial)
        assert two.short(trial.params) == params
        study.enqueue_trial(two.to_optuna(params))
        again = study.ask()
        assert two.suggest(again) == params
        study.tell(trial, float(number))
        study.tell(again, float(number))


@settings(deadline=None)
@given(SEEDS)
def test_drawn_configurations_go_to_optuna_and_back(seed: int) -> None:
    params = SHIPPED.draw(np.random.default_rng(seed))
    names = SHIPPED.to_optuna(params)
    assert SHIPPED.short(names) == params
    assert asked(SHIPPED, names) == params
    assert SHIPPED.to_optuna(SHIPPED.short(names)) == names
    assert SHIPPED.violations(params, FACTS) == []


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=SEEDS)
def test_drawn_values_lie_in_the_space(make: Make, seed: int) -> None:
    space = make(TREE)
    params = SearchSpace((space,)).draw(np.random.default_rng(seed))
    names = SearchSpace((space,)).to_optuna(params)
    for node, _ in every(space.parameters):
        if isinstance(node, Fixed):
            assert params[node.name] == node.value
        elif node.key in names:
            assert node.holds(names[node.key])


def test_draw_covers_everything(two: SearchSpace) -> None:
    rng = np.random.default_rng(1)
    seen: dict[str, set[Any]] = {}
    for _ in range(600):
        for key, value in two.to_optuna(two.draw(rng)).items():
            seen.setdefault(key, set()).add(value)
    for space in two.spaces:
        for node, _ in every(space.parameters):
            if isinstance(node, (Choice,)) or (isinstance(node, Int) and not node.log):
                wanted = (
                    node.values
                    if isinstance(node, Choice)
                    else range(node.low, node.high + 1, node.step)
                )
                assert seen[node.key] == set(wanted)
    assert seen["cnn.dropout"] == {0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6}
    assert seen["cnn.optimizer"] == {"adam", "sgd", "rmsprop"}
    assert seen["cnn.optimizer.sgd.schedule.cosine.cycles"] == {1, 2, 3}
    assert {min(seen["cnn.width"]) < 12, max(seen["cnn.width"]) > 100} == {True}
    assert np.median(list(seen["cnn.rate"])) == pytest.approx(1e-3, rel=0.5)


def test_draws_repeat_with_the_seed(two: SearchSpace) -> None:
    first, second = (np.random.default_rng(3) for _ in range(2))
    assert [two.draw(first) for _ in range(9)] == [two.draw(second) for _ in range(9)]


def test_extremes_hold_every_edge(two: SearchSpace) -> None:
    found = [two.to_optuna(params) for params in two.extremes()]
    for space in two.spaces:
        for node, _ in every(space.parameters):
            if not isinstance(node, Fixed):
                got = {params[node.key] for params in found if node.key in params}
                assert got >= set(node.extremes()), node.key


@settings(deadline=None)
@given(
    st.decimals(-5, 5, places=2),
    st.decimals("0.01", 2, places=2),
    st.integers(1, 60),
    st.integers(0, 60),
)
def test_steps_are_written_as_people_write_them(low: Any, step: Any, steps: int, at: int) -> None:
    node = Float("a", "cnn.a", 1, float(low), float(low + steps * step), float(step))
    at = min(at, steps)
    snapped = node.snap(float(low) + at * float(step))
    assert snapped == float(low + at * step)
    assert node.holds(snapped)
    distribution = optuna.distributions.FloatDistribution(node.low, node.high, step=node.step)
    assert distribution._contains(snapped)
    assert node.holds(node.default)


@pytest.mark.parametrize(
    "node",
    [
        Int("a", "a", 1, 1, 1000, log=True),
        Int("a", "a", 1, 3, 11, 4),
        Int("a", "a", 1, 5, 5),
        Float("a", "a", 1, 1e-6, 1e-2, log=True),
        Float("a", "a", 1, -1.0, 1.0),
        Float("a", "a", 1, 0.5, 0.5, 0.1),
    ],
)
def test_numbers_stay_inside(node: Int | Float) -> None:
    rng = np.random.default_rng(0)
    drawn = [node.draw(rng) for _ in range(300)]
    assert all(node.holds(value) for value in [*drawn, node.default, *node.extremes()])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, r"family must be one of cnn, mlp, got None"),
        ({"family": "gnn"}, r"family must be one of cnn, mlp, got 'gnn'"),
        ({"family": "mlp"}, r"mlp.layers is missing: the trial is not from mlp"),
        ({"family": "mlp", "mlp.layers": 9}, r"mlp.layers must be in 1 to 2, got 9"),
        ({"family": "mlp", "mlp.layers": True}, r"mlp.layers must be in 1 to 2, got True"),
        ({"family": "mlp", "mlp.layers": None}, r"mlp.layers must be in 1 to 2, got None"),
    ],
)
def test_short_refuses_other_trials(two: SearchSpace, params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        two.short(params)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"family": "mlp"}, r"layers is missing from the configuration"),
        ({"family": "mlp", "layers": 5}, r"mlp.layers must be in 1 to 2, got 5"),
        ({"family": "mlp", "layers": 1, "momentum": 1}, r"not in this .* of mlp: momentum"),
    ],
)
def test_to_optuna_refuses(two: SearchSpace, params: Parameters, message: str) -> None:
    with pytest.raises(InputError, match=message):
        two.to_optuna(params)


def test_a_fixed_value_cannot_be_changed(make: Make) -> None:
    space = SearchSpace((make("a: false"),))
    assert space.to_optuna({"family": "cnn"}) == {}
    with pytest.raises(InputError, match="a is fixed at false, got true"):
        space.to_optuna({"family": "cnn", "a": True})


def test_which_spaces_go_together(make: Make) -> None:
    with pytest.raises(InputError, match="a search needs at least one space"):
        SearchSpace(())
    with pytest.raises(InputError, match='one space a family, got two of family "cnn"'):
        SearchSpace((make("a: 1"), make("b: 1")))


def test_fingerprint(make: Make) -> None:
    cnn, mlp = make("a: {int: [1, 2]}"), make("a: {int: [1, 2]}", family="mlp")
    assert SearchSpace((cnn,)).fingerprint == SearchSpace((cnn,)).fingerprint
    assert len({SearchSpace(x).fingerprint for x in ((cnn,), (cnn, mlp), (mlp, cnn))}) == 3


RULES = """
constraints:
  - rule: kernel <= length
    why: a kernel cannot be wider than the sequence
  - rule: momentum < 0.9
"""


def test_violations(make: Make) -> None:
    space = SearchSpace((make(TREE, rest=RULES),))
    params = space.draw(np.random.default_rng(0)) | {"kernel": 24, "optimizer": "adam"}
    params.pop("momentum", None)
    [told] = space.violations(params, {"length": 20})
    assert told.startswith(
        "kernel <= length (a kernel cannot be wider than the sequence), "
        "got kernel = 24, length = 20 ("
    )
    assert told.endswith("cnn.yaml:23)")
    assert space.violations(params, {}) == []
    assert len(space.violations(params | {"momentum": 0.95}, {"length": 20})) == 2


def test_a_rule_without_an_answer_is_told(make: Make) -> None:
    rules = "constraints: [{rule: 8 % layers < 1 / (layers - 1)}]"
    space = SearchSpace((make("layers: {int: [1, 3]}", rest=rules),))
    [told] = space.violations({"family": "cnn", "layers": 1}, {})
    assert "cannot be answered: 1 / 0 divides by zero; got layers = 1 (" in told
