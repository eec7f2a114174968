from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.compare import chance_interval
from geno_hpo.metrics import METRICS

from .cases import guesses, labels

AUC = METRICS["auc"]


def test_auc_without_skill_has_the_mann_whitney_spread() -> None:
    truth = labels(100)
    positive = truth.sum()
    negative = 100 - positive
    # Variance of U / (n m) under the null hypothesis.
    spread = np.sqrt((positive + negative + 1) / (12 * positive * negative))
    found = chance_interval(truth, AUC, permutations=3000)
    assert found.centre == pytest.approx(0.5, abs=0.005)
    assert found.low == pytest.approx(0.5 - 2.576 * spread, abs=0.025)
    assert found.high == pytest.approx(0.5 + 2.576 * spread, abs=0.025)


def test_pearson_without_skill_has_the_spread_of_its_null_distribution() -> None:
    truth = np.random.default_rng(0).normal(size=(82, 1))
    found = chance_interval(truth, METRICS["pearson"], permutations=2000, level=0.95)
    assert found.low == pytest.approx(-1.96 / 9, abs=0.03)
    assert found.high == pytest.approx(1.96 / 9, abs=0.03)


def test_the_base_rate_is_what_a_model_without_skill_knows() -> None:
    truth = labels(200, share=0.2)
    rate = truth.mean()
    loss = chance_interval(truth, METRICS["log_loss"], permutations=50)
    entropy = -(rate * np.log(rate) + (1 - rate) * np.log(1 - rate))
    assert loss.centre == pytest.approx(entropy, abs=1e-3)
    accuracy = chance_interval(truth, METRICS["accuracy"], permutations=50)
    assert accuracy.low == accuracy.high == pytest.approx(1 - rate)
    classes = np.random.default_rng(0).choice(3, (200, 1), p=[0.6, 0.3, 0.1]).astype(float)
    several = chance_interval(classes, METRICS["accuracy"], permutations=50)
    assert several.centre == pytest.approx((classes == 0).mean())


def test_skill_lies_outside_and_shuffled_labels_inside() -> None:
    truth = labels(150)
    model = guesses(truth, 1.5)
    found = chance_interval(truth, AUC, model, permutations=300)
    assert not found.holds(AUC.score(truth, model[0]))
    shuffled = truth[np.random.default_rng(5).permutation(150)]
    assert found.holds(AUC.score(shuffled, model[0]))
    assert found == chance_interval(truth, AUC, model, permutations=300)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 0.0}, r"level must lie in \(0, 1\), got 0.0"),
        ({"permutations": 0}, "permutations must be at least 1, got 0"),
    ],
)
def test_bad_arguments_are_told(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        chance_interval(labels(20), AUC, **options)
