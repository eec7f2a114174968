from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from geno_hpo.compare import corrected_t_test


def test_scikit_learns_published_example_is_repeated() -> None:
    """Its example "Statistical comparison of models": t = 0.750, one-sided p = 0.227."""
    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    radial, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), x, y, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    found = corrected_t_test(radial, linear, train=90, valid=10)
    assert found.statistic == pytest.approx(0.750, abs=5e-4)
    assert found.p_value / 2 == pytest.approx(0.227, abs=5e-4)
    assert found.freedom == 99


def test_a_small_example_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, variance 1; error = sqrt(1/3 + 1/2) for 2 train : 1 valid.
    found = corrected_t_test([2, 4, 6], [1, 2, 3], train=2, valid=1)
    assert found.statistic == pytest.approx(2 / np.sqrt(5 / 6))
    reach = stats.t.ppf(0.975, 2) * np.sqrt(5 / 6)
    assert (found.low, found.high) == pytest.approx((2 - reach, 2 + reach))


def test_without_validation_samples_to_speak_of_it_is_the_paired_t_test() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 8))
    found = corrected_t_test(a, b, train=1, valid=1e-12)
    expected = stats.ttest_rel(a, b)
    assert found.statistic == pytest.approx(expected.statistic)
    assert found.p_value == pytest.approx(expected.pvalue)


def test_equal_differences_have_no_p_value() -> None:
    found = corrected_t_test([0.3, 0.4], [0.2, 0.3], train=4, valid=1)
    assert found.difference == pytest.approx(0.1)
    same = corrected_t_test([0.5, 0.5, 0.5], [0.5, 0.5, 0.5], train=4, valid=1)
    assert np.isnan([same.statistic, same.p_value]).all()
    assert (same.low, same.high) == (0, 0)


@pytest.mark.parametrize(
    ("first", "second", "train", "message"),
    [
        ([1.0], [2.0], 1, "the same 2 or more folds, got 1, 1"),
        ([1.0, 2.0], [2.0], 1, "the same 2 or more folds, got 2, 1"),
        ([1.0, 2.0], [2.0, 3.0], 0, "parts must hold samples, got train 0, valid 1"),
    ],
)
def test_bad_arguments_are_told(
    first: list[float], second: list[float], train: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        corrected_t_test(first, second, train=train, valid=1)
