from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.kernel_ridge import KernelRidge as Reference
from sklearn.linear_model import LogisticRegression, Ridge

from geno_hpo.baselines import Setting, fit_folds, refit
from geno_hpo.baselines.kernel_ridge import PENALTIES, Paths
from geno_hpo.baselines.platt import fit_curve
from geno_hpo.errors import InputError

from .cases import problem, silent

LINEAR = {"family": "kernel_ridge", "kernel": "linear"}
TRAIT = Setting("regression", 1)


def cohort(n: int = 60, features: int = 100) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.integers(3, size=(n, features)).astype(np.float32)
    return x, (x[:, :5].sum(axis=1) + rng.normal(size=n)).astype(np.float32)


@pytest.mark.parametrize("features", [10, 100])
def test_the_linear_kernel_is_ridge_regression(features: int) -> None:
    x, y = cohort(features=features)
    length = ((x - x.mean(axis=0)) ** 2).sum() / len(x)
    model = refit("kernel_ridge", LINEAR, x, y[:, None], TRAIT, 15)
    reference = Ridge(alpha=PENALTIES[14] * length).fit(x, y)
    np.testing.assert_allclose(model.predict(x)[:, 0], reference.predict(x), rtol=2e-3)


def test_the_gaussian_kernel_is_scikit_learns_on_its_centred_kernel() -> None:
    x, y = cohort()
    paths = Paths(x, y[:, None], {"kernel": "rbf", "width": 0.7}, TRAIT)
    basis = paths.bases[0]
    kernel = np.exp(-basis.scale * ((x[:, None] - x[None]) ** 2).sum(axis=2))
    centring = np.eye(len(x)) - 1 / len(x)
    centred = centring @ kernel @ centring
    penalty = PENALTIES[9] * np.trace(centred) / len(x)
    reference = Reference(alpha=penalty, kernel="precomputed").fit(centred, y - y.mean())
    found = paths.fitted(10).predict(x)[:, 0]
    np.testing.assert_allclose(found, reference.predict(centred) + y.mean(), rtol=1e-3)


def test_gblup_on_standardised_variants_is_the_mixed_models_prediction() -> None:
    """BLUP by Henderson's way: G = ZZ'/m, variance ratio λ, a mean by generalised least squares."""
    x, y = cohort(50, 200)
    z = (x - x.mean(axis=0)) / x.std(axis=0)
    g = z @ z.T / z.shape[1]
    ratio = PENALTIES[12]
    v = np.linalg.inv(g + ratio * np.eye(len(y)))
    mean = v.sum(axis=0) @ y / v.sum()
    blup = mean + g @ v @ (y - mean)
    found = refit("kernel_ridge", LINEAR, z, y[:, None], TRAIT, 13).predict(z)[:, 0]
    np.testing.assert_allclose(found, blup, rtol=2e-3)


def test_every_penalty_is_tried_and_the_best_counts() -> None:
    given = problem("regression")
    result = fit_folds("kernel_ridge", LINEAR, given, silent)
    assert len(result.curve) == len(PENALTIES)
    assert result.curve[result.best_round - 1] == result.score == max(result.curve)
    assert result.score > result.curve[0] or result.best_round == 1


def test_scores_of_the_curve_are_those_of_samples_left_out() -> None:
    x, drive = cohort(30, 50)
    y = (drive > np.median(drive)).astype(np.float32)
    path = Paths(x, y[:, None], LINEAR, Setting("binary", 1)).parts[0]
    penalty = path.penalty(10)
    left_out = []
    for i in range(len(x)):
        rest = np.arange(len(x)) != i
        left_out.append(Ridge(alpha=penalty).fit(x[rest], y[rest]).predict(x[[i]])[0])
    expected = fit_curve(np.array(left_out), y.astype(float))
    assert path.fitted(10).curve == pytest.approx(expected, rel=0.02)


def test_platts_curve_is_a_logistic_regression_of_the_drawn_in_labels() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=200)
    labels = (rng.random(200) < expit(2 * scores - 1)).astype(float)
    ones = labels.sum()
    aim = np.where(labels > 0, (ones + 1) / (ones + 2), 1 / (202 - ones))
    both = np.concatenate([scores, scores])[:, None]
    reference = LogisticRegression(C=1e9, tol=1e-9, max_iter=1000).fit(
        both, np.repeat([1, 0], 200), np.concatenate([aim, 1 - aim])
    )
    slope, height = fit_curve(scores, labels)
    assert slope == pytest.approx(reference.coef_[0, 0], rel=1e-3)
    assert height == pytest.approx(reference.intercept_[0], rel=1e-3)
    assert fit_curve(-scores, labels)[0] == 0


def test_more_samples_than_a_kernel_holds_are_thinned_and_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("geno_hpo.baselines.kernel_ridge.MOST", 40)
    x, y = cohort()
    model = refit("kernel_ridge", LINEAR, x, y[:, None], TRAIT, 10)
    assert model.notes == ("kernel ridge learned from 40 of 60 samples",)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"kernel": "cubic"}, "'kernel' must be one of linear, rbf, got 'cubic'"),
        ({"kernel": "rbf", "width": 0.0}, "width must be positive, got 0"),
    ],
)
def test_bad_hyperparameters_are_told(params: dict, message: str) -> None:
    x, y = cohort()
    with pytest.raises(InputError, match=message):
        refit("kernel_ridge", params, x, y[:, None], TRAIT)
