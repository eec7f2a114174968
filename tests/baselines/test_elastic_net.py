from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet as Reference
from sklearn.linear_model import LogisticRegression

from geno_hpo.baselines import Setting, refit
from geno_hpo.errors import InputError


def cohort(n: int = 80, features: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, features)) + 2
    return x, x[:, 0] - x[:, 1] + rng.normal(size=n)


@pytest.mark.parametrize("ratio", [0.3, 1.0])
def test_a_trait_is_scikit_learns_with_the_penalty_as_a_share(ratio: float) -> None:
    x, y = cohort()
    largest = np.abs((x - x.mean(axis=0)).T @ (y - y.mean())).max() / len(y) / ratio
    params = {"penalty": 0.1, "l1_ratio": ratio}
    model = refit("elastic_net", params, x, y[:, None], Setting("regression", 1))
    reference = Reference(alpha=0.1 * largest, l1_ratio=ratio, tol=1e-9).fit(x, y)
    np.testing.assert_allclose(model.predict(x)[:, 0], reference.predict(x), atol=2e-3)


@pytest.mark.parametrize("ratio", [0.3, 1.0])
@pytest.mark.parametrize("balanced", [False, True])
def test_a_class_is_scikit_learns_with_the_penalty_as_a_share(ratio: float, balanced: bool) -> None:
    x, drive = cohort(120)
    y = (drive > 0.7).astype(np.float32)
    setting = Setting("binary", 1, balanced=balanced)
    given = setting.weights(y)
    weights = np.ones(len(y)) if given is None else given
    share = weights / weights.sum()
    largest = np.abs(x.T @ (share * (y - share @ y))).max() / ratio
    params = {"penalty": 0.1, "l1_ratio": ratio}
    model = refit("elastic_net", params, x, y[:, None], setting)
    reference = LogisticRegression(
        C=1 / (0.1 * largest * weights.sum()),
        l1_ratio=ratio,
        solver="saga",
        max_iter=20_000,
        tol=1e-8,
    ).fit(x, y, weights)
    np.testing.assert_allclose(model.predict(x)[:, 0], reference.predict_proba(x)[:, 1], atol=5e-3)


def test_the_whole_penalty_leaves_the_mean_and_a_small_one_chooses() -> None:
    x, drive = cohort()
    y = (drive > 0).astype(np.float32)[:, None]
    none = refit("elastic_net", {"penalty": 1.0, "l1_ratio": 1.0}, x, y, Setting("binary", 1))
    np.testing.assert_allclose(none.predict(x), y.mean(), atol=1e-3)
    some = refit("elastic_net", {"penalty": 0.3, "l1_ratio": 1.0}, x, y, Setting("binary", 1))
    assert {0, 1} <= set(some.parts[0].columns)
    assert len(some.parts[0].columns) < 6


def test_a_fit_that_did_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geno_hpo.baselines.elastic_net.SWEEPS", 1)
    x, drive = cohort()
    params = {"penalty": 1e-3, "l1_ratio": 0.5}
    model = refit("elastic_net", params, x, drive[:, None], Setting("regression", 1))
    assert model.notes == ("elastic net had not converged after 1 sweeps",)


@pytest.mark.parametrize(("name", "value"), [("penalty", 0.0), ("penalty", 2.0), ("l1_ratio", 0.0)])
def test_shares_lie_between_0_and_1(name: str, value: float) -> None:
    params = {"penalty": 0.1, "l1_ratio": 0.5} | {name: value}
    with pytest.raises(InputError, match=rf"{name} must lie in \(0, 1\], got {value:g}"):
        refit("elastic_net", params, np.ones((4, 2)), np.ones((4, 1)), Setting("binary", 1))
