"""Values given by hand, before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.errors import InputError
from geno_hpo.study.paths import Project
from geno_hpo.study.single import Single, given_values


def test_values_are_written_as_in_yaml() -> None:
    pairs = ["learning_rate=5e-4", "dropout=0.2", "layers=2", "optimizer=sgd", "batch_norm=true"]
    found = given_values([*pairs, "l2=0.0005"])
    assert found == {
        "learning_rate": 5e-4,
        "dropout": 0.2,
        "layers": 2,
        "optimizer": "sgd",
        "batch_norm": True,
        "l2": 0.0005,
    }
    assert isinstance(found["learning_rate"], float)
    assert isinstance(found["layers"], int)


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (["dropout"], "--set takes key=value, got 'dropout'"),
        (["=1"], "--set takes key=value"),
        (["dropout=0.1", "dropout=0.2"], "was given twice: 0.1 and 0.2"),
        (["dropout=[1]"], "takes a number, a word, true or false"),
        (["dropout="], "takes a number"),
        (["dropout={"], "is no value"),
    ],
)
def test_what_is_no_value_is_told(pairs: list[str], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        given_values(pairs)


@pytest.mark.parametrize(
    ("family", "values", "reason"),
    [
        (None, {"learning_rat": 0.1}, "did you mean 'learning_rate'"),
        (None, {"dropout": 1.2}, "dropout must lie in"),
        ("cn", {}, "did you mean 'cnn'"),
        (None, {"family": "cnn"}, "told by --family"),
        (None, {"select": 3}, "select belongs to variant tables"),
    ],
)
def test_hyperparameters_are_checked_before_training(
    project_root: Path, family: str | None, values: dict[str, object], reason: str
) -> None:
    with pytest.raises(InputError, match=reason):
        Single(Project(project_root), "tiny", family, values)
    assert not (project_root / "mlruns" / "mlflow.db").exists()
