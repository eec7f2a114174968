"""What a search may draw is seen before any trial."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from geno_hpo.errors import SpaceError, TrialFailed
from geno_hpo.space import Parameters, SearchSpace, Space, check_space

from .test_search import RULES
from .test_space import TREE

Make = Callable[..., Space]


def test_check_tells_every_broken_rule_with_its_share(make: Make) -> None:
    space = SearchSpace((make(TREE, rest=RULES),))
    with pytest.raises(SpaceError, match="can draw what no model can be built from") as caught:
        check_space(space, {"length": 20})
    text = str(caught.value)
    assert "kernel <= length (a kernel cannot be wider than the sequence), got kernel = 24" in text
    assert "cnn.yaml:23); broken by 1" in text
    assert "momentum < 0.9, got momentum = 0.95 (" in text
    assert "cnn.yaml:25); broken by 1 % of random draws" in text
    assert len(text.splitlines()) == 3


def test_check_finds_an_edge_that_draws_do_not(make: Make) -> None:
    space = SearchSpace((make("a: {float: [0, 1]}", rest="constraints: [{rule: a < 1, why: so}]"),))
    with pytest.raises(SpaceError, match=r"a < 1 \(so\), got a = 1.0 .*; broken by 0 % of random"):
        check_space(space, {})


def test_check_asks_whether_models_can_be_built(make: Make) -> None:
    space = SearchSpace((make("a: {int: [1, 4]}\nb: {choice: [x, y]}"),))
    seen: list[Parameters] = []
    check_space(space, {}, seen.append, draws=5)
    assert len(seen) == 5 + 6

    def refuse(params: Parameters) -> None:
        if params["a"] == 4:
            raise TrialFailed("invalid", f"a must be below 4, got {params['a']}")
        if params["b"] == "y":
            raise ValueError("y cannot be")

    with pytest.raises(
        SpaceError, match=r"a must be below 4, got 4, with family = cnn, a = 4,"
    ) as e:
        check_space(space, {}, refuse)
    assert "y cannot be, with family = cnn" in str(e.value)
    assert len(str(e.value).splitlines()) == 3


def test_check_lets_other_errors_through(make: Make) -> None:
    def broken(params: Parameters) -> None:
        raise KeyError("bug")

    with pytest.raises(KeyError, match="bug"):
        check_space(SearchSpace((make("a: {int: [1, 4]}"),)), {}, broken)
