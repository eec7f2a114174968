"""The page on families names every family, every parameter and every publication."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from geno_hpo.models import FAMILIES
from geno_hpo.models.training import TRAINING

PAGE = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*)$", PAGE, re.MULTILINE))
EVERYWHERE = {"activation", "batch_norm", "dropout", "spatial_dropout", "stochastic_depth"}


@pytest.mark.parametrize("name", FAMILIES)
def test_a_family_has_a_row(name: str) -> None:
    family, row = FAMILIES[name], ROWS[name]
    *_, parameters, reference = row.rstrip(" |").split(" | ")
    own = {parameter.name for parameter in family.parameters} - EVERYWHERE
    assert set(re.findall(r"`(\w+)`", parameters)) == own
    assert reference == family.reference


def test_every_parameter_of_training_is_told() -> None:
    told = set(re.findall(r"`(\w+)`", PAGE))
    assert {parameter.name for parameter in TRAINING} | EVERYWHERE <= told
