"""Baselines of counts: a log link, the Poisson likelihood, and who has none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.optimize import minimize

from geno_hpo.baselines import BASELINES, BaselineProblem, FoldData, Setting, fit_folds, refit
from geno_hpo.baselines.registry import COUNTING
from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS

from .cases import PARAMS, silent

SETTING = Setting("regression", 1, counts=True)


def problem(*, permuted: bool = False, times: int = 1) -> BaselineProblem:
    """Three folds of 0/1 features; four of them multiply the expected count."""
    rng = np.random.default_rng(4)
    x = (rng.random((360, 20)) < 0.4).astype(np.uint8)
    expected = np.exp(0.7 + x[:, :4] @ np.array([0.9, -0.9, 0.7, -0.7]))
    y = times * rng.poisson(expected)[:, None].astype(np.float32)
    if permuted:
        y = y[rng.permutation(len(y))]
    valid = [np.arange(len(x)) % 3 == fold for fold in range(3)]
    folds = tuple(FoldData(x[~part], y[~part], x[part], y[part]) for part in valid)
    return BaselineProblem(folds, METRICS["d2"], SETTING)


@pytest.mark.parametrize("name", COUNTING)
def test_counts_are_learnt_and_noise_is_not(name: str) -> None:
    given = problem()
    result = fit_folds(name, PARAMS[name], given, silent)
    assert result.score > 0.35
    assert all((one > 0).all() for one in result.predictions)
    fold = given.folds[0]
    fitted = refit(name, PARAMS[name], fold.x_train, fold.y_train, SETTING, result.best_round)
    np.testing.assert_allclose(fitted.predict(fold.x_valid), result.predictions[0], rtol=1e-4)
    assert fitted.predict(fold.x_train).mean() == pytest.approx(fold.y_train.mean(), rel=0.1)
    assert fit_folds(name, PARAMS[name], problem(permuted=True), silent).score < 0.03


def test_ridge_is_poisson_regression_with_that_penalty() -> None:
    fold = problem().folds[0]
    fitted = refit(
        "ridge", {"family": "ridge", "penalty": 0.1}, fold.x_train, fold.y_train, SETTING
    )
    x = fold.x_train - fold.x_train.mean(axis=0)
    y = fold.y_train[:, 0] / fold.y_train.mean()
    alpha = 0.1 * (x**2).sum() / len(x)

    def loss(weights: np.ndarray) -> float:
        log = x @ weights[1:] + weights[0]
        return float((np.exp(log) - y * log).sum() + alpha / 2 * (weights[1:] ** 2).sum())

    best = minimize(loss, np.zeros(x.shape[1] + 1), tol=1e-12).x
    log = (fold.x_valid - fold.x_train.mean(axis=0)) @ best[1:] + best[0]
    told = fitted.predict(fold.x_valid)[:, 0]
    np.testing.assert_allclose(told, np.exp(log) * fold.y_train.mean(), rtol=2e-3)


def test_more_columns_than_samples_change_nothing() -> None:
    fold = problem().folds[0]
    twice = replace(fold, x_train=np.tile(fold.x_train, 20), x_valid=np.tile(fold.x_valid, 20))
    one, many = (
        refit("ridge", {"penalty": 0.1}, part.x_train, part.y_train, SETTING).predict(part.x_valid)
        for part in (fold, twice)
    )
    np.testing.assert_allclose(many, one, rtol=1e-2)


@pytest.mark.parametrize("name", ["ridge", "random_forest"])
def test_the_unit_of_counts_plays_no_part(name: str) -> None:
    one, other = (fit_folds(name, PARAMS[name], problem(times=times), silent) for times in (1, 50))
    np.testing.assert_allclose(other.predictions[0], 50 * one.predictions[0], rtol=1e-3)


@pytest.mark.parametrize("name", COUNTING)
def test_an_output_without_a_count_is_told(name: str) -> None:
    fold = problem().folds[0]
    fitted = refit(name, PARAMS[name], fold.x_train, 0 * fold.y_train, SETTING)
    assert not fitted.predict(fold.x_valid).any()
    assert "predicted as 0" in fitted.notes[0]


@pytest.mark.parametrize("name", sorted(set(BASELINES) - set(COUNTING)))
def test_others_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} tells no expected counts; known: ridge"):
        fit_folds(name, PARAMS[name], problem(), silent)
