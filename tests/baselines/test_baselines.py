"""The contract that every baseline keeps, for every task."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geno_hpo.baselines import (
    BASELINES,
    BaselineResult,
    Setting,
    fit_folds,
    refit,
)
from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS

from .cases import PARAMS, TASKS, problem, silent

CASES = [(name, task) for name in BASELINES for task in TASKS]
every_case = pytest.mark.parametrize(("name", "task"), CASES)


def judge(name: str, task: str, **options: bool) -> BaselineResult:
    return fit_folds(name, PARAMS[name], problem(task, **options), silent)


@every_case
def test_it_learns_what_can_be_learned(name: str, task: str) -> None:
    result = judge(name, task)
    assert result.score > {"multiclass": 0.6}.get(task, 0.8)
    assert result.score == pytest.approx(np.mean(result.fold_scores))
    assert result.score == max(result.curve)
    assert not result.stopped
    assert result.notes == ()


@every_case
def test_it_learns_nothing_from_permuted_labels(name: str, task: str) -> None:
    result = judge(name, task, permuted=True)
    level = {"multiclass": 0.4, "regression": 0.0}.get(task, 0.5)
    assert abs(result.score - level) < 0.13


@every_case
def test_its_predictions_are_those_that_were_scored(name: str, task: str) -> None:
    given = problem(task)
    result = fit_folds(name, PARAMS[name], given, silent)
    scores = [
        given.metric.score(fold.y_valid, prediction)
        for fold, prediction in zip(given.folds, result.predictions, strict=True)
    ]
    assert scores == list(result.fold_scores)


@every_case
def test_a_refit_repeats_the_fold_at_its_best_round(name: str, task: str) -> None:
    given = problem(task)
    result = fit_folds(name, PARAMS[name], given, silent)
    fold = given.folds[0]
    fitted = refit(name, PARAMS[name], fold.x_train, fold.y_train, given.setting, result.best_round)
    prediction = fitted.predict(fold.x_valid)
    assert prediction.dtype == np.float32
    assert prediction.shape == (len(fold.x_valid), given.setting.units)
    np.testing.assert_allclose(prediction, result.predictions[0], rtol=1e-4, atol=1e-5)
    if task == "multiclass":
        np.testing.assert_allclose(prediction.sum(axis=1), 1, rtol=1e-5)
    if task != "regression":
        assert 0 <= prediction.min() <= prediction.max() <= 1


@every_case
def test_same_seed_same_result(name: str, task: str) -> None:
    first, second = judge(name, task), judge(name, task)
    for a, b in zip(first.predictions, second.predictions, strict=True):
        np.testing.assert_array_equal(a, b)


@every_case
def test_it_reports_and_hears_stop(name: str, task: str) -> None:
    told: list[tuple[int, float, int]] = []

    def stop(step: int, score: float, scores: list[float]) -> bool:
        told.append((step, score, len(scores)))
        return True

    result = fit_folds(name, PARAMS[name], problem(task), stop)
    assert result.stopped
    assert told == [(result.rounds[0], result.curve[0], 3)]


@pytest.mark.parametrize("name", BASELINES)
def test_an_output_with_one_class_is_predicted_by_its_share_and_told(name: str) -> None:
    given = problem("multilabel")
    for fold in given.folds:
        fold.y_train[:, 1] = np.where(np.isnan(fold.y_train[:, 1]), np.nan, 0)
    result = fit_folds(name, PARAMS[name], given, silent)
    assert not result.predictions[0][:, 1].any()
    assert result.notes == (
        "an output had one class only in training: its share is predicted (3 times)",
    )
    fold = given.folds[0]
    fitted = refit(name, PARAMS[name], fold.x_train, fold.y_train, given.setting)
    assert len(fitted.notes) == 1
    assert fitted.predict(fold.x_valid).shape == (120, 2)


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("absent", [0, 1, 2])
def test_a_class_absent_from_training_has_no_probability(name: str, absent: int) -> None:
    given = problem("multiclass")
    fold = given.folds[0]
    keep = fold.y_train[:, 0] != absent
    fitted = refit(
        name, PARAMS[name], fold.x_train[keep], fold.y_train[keep], given.setting, rounds=20
    )
    shares = fitted.predict(fold.x_valid)
    assert shares[:, absent].max() < 1e-3
    others = np.delete(fold.y_valid == np.arange(3), absent, axis=1)
    best = np.delete(shares, absent, axis=1).argmax(axis=1)
    known = others.any(axis=1)
    assert (others[known].argmax(axis=1) == best[known]).mean() > 0.6


@pytest.mark.parametrize("name", BASELINES)
def test_threads_do_not_change_the_result(name: str) -> None:
    given = problem("binary", n=90)
    two = replace(given, setting=replace(given.setting, threads=2))
    params = {**PARAMS[name], "rounds": 3}
    one_score, two_score = (fit_folds(name, params, p, silent).score for p in (given, two))
    assert two_score == pytest.approx(one_score, abs=1e-6)


@pytest.mark.parametrize("name", BASELINES)
def test_a_missing_hyperparameter_is_told(name: str) -> None:
    with pytest.raises(InputError, match=f"{name}: hyperparameter '.*' must be .*, got None"):
        fit_folds(name, {"family": name}, problem("binary"), silent)


def test_an_unknown_baseline_is_told_with_the_nearest_first() -> None:
    with pytest.raises(InputError, match=r"unknown baseline 'lightgmb'; known: lightgbm, r"):
        fit_folds("lightgmb", {}, problem("binary"), silent)


def test_a_setting_is_valid() -> None:
    with pytest.raises(InputError, match="threads must be at least 1, got 0"):
        Setting("binary", 1, threads=0)


def test_the_metric_may_be_one_to_minimise() -> None:
    given = replace(problem("regression"), metric=METRICS["rmse"])
    result = fit_folds("lightgbm", PARAMS["lightgbm"], given, silent)
    assert result.score == min(result.curve) < result.curve[0]
