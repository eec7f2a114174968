"""The baselines' search spaces name exactly the hyperparameters that the baselines read."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from geno_hpo.baselines import BASELINES

from .cases import PARAMS

FOLDER = Path(__file__).parents[2] / "search_spaces" / "baselines"


@pytest.mark.parametrize("name", BASELINES)
def test_a_space_belongs_to_each_baseline(name: str) -> None:
    space = YAML(typ="safe").load(FOLDER / f"{name}.yaml")
    assert space["family"] == name
    assert {"family", *space["parameters"]} == set(PARAMS[name])
