"""The metrics by name: those built in, and those of installed packages."""

from __future__ import annotations

from typing import Any

import numpy as np

from geno_hpo.metrics import classes, traits
from geno_hpo.metrics.defined import Array
from geno_hpo.metrics.metric import Metric
from geno_hpo.plugins import Plugin, Registry

__all__ = ["METRICS", "accuracy_of", "default_metric", "loss_of"]

_LABELS = ("binary", "multiclass", "multilabel")
_TRAIT = ("regression",)

_BUILT_IN: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auc", "ROC AUC", True, _LABELS, 0.5, classes.auc, classes.auc_classes),
        Metric(
            "average_precision",
            "average precision",
            True,
            ("binary", "multilabel"),
            None,
            classes.average_precision,
        ),
        Metric("accuracy", "accuracy", True, _LABELS, None, classes.accuracy, classes.accuracy),
        Metric(
            "balanced_accuracy",
            "balanced accuracy",
            True,
            _LABELS,
            None,
            classes.balanced_accuracy,
            classes.balanced_accuracy,
        ),
        Metric("mcc", "Matthews correlation", True, _LABELS, 0.0, classes.mcc, classes.mcc),
        Metric("log_loss", "log loss", False, _LABELS, None, classes.log_loss, classes.log_loss),
        Metric("r2", "R²", True, _TRAIT, 0.0, traits.r2),
        Metric("pearson", "Pearson correlation", True, _TRAIT, 0.0, traits.pearson),
        Metric("rmse", "RMSE", False, _TRAIT, None, traits.rmse),
        Metric("d2", "explained Poisson deviance", True, _TRAIT, 0.0, traits.d2),
    )
}


def _of_a_package(plugin: Plugin, found: Any) -> Metric:
    """Check a metric that a package brings, on six samples."""
    if not isinstance(found, Metric):
        raise plugin.refuse(f"must be a geno_hpo.metrics.Metric, got {type(found).__name__}")
    if found.name != plugin.name:
        raise plugin.refuse(f"its entry point must have its name {found.name!r}")
    known = (*_LABELS, *_TRAIT)
    if not found.tasks or not set(found.tasks) <= set(known):
        raise plugin.refuse(f"tasks must be of {', '.join(known)}, got {found.tasks}")
    for task in found.tasks:
        truth = np.array([[0.0], [1.0], [1.0], [0.0], [1.0], [0.0]])
        prediction = np.array([[0.2], [0.7], [0.4], [0.1], [0.9], [0.6]])
        if task == "multiclass":
            prediction = np.hstack([1 - prediction, prediction, 0 * prediction])
        try:
            scores = found.resampled(truth, prediction, np.array([[1] * 6, [2, 1, 1, 0, 1, 1]]))
        except Exception as error:  # it may fail in any way
            raise plugin.refuse(f"cannot score a {task} task: {error}") from error
        if np.shape(scores) != (2,) or np.isinf(scores).any():
            raise plugin.refuse(f"must score two resamples as two finite numbers, got {scores}")
    return found


METRICS = Registry("metrics", _BUILT_IN, _of_a_package)
"""All metrics by name, those of installed packages too."""


def default_metric(task: str) -> Metric:
    """Return the metric a study takes when it names none.

    Raises
    ------
    KeyError
        An unknown task.
    """
    defaults = {
        "binary": "auc",
        "multilabel": "auc",
        "multiclass": "accuracy",
        "regression": "pearson",
    }
    return METRICS[defaults[task]]


def accuracy_of(truth: Array, prediction: Array, task: str) -> float:
    """Share of labels predicted right, for learning curves; NaN for regression."""
    if task == "regression":
        return float("nan")
    return METRICS["accuracy"].score(truth, prediction)


def loss_of(truth: Array, prediction: Array, task: str) -> float:
    """Log loss, or the mean squared error for regression (mean over outputs)."""
    if task != "regression":
        return METRICS["log_loss"].score(truth, prediction)
    columns = range(truth.shape[1])
    rmse = [METRICS["rmse"].score(truth[:, [i]], prediction[:, [i]]) for i in columns]
    defined = [value**2 for value in rmse if not np.isnan(value)]
    return float(np.mean(defined)) if defined else float("nan")
