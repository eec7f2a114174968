from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as Reference

from geno_hpo.baselines import Setting, refit
from geno_hpo.errors import InputError


def cohort(n: int, features: int) -> tuple[np.ndarray, np.ndarray, float]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, features)) + 3
    return x, rng.normal(size=n), float(((x - x.mean(axis=0)) ** 2).sum() / n)


@pytest.mark.parametrize(("n", "features"), [(60, 10), (30, 200)])
def test_ridge_is_scikit_learns_with_the_penalty_rescaled(n: int, features: int) -> None:
    x, drive, length = cohort(n, features)
    y = drive + x[:, 0]
    model = refit("ridge", {"penalty": 0.5}, x, y[:, None], Setting("regression", 1))
    expected = Reference(alpha=0.5 * length).fit(x, y).predict(x)
    np.testing.assert_allclose(model.predict(x)[:, 0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("n", "features"), [(60, 10), (30, 200)])
def test_logistic_is_scikit_learns_with_the_penalty_rescaled(n: int, features: int) -> None:
    x, drive, length = cohort(n, features)
    y = (expit(drive + x[:, 0] - 3) > 0.5).astype(np.float32)
    model = refit("ridge", {"penalty": 0.05}, x, y[:, None], Setting("binary", 1))
    reference = LogisticRegression(C=1 / (0.05 * length), max_iter=5000, tol=1e-7).fit(x, y)
    np.testing.assert_allclose(model.predict(x)[:, 0], reference.predict_proba(x)[:, 1], atol=1e-3)


def test_the_penalty_does_not_depend_on_the_features_scale() -> None:
    x, drive, _ = cohort(50, 20)
    y, setting = drive[:, None], Setting("regression", 1)
    small, large = (
        refit("ridge", {"penalty": 1.0}, scale * x, y, setting).predict(scale * x)
        for scale in (1, 1000)
    )
    np.testing.assert_allclose(small, large, rtol=1e-4, atol=1e-5)


def test_a_fit_that_did_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geno_hpo.baselines.ridge.ITERATIONS", 1)
    x, drive, _ = cohort(60, 10)
    model = refit("ridge", {"penalty": 1e-4}, x, drive[:, None] > 0, Setting("binary", 1))
    assert model.notes == ("logistic regression had not converged after 1 iterations",)


def test_features_without_variation_predict_the_mean() -> None:
    y = np.arange(6, dtype=np.float32)[:, None]
    model = refit("ridge", {"penalty": 1.0}, np.ones((6, 3)), y, Setting("regression", 1))
    np.testing.assert_allclose(model.predict(np.ones((2, 3))), 2.5)


@pytest.mark.parametrize("penalty", [0, -1.0])
def test_a_penalty_is_positive(penalty: float) -> None:
    with pytest.raises(InputError, match=f"penalty must be positive, got {penalty:g}"):
        refit("ridge", {"penalty": penalty}, np.ones((4, 2)), np.ones((4, 1)), Setting("binary", 1))
