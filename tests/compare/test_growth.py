from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.compare import growth
from geno_hpo.metrics import METRICS

SIZES = np.outer([20, 40, 60, 80, 100], np.ones(5)) * 10


@pytest.mark.parametrize(("metric", "sign"), [("auc", -1), ("rmse", 1)])
def test_a_planted_power_law_is_followed(metric: str, sign: int) -> None:
    rng = np.random.default_rng(0)
    away = 2 * SIZES**-0.4 * np.exp(0.01 * rng.normal(size=SIZES.shape))
    one = METRICS[metric]
    found = growth(SIZES, one.perfect + sign * away, one, valid=250)
    expected = one.perfect + sign * 2 * 2000**-0.4
    assert found.twice == pytest.approx(expected, rel=0.02)
    assert found.twice_ci[0] < expected < found.twice_ci[1]
    assert found.gain > 0
    assert found.p_value < 0.05
    assert found.samples == (200, 400, 600, 800, 1000)


def test_nothing_is_foretold_of_a_curve_that_fell_or_is_perfect() -> None:
    scores = np.outer([0.7, 0.8, 0.85, 0.88, 0.87], np.ones(5))
    assert np.isnan(growth(SIZES, scores, METRICS["auc"], valid=250).twice)
    perfect = np.outer([0.7, 0.8, 0.85, 0.88, 1.0], np.ones(5))
    assert np.isnan(growth(SIZES, perfect, METRICS["auc"], valid=250).twice)


def test_a_level_curve_stays_where_it_is() -> None:
    rng = np.random.default_rng(3)
    scores = 0.8 + 0.02 * rng.normal(size=SIZES.shape)
    scores[-1] += 0.005
    found = growth(SIZES, scores, METRICS["auc"], valid=250)
    assert found.p_value > 0.05
    assert np.isnan(found.twice) or found.twice == pytest.approx(0.8, abs=0.03)


def test_one_fold_has_no_interval_and_two_sizes_no_curve() -> None:
    found = growth(SIZES[:, :1], 1 - 2 * SIZES[:, :1] ** -0.4, METRICS["auc"], valid=250)
    assert np.isnan([found.p_value, *found.twice_ci, *found.spread]).all()
    with pytest.raises(ValueError, match="3 or more sizes"):
        growth(SIZES[:2], SIZES[:2], METRICS["auc"], valid=1)
