"""The baselines' search spaces name exactly the hyperparameters that the baselines read."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from geno_hpo.baselines import BASELINES

from .cases import PARAMS

FOLDER = Path(__file__).parents[2] / "search_spaces" / "baselines"


def names(parameters: dict) -> set[str]:
    """Names of all hyperparameters, those of branches included."""
    found = set(parameters)
    for value in parameters.values():
        if isinstance(value, dict) and "branch" in value:
            found |= {name for branch in value["branch"].values() for name in names(branch)}
    return found


@pytest.mark.parametrize("name", BASELINES)
def test_a_space_belongs_to_each_baseline(name: str) -> None:
    space = YAML(typ="safe").load(FOLDER / f"{name}.yaml")
    assert space["family"] == name
    assert {"family", *names(space["parameters"])} == set(PARAMS[name])
