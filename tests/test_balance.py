"""Weights of classes against scikit-learn's ``balanced``, for each output over its known labels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight

from geno_hpo.baselines import BASELINES, Setting, refit
from geno_hpo.errors import InputError
from geno_hpo.preprocess import balanced, class_weights

from .baselines.cases import PARAMS


def drawn(classes: int, outputs: int = 1) -> np.ndarray:
    rng = np.random.default_rng(5)
    shares = np.arange(1, classes + 1) / np.arange(1, classes + 1).sum()
    return rng.choice(classes, (90, outputs), p=shares).astype(np.float32)


@pytest.mark.parametrize(
    ("task", "classes", "outputs"), [("binary", 2, 1), ("multiclass", 4, 1), ("multilabel", 2, 3)]
)
def test_weights_are_those_of_scikit_learn(task: str, classes: int, outputs: int) -> None:
    values, train = drawn(classes, outputs), np.arange(60)
    if task == "multilabel":
        values[::3, 1] = np.nan
    found = class_weights(values, train, 4 if task == "multiclass" else outputs, task)
    assert found.shape == (outputs, classes)
    assert found.dtype == np.float32
    for column, weights in zip(values[train].T, found, strict=True):
        known = column[~np.isnan(column)].astype(int)
        wanted = compute_class_weight("balanced", classes=np.arange(classes), y=known)
        np.testing.assert_allclose(weights, wanted, rtol=1e-6)
        np.testing.assert_allclose(
            balanced(known.astype(np.float32)), compute_sample_weight("balanced", known), rtol=1e-6
        )


def test_weights_look_at_the_training_part_alone() -> None:
    values = drawn(2)
    other = values.copy()
    other[60:] = 1
    first, second = (class_weights(v, np.arange(60), 1, "binary") for v in (values, other))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ("labels", "wanted"),
    [([0, 0, 2, 2, 2, 2], [1.5, 1.0, 0.75]), ([2, 2], [1, 1, 1]), ([], [1, 1, 1])],
)
def test_a_class_that_training_does_not_hold_weighs_one(
    labels: list[int], wanted: list[float]
) -> None:
    values = np.array([*labels, np.nan], np.float32)[:, None]
    found = class_weights(values, np.arange(len(values)), 3, "multiclass")
    np.testing.assert_allclose(found, [wanted])


@pytest.mark.parametrize("name", BASELINES)
@pytest.mark.parametrize("task", ["binary", "multilabel"])
def test_balanced_baselines_expect_classes_alike(name: str, task: str) -> None:
    """Labels are noise, one in eight is 1: predictions lie about that share, balanced about ½."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2, (400, 4)).astype(np.uint8)
    y = (rng.random((400, 1 if task == "binary" else 2)) < 0.125).astype(np.float32)
    if task == "multilabel":
        y[::5, 1] = np.nan
    params = {
        **PARAMS[name],
        "penalty": 1.0 if name == "elastic_net" else 10.0,
        "min_samples_leaf": 20,
        "min_child_samples": 20,
    }
    for even, share in ((False, 0.125), (True, 0.5)):
        setting = Setting(task, y.shape[1], balanced=even)
        told = refit(name, params, x, y, setting, rounds=20).predict(x)
        assert told.mean(axis=0) == pytest.approx(share, abs=0.07)


def test_a_regression_is_not_balanced() -> None:
    with pytest.raises(InputError, match="got balanced=True"):
        Setting("regression", 1, balanced=True)
