"""What permuted labels and planted causes say."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.metrics import METRICS
from geno_hpo.study.control import Controlled, control_result, empirical_p, positive_control

AUC = METRICS["auc"]


def permuted(count: int, test: float, samples: int = 200) -> Controlled:
    rng = np.random.default_rng(0)
    return Controlled(
        metric=AUC,
        labels={i: (rng.random((samples, 1)) < 0.5).astype(np.float32) for i in range(count)},
        predictions={i: rng.random((2, samples, 1)) for i in range(count)},
        cv=dict.fromkeys(range(count), 0.5),
        asked=count,
        test=test,
        seed=1,
    )


@pytest.mark.parametrize(
    ("score", "others", "metric", "expected"),
    [
        (0.9, [0.5] * 19, "auc", 0.05),
        (0.9, [0.5, 0.95, 0.9], "auc", 0.75),
        (0.1, [0.5, 0.6], "rmse", 1 / 3),
        (float("nan"), [0.5, 0.6], "auc", 1.0),
    ],
)
def test_an_empirical_p_value_counts_the_real_labels(
    score: float, others: list[float], metric: str, expected: float
) -> None:
    assert empirical_p(score, others, METRICS[metric]) == pytest.approx(expected)


def test_without_a_signal_empirical_p_values_are_uniform() -> None:
    rng = np.random.default_rng(1)
    found = [empirical_p(float(rng.normal()), list(rng.normal(size=19)), AUC) for _ in range(2000)]
    for level in (0.05, 0.2, 0.5):
        assert np.mean(np.array(found) <= level + 1e-9) == pytest.approx(level, abs=0.03)


def test_one_permutation_is_held_against_chance_and_several_count() -> None:
    one = control_result(permuted(1, 0.9))
    assert one is not None
    assert "at chance" in one["sentence"]
    assert one["chance"][0] < one["test"] < one["chance"][1]
    several = control_result(permuted(9, 0.9))
    assert several is not None
    assert (several["p_value"], several["chance"], len(several["tests"])) == (0.1, None, 9)
    assert (
        "none did as well as the network on the real labels (0.900), p = 0.100"
        in (several["sentence"])
    )
    assert control_result(None) is None


@pytest.mark.parametrize(
    ("score", "word"), [(0.94, "finds what was planted"), (0.8, "part of"), (0.55, "MISSED")]
)
def test_a_planted_cause_must_be_found(score: float, word: str) -> None:
    found = positive_control(AUC, {"auc": 0.95}, score)
    assert found is not None
    assert word in found["sentence"]
    assert found["share"] == pytest.approx((score - 0.5) / 0.45)


def test_without_a_planted_cause_there_is_no_positive_control() -> None:
    assert positive_control(AUC, None, 0.9) is None
    assert positive_control(AUC, {"accuracy": 0.9}, 0.9) is None
    assert positive_control(AUC, {"auc": 0.9}, None) is None
