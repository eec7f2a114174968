from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geno_hpo.compare.student import student_interval


def test_with_the_bootstraps_true_error_a_mean_has_scipys_interval_and_p() -> None:
    x = np.random.default_rng(1).normal(0.4, 1, 12)
    low, high, p_value, error = student_interval(x.mean(), x.std() / np.sqrt(12), 12, level=0.9)
    reference = stats.ttest_1samp(x, 0)
    ends = reference.confidence_interval(0.9)
    assert (low, high) == pytest.approx((ends.low, ends.high))
    assert p_value == pytest.approx(reference.pvalue)
    assert error == pytest.approx(stats.sem(x))


@given(
    st.integers(-3_000_000, 3_000_000).map(lambda millionths: millionths / 1e6),
    st.integers(0, 2_000_000).map(lambda millionths: millionths / 1e6),
    st.integers(2, 500),
    st.sampled_from([0.5, 0.8, 0.95, 0.99]),
)
def test_p_value_and_interval_always_agree(
    value: float, error: float, units: int, level: float
) -> None:
    low, high, p_value, _ = student_interval(value, error, units, level=level)
    assert low <= value <= high
    if abs(p_value - (1 - level)) > 1e-9:
        assert (low > 0 or high < 0) == (p_value < 1 - level)


@pytest.mark.parametrize(
    ("value", "error", "units", "expected"),
    [
        (0.0, 0.0, 50, (0.0, 0.0, 1.0, 0.0)),
        (0.3, 0.0, 50, (0.3, 0.3, 0.0, 0.0)),
        (0.3, float("nan"), 50, (float("nan"),) * 4),
        (float("nan"), 0.1, 50, (float("nan"),) * 4),
        (0.3, 0.1, 1, (float("nan"),) * 4),
    ],
)
def test_edges(value: float, error: float, units: int, expected: tuple[float, ...]) -> None:
    assert student_interval(value, error, units) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("error", "level", "message"),
    [(0.1, 1.0, r"level must lie in \(0, 1\), got 1"), (-0.1, 0.9, "negative, got -0.1")],
)
def test_bad_arguments_are_told(error: float, level: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        student_interval(0.1, error, 10, level=level)
