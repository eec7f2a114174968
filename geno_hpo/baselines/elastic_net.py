"""Elastic nets: linear and logistic regression with an L1 and an L2 penalty, which choose features.

Hyperparameters: ``l1_ratio`` in (0, 1], the share of the penalty that is L1; ``penalty`` in
(0, 1], a share of the smallest penalty at which every weight is 0. So one range serves every data
set, and 1 is the model that predicts the mean.

Traits are fitted by scikit-learn's coordinate descent; classes by the same descent inside Newton
steps (the quadratic approximation of glmnet), halved where one would not lessen the loss. Several
classes are fitted one against the rest, their probabilities divided by their sum.

References
----------
Zou, Hastie (2005). Regularization and variable selection via the elastic net. JRSS B 67, 301-320.
Friedman, Hastie, Tibshirani (2010). Regularization paths for generalized linear models via
coordinate descent. Journal of Statistical Software 33(1).
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines.outputs import fit_by_output, fit_one_against_rest
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

__all__ = ["ElasticNet"]

Floats = NDArray[np.float64]

NEWTON_STEPS = 50
HALVINGS = 10
# Sweeps over the features, and the size of what is left to gain, as shares of the labels' variance.
SWEEPS = 2000
TOLERANCE = 1e-5
# Weights of the quadratic approximation are p(1 − p), which vanish for samples told with certainty.
LEAST_WEIGHT = 1e-5


@dataclass(frozen=True, eq=False)
class Sparse:
    """A fitted elastic net of one output.

    Parameters
    ----------
    columns, weights, intercept
        Features with a weight, their weights, and the constant.
    logistic
        Whether the value is the logit of a probability.
    notes
        Said when the fit did not converge.
    """

    columns: NDArray[np.intp]
    weights: Floats
    intercept: float
    logistic: bool
    notes: tuple[str, ...] = ()

    def predict(self, x: Matrix) -> Predictions:
        """Probabilities or trait values, ``(samples, 1)``."""
        from scipy.special import expit

        value = x[:, self.columns] @ self.weights + self.intercept
        return np.asarray(expit(value) if self.logistic else value, np.float32)[:, None]


@dataclass(frozen=True)
class ElasticNet:
    """Elastic net of scikit-learn, and its logistic form."""

    name: str = "elastic_net"
    label: str = "elastic net (L1 and L2)"

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
            ``penalty`` and ``l1_ratio``, both in (0, 1].
        x, y
            ``(samples, features)`` and ``(samples, outputs)``.
        setting
            Task, units, seed, threads.
        rounds
            Not used.

        Raises
        ------
        InputError
            A hyperparameter out of its range.
        """
        from threadpoolctl import threadpool_limits

        penalty, ratio = (self._share(params, name) for name in ("penalty", "l1_ratio"))
        fit = _linear if setting.task == "regression" else _logistic

        def fit_one(rows: Matrix, labels: Labels) -> Predictor:
            return fit(np.asfortranarray(rows, np.float64), labels, penalty, ratio, setting)

        with threadpool_limits(setting.threads):
            if setting.task == "multiclass":
                return fit_one_against_rest(fit_one, x, y[:, 0], setting.units)
            return fit_by_output(fit_one, x, y, setting)

    def _share(self, params: Parameters, name: str) -> float:
        value = number(params, name)
        if not 0 < value <= 1:
            raise InputError(f"{self.name}: {name} must lie in (0, 1], got {value:g}")
        return value


def _linear(x: Floats, y: Labels, penalty: float, ratio: float, setting: Setting) -> Sparse:
    """Fit a trait ``(samples,)``."""
    target = y.astype(np.float64)
    even = np.full(len(x), 1 / len(x))
    model, converged = _descend(_estimator(x, target, even, penalty, ratio, setting), x, target)
    return _sparse(model.coef_, model.intercept_, False, converged)


def _logistic(x: Floats, y: Labels, penalty: float, ratio: float, setting: Setting) -> Sparse:
    """Fit a class ``(samples,)`` 0 or 1, by Newton steps on the penalised loss."""
    from scipy.special import expit, logit

    given = setting.weights(y)
    share = np.full(len(y), 1 / len(y)) if given is None else given / given.sum()
    target = y.astype(np.float64)
    mean = float(share @ target)
    strength = _largest(x, target, share, ratio) * penalty
    weights, intercept = np.zeros(x.shape[1]), float(logit(mean))

    def loss(coefficients: Floats, constant: float) -> float:
        value = x @ coefficients + constant
        size = ratio * np.abs(coefficients).sum() + (1 - ratio) / 2 * coefficients @ coefficients
        return float(share @ (np.logaddexp(0, value) - target * value) + strength * size)

    current, converged = loss(weights, intercept), True
    for _ in range(NEWTON_STEPS):
        value = x @ weights + intercept
        p = expit(value)
        curve = np.maximum(p * (1 - p), LEAST_WEIGHT)
        sampled = share * curve
        # scikit-learn divides by the weights' sum, so that the penalty must be divided as well.
        estimator = _net(strength / sampled.sum(), ratio, setting)
        estimator.coef_ = weights.copy()
        model, converged = _descend(estimator, x, value + (target - p) / curve, sampled)
        step, shift = model.coef_ - weights, float(model.intercept_) - intercept
        length, least = _halved(loss, (weights, intercept), (step, shift), current)
        gained, current = current - least, least
        weights, intercept = weights + length * step, intercept + length * shift
        if gained <= TOLERANCE * mean * (1 - mean):
            return _sparse(weights, intercept, True, converged)
    return _sparse(weights, intercept, True, False)


def _halved(
    loss: Callable[[Floats, float], float],
    start: tuple[Floats, float],
    step: tuple[Floats, float],
    current: float,
) -> tuple[float, float]:
    """Share of a step that lessens the loss, halved until it does, and the loss there."""
    for halving in range(HALVINGS):
        length = 0.5**halving
        found = loss(start[0] + length * step[0], start[1] + length * step[1])
        if found <= current:
            return length, found
    return 0.0, current


def _largest(x: Floats, y: Floats, share: Floats, ratio: float) -> float:
    """The smallest penalty at which every weight is 0."""
    slope = x.T @ (share * (y - share @ y))
    return max(float(np.abs(slope).max(initial=0)) / ratio, np.finfo(float).tiny)


def _estimator(
    x: Floats, y: Floats, share: Floats, penalty: float, ratio: float, setting: Setting
) -> Any:
    return _net(penalty * _largest(x, y, share, ratio), ratio, setting)


def _net(alpha: float, ratio: float, setting: Setting) -> Any:
    from sklearn.linear_model import ElasticNet as Estimator

    return Estimator(
        alpha=alpha,
        l1_ratio=ratio,
        max_iter=SWEEPS,
        tol=TOLERANCE,
        warm_start=True,
        random_state=setting.seed,
    )


def _descend(
    estimator: Any, x: Floats, y: Floats, weights: Floats | None = None
) -> tuple[Any, bool]:
    """Fit, and tell whether the descent converged."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        estimator.fit(x, y, sample_weight=weights)
    return estimator, not any(issubclass(w.category, ConvergenceWarning) for w in caught)


def _sparse(weights: Floats, intercept: float, logistic: bool, converged: bool) -> Sparse:
    columns = np.flatnonzero(weights)
    notes = () if converged else (f"elastic net had not converged after {SWEEPS} sweeps",)
    return Sparse(columns, weights[columns], float(intercept), logistic, notes)
