"""L2-penalised linear models: ridge regression for traits, logistic regression for classes.

Counts have a log link (Poisson regression) and are divided by their mean, as for networks, so that
one range of penalties serves rare and frequent ones.

The hyperparameter ``penalty`` has no scale: it multiplies the mean squared length of the centred
samples. For standardised variants it is GBLUP's variance ratio (1 − h²)/h², whatever the number
of variants, so one range serves ten sites and a million.

With more features than samples the fit happens in the space the samples span; an L2 penalty
makes that exact, and much cheaper.

References
----------
Hoerl, Kennard (1970). Ridge regression. Technometrics 12, 55-67.
Hastie, Tibshirani (2004). Efficient quadratic regularization for expression arrays.
Biostatistics 5, 329-340.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines.outputs import fit_by_output
from geno_hpo.baselines.protocol import (
    BaselineProblem,
    BaselineResult,
    Labels,
    Matrix,
    Parameters,
    Predictions,
    Predictor,
    Report,
    Setting,
    fit_folds_once,
    number,
)
from geno_hpo.errors import InputError

__all__ = ["Ridge"]

Floats = NDArray[np.float64]

ITERATIONS = 2000
MOST_LOG = 80.0
"""Logarithm from which on an expected count is cut off, so that it is a number in float32."""
# Directions with less than this share of the largest variance hold rounding, not samples.
RANK_TOLERANCE = 1e-10


@dataclass(frozen=True, eq=False)
class Linear:
    """A linear model over centred features.

    Parameters
    ----------
    centre
        ``(features,)`` means of the training part.
    weights, intercept
        ``(features, columns)`` and ``(columns,)``.
    link
        ``identity``, ``log``, ``logistic`` or ``softmax``.
    notes
        Said when the fit did not converge.
    """

    centre: Floats
    weights: Floats
    intercept: Floats
    link: str
    notes: tuple[str, ...] = ()

    def predict(self, x: Matrix) -> Predictions:
        """Probabilities or trait values, ``(samples, columns)``."""
        from scipy.special import expit, softmax

        # (x − centre)·w as x·w − centre·w: x may be uint8 and large.
        value = x @ self.weights + (self.intercept - self.centre @ self.weights)
        if self.link == "logistic":
            value = expit(value)
        elif self.link == "softmax":
            value = softmax(value, axis=1)
        elif self.link == "log":
            value = np.exp(np.minimum(value, MOST_LOG))
        return np.asarray(value, np.float32)


@dataclass(frozen=True)
class Ridge:
    """Ridge regression, and logistic regression with an L2 penalty for classes."""

    name: str = "ridge"
    label: str = "ridge / logistic regression (L2)"

    def fit_folds(
        self, params: Parameters, problem: BaselineProblem, report: Report
    ) -> BaselineResult:
        """Judge a configuration: one fit a fold, one report."""
        return fit_folds_once(self, params, problem, report)

    def refit(
        self,
        params: Parameters,
        x: Matrix,
        y: Labels,
        setting: Setting,
        rounds: int = 1,  # noqa: ARG002 - part of the protocol, read by boosted models
    ) -> Predictor:
        """Fit once.

        Parameters
        ----------
        params
            ``penalty`` > 0.
        x, y
            ``(samples, features)`` and ``(samples, outputs)``.
        setting
            Task, units, seed, threads.
        rounds
            Not used.

        Raises
        ------
        InputError
            A penalty that is not positive.
        """
        from threadpoolctl import threadpool_limits

        penalty = number(params, "penalty")
        if penalty <= 0:
            raise InputError(f"{self.name}: penalty must be positive, got {penalty:g}")

        def fit_one(rows: Matrix, labels: Labels) -> Predictor:
            return _fit(rows, labels, penalty, setting)

        with threadpool_limits(setting.threads):
            if setting.task == "multiclass":
                return fit_one(x, y[:, 0])
            return fit_by_output(fit_one, x, y, setting)


def _fit(x: Matrix, y: Labels, penalty: float, setting: Setting) -> Linear:
    """Fit one output, ``(samples,)`` labels without NaN."""
    centre = x.mean(axis=0, dtype=np.float64)
    centred = x - centre
    length = float((centred**2).sum()) / len(x)
    alpha = penalty * (length if length > 0 else 1.0)
    basis: Floats | None = None
    if centred.shape[1] > len(x):
        centred, basis = _span(centred)
    if setting.counts:
        weights, intercept, notes = _poisson(centred, y, alpha)
        link = "log"
    elif setting.task == "regression":
        weights, intercept, notes = _least_squares(centred, y, alpha)
        link = "identity"
    else:
        weights, intercept, notes = _logistic(centred, y, alpha, setting)
        link = "softmax" if setting.task == "multiclass" else "logistic"
    return Linear(centre, weights if basis is None else basis @ weights, intercept, link, notes)


def _span(centred: Floats) -> tuple[Floats, Floats]:
    """Coordinates in the space the samples span ``(samples, rank)``, and its basis."""
    values, vectors = np.linalg.eigh(centred @ centred.T)
    kept = values > RANK_TOLERANCE * max(values[-1], np.finfo(float).tiny)
    lengths = np.sqrt(values[kept])
    coordinates = vectors[:, kept] * lengths
    return coordinates, centred.T @ (vectors[:, kept] / lengths)


def _least_squares(x: Floats, y: Labels, alpha: float) -> tuple[Floats, Floats, tuple[str, ...]]:
    from sklearn.linear_model import Ridge as Estimator

    model = Estimator(alpha=alpha).fit(x, y.astype(np.float64))
    return model.coef_[:, None], np.array([model.intercept_]), ()


def _poisson(x: Floats, y: Labels, alpha: float) -> tuple[Floats, Floats, tuple[str, ...]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import PoissonRegressor

    mean = float(y.mean(dtype=np.float64))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model: Any = PoissonRegressor(alpha=alpha / len(x), max_iter=ITERATIONS)
        model.fit(x, y.astype(np.float64) / mean)
    notes = tuple(
        f"Poisson regression had not converged after {ITERATIONS} iterations"
        for warning in caught
        if issubclass(warning.category, ConvergenceWarning)
    )
    return model.coef_[:, None], np.array([model.intercept_ + np.log(mean)]), notes


def _logistic(
    x: Floats, y: Labels, alpha: float, setting: Setting
) -> tuple[Floats, Floats, tuple[str, ...]]:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        model: Any = LogisticRegression(C=1 / alpha, max_iter=ITERATIONS)
        model.fit(x, y.astype(int), setting.weights(y))
    notes = tuple(
        f"logistic regression had not converged after {ITERATIONS} iterations"
        for warning in caught
        if issubclass(warning.category, ConvergenceWarning)
    )
    if setting.task != "multiclass":
        return model.coef_.T, model.intercept_, notes
    weights, intercept = _all_classes(model, x.shape[1], setting.units)
    return weights, intercept, notes


def _all_classes(model: Any, features: int, units: int) -> tuple[Floats, Floats]:
    """Weights of every class; a class that training did not hold gets probability 0."""
    weights = np.zeros((features, units))
    intercept = np.full(units, -np.inf)
    if len(model.classes_) == 2:  # the model then holds the difference of the two
        weights[:, model.classes_[1]] = model.coef_[0]
        intercept[model.classes_] = [0.0, model.intercept_[0]]
    else:
        weights[:, model.classes_] = model.coef_.T
        intercept[model.classes_] = model.intercept_
    return weights, intercept
