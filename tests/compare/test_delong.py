from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from geno_hpo.compare import area_covariance, delong_test, difference_interval
from geno_hpo.metrics import METRICS

from .cases import guesses, labels


def by_all_pairs(truth: np.ndarray, models: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Areas and covariances straight from DeLong et al. (1988), equations 4 to 6, every pair."""
    positive, negative = np.flatnonzero(truth == 1), np.flatnonzero(truth == 0)
    v10, v01 = np.zeros((len(models), len(positive))), np.zeros((len(models), len(negative)))
    for r, score in enumerate(models):
        for (i, x), (j, y) in itertools.product(enumerate(positive), enumerate(negative)):
            psi = 1.0 if score[x] > score[y] else 0.5 if score[x] == score[y] else 0.0
            v10[r, i] += psi / len(negative)
            v01[r, j] += psi / len(positive)
    covariance = np.cov(v10) / len(positive) + np.cov(v01) / len(negative)
    return v10.mean(axis=1), covariance


@pytest.mark.parametrize("digits", [6, 1, 0])
def test_midranks_give_what_all_pairs_give(digits: int) -> None:
    rng = np.random.default_rng(digits)
    truth = (rng.random(47) < 0.4).astype(float)
    models = [np.round(skill * truth + rng.normal(size=47), digits) for skill in (0.5, 1.0, 2.0)]
    areas, covariance = area_covariance(truth, [model[None] for model in models])
    wanted = by_all_pairs(truth, models)
    np.testing.assert_allclose(areas, wanted[0], rtol=1e-12)
    np.testing.assert_allclose(covariance, wanted[1], rtol=1e-9)


def test_the_variance_is_the_two_sample_jackknife_s() -> None:
    """Leave one sample out, score with scikit-learn, and take pseudo-values (Arvesen 1969)."""
    truth = labels(40, seed=3)[:, 0]
    score = guesses(truth[:, None], 1.0, seeds=1)[0, :, 0]
    whole = roc_auc_score(truth, score)
    variance = 0.0
    for label in (0, 1):
        members = np.flatnonzero(truth == label)
        many = len(members)
        left = [roc_auc_score(np.delete(truth, i), np.delete(score, i)) for i in members]
        pseudo = many * whole - (many - 1) * np.array(left)
        variance += pseudo.var(ddof=1) / many
    areas, covariance = area_covariance(truth, [score[None]])
    assert areas[0] == pytest.approx(whole)
    assert covariance[0, 0] == pytest.approx(variance)


def test_a_model_s_seeds_count_by_their_mean() -> None:
    truth = labels(120, seed=5)
    first, second = guesses(truth, 1.6, seeds=3, seed=1), guesses(truth, 1.0, seeds=2, seed=2)
    found = delong_test(truth[:, 0], first[..., 0], second[..., 0])
    auc = METRICS["auc"]
    means = [np.mean([auc.score(truth, one) for one in model]) for model in (first, second)]
    assert found.difference == pytest.approx(means[0] - means[1])
    bootstrap = difference_interval(truth, first, second, auc, resamples=3000)
    assert found.error == pytest.approx(bootstrap.error, rel=0.08)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.statistic)))


def test_missing_labels_do_not_count() -> None:
    truth = labels(60)[:, 0]
    first, second = (guesses(truth[:, None], s, seed=i)[..., 0] for i, s in enumerate((2.0, 1.0)))
    wanted = delong_test(truth[5:], first[:, 5:], second[:, 5:])
    truth[:5] = np.nan
    assert delong_test(truth, first, second) == wanted


def test_areas_without_variance_have_no_p_value() -> None:
    truth = labels(30)[:, 0]
    perfect = delong_test(truth, truth[None], 2 * truth[None])
    assert (perfect.difference, perfect.error) == (0, 0)
    assert np.isnan([perfect.statistic, perfect.p_value]).all()


@pytest.mark.parametrize(
    ("truth", "model", "message"),
    [
        (np.array([1.0, 0, 0]), np.zeros((1, 3)), "2 or more samples, got 1 and 2"),
        (np.array([1.0, 0, 0]), np.zeros(3), r"each model must be \(seeds, 3\), got \(3,\)"),
    ],
)
def test_bad_arguments_are_told(truth: np.ndarray, model: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        area_covariance(truth, [model])


def test_without_a_difference_the_test_errs_at_its_level() -> None:
    p_values = []
    for seed in range(300):
        truth = labels(100, seed)
        pair = [guesses(truth, 1.0, seeds=1, seed=3000 + 2 * seed + i)[..., 0] for i in (0, 1)]
        p_values.append(delong_test(truth[:, 0], *pair).p_value)
    # 300 tests at 5 %: 99 % of binomial counts lie in 6 … 25.
    assert 6 <= sum(p < 0.05 for p in p_values) <= 25
    assert stats.kstest(p_values, "uniform").pvalue > 0.001
