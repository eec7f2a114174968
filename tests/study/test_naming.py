"""What MLflow calls a trial's run."""

from __future__ import annotations

from typing import Any

import pytest

from geno_hpo.study.naming import run_name


def fit(kind: str, restart: int = 1, step: int = 0) -> dict[str, Any]:
    return {"kind": kind, "model": "cnn", "restart": restart, "step": step}


@pytest.mark.parametrize(
    ("part", "number", "params", "task", "told"),
    [
        ("network", 42, {"family": "cnn"}, {}, ("trial 0042 cnn", "search")),
        ("ridge", 3, {"family": "ridge"}, {}, ("baseline 0003 ridge", "baseline")),
        ("control", 1, {"family": "mlp"}, {}, ("control 0001 mlp", "control")),
        ("final", 0, {"family": "cnn"}, fit("network", 2), ("final network cnn 2", "final")),
        ("final", 0, {"family": "ridge"}, fit("baseline"), ("final baseline ridge 1", "final")),
        ("final", 0, {"family": "cnn"}, fit("restart", 3), ("final restart cnn 3", "final")),
        (
            "final",
            0,
            {"family": "cnn"},
            fit("share", step=40),
            ("final cnn on 40 % of the samples", "final"),
        ),
        ("final", 0, {}, fit("trivial"), ("final trivial models", "final")),
    ],
)
def test_a_run_is_named_for_people(
    part: str, number: int, params: dict[str, Any], task: dict[str, Any], told: tuple[str, str]
) -> None:
    assert run_name(part, number, params, task) == told
