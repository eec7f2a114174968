from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from geno_hpo.compare import calibrate


def drawn(samples: int, seed: int = 0, power: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Events, and probabilities that are right when `power` is 1, too extreme above it."""
    rng = np.random.default_rng(seed)
    odds = rng.normal(size=samples)
    event = (rng.random(samples) < 1 / (1 + np.exp(-odds))).astype(float)
    return event, 1 / (1 + np.exp(-power * odds))


def test_curve_and_brier_are_scikit_learn_s() -> None:
    event, p = drawn(1000)
    found = calibrate(event, p)
    observed, predicted = calibration_curve(event, p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose([b.predicted for b in found.bins], predicted, atol=2e-3)
    np.testing.assert_allclose([b.observed for b in found.bins], observed, atol=0.011)
    assert {b.samples for b in found.bins} == {100}
    assert found.brier == pytest.approx(brier_score_loss(event, p))
    assert found.brier_of_rate == pytest.approx(
        brier_score_loss(event, np.full(1000, event.mean()))
    )


def test_right_probabilities_err_no_more_than_chance() -> None:
    inside = 0
    for seed in range(100):
        found = calibrate(*drawn(300, seed))
        inside += found.ece <= found.by_chance
    assert inside >= 88  # 95 expected; 99.8 % of binomial counts are 88 or more


def test_extreme_probabilities_are_found_out() -> None:
    found = calibrate(*drawn(800, power=3.0))
    assert found.ece > 2 * found.by_chance
    assert found.bins[0].predicted < found.bins[0].ci[0]
    assert found.bins[-1].predicted > found.bins[-1].ci[1]


def test_of_several_classes_the_predicted_one_is_judged() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet([1, 1, 1], size=900)
    truth = np.array([rng.choice(3, p=row) for row in p]).astype(float)
    found = calibrate(truth, p)
    assert found.brier == pytest.approx(
        brier_score_loss(truth, p, scale_by_half=False, labels=[0, 1, 2])
    )
    assert found.observed == pytest.approx((p.argmax(axis=1) == truth).mean())
    assert found.ece <= found.by_chance


def test_equal_probabilities_stay_together_and_missing_labels_do_not_count() -> None:
    p = np.repeat([0.1, 0.1, 0.1, 0.9], 25)
    event = np.tile([0.0, 1.0, 0.0, 0.0, 1.0], 20)
    event[:4] = np.nan
    found = calibrate(event, p)
    assert [b.samples for b in found.bins] == [71, 25]
    assert [b.predicted for b in found.bins] == pytest.approx([0.1, 0.9])
    assert found.samples == 96
    few = calibrate(event[:9], p[:9])
    assert len(few.bins) == 1


@pytest.mark.parametrize("p", [np.array([0.5, 1.2]), np.array([0.5, np.nan])])
def test_what_is_no_probability_is_refused(p: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"probabilities in \[0, 1\]"):
        calibrate(np.array([0.0, 1.0]), p)
    with pytest.raises(ValueError, match="got 0 labels"):
        calibrate(np.array([np.nan]), np.array([[0.5, 0.5]]))
