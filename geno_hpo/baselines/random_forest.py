"""Random forests: bagged trees on random shares of the features.

Hyperparameters: ``trees``; ``max_depth`` (0: unlimited); ``max_features``, the share of the
features tried at a split; ``min_samples_leaf``. Of counts, splits lower the Poisson deviance.

References
----------
Breiman (2001). Random forests. Machine Learning 45, 5-32.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

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

__all__ = ["RandomForest"]


@dataclass(frozen=True, eq=False)
class Forest:
    """A fitted forest of one output.

    Parameters
    ----------
    model
        The scikit-learn estimator.
    task, units
        What it predicts.
    """

    model: Any
    task: str
    units: int
    notes: tuple[str, ...] = ()

    def predict(self, x: Matrix) -> Predictions:
        """Probabilities or trait values, ``(samples, columns)``."""
        rows = x.astype(np.float32, copy=False)
        if self.task == "regression":
            return np.asarray(self.model.predict(rows), np.float32)[:, None]
        shares = self.model.predict_proba(rows).astype(np.float32)
        if self.task != "multiclass":
            return np.asarray(shares[:, [1]], np.float32)
        every = np.zeros((len(x), self.units), np.float32)
        every[:, self.model.classes_] = shares
        return every


@dataclass(frozen=True)
class RandomForest:
    """Random forest of scikit-learn."""

    name: str = "random_forest"
    label: str = "random forest"

    def fit_folds(
        self, params: Parameters, problem: BaselineProblem, report: Report
    ) -> BaselineResult:
        """Judge a configuration: one forest a fold, one report."""
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
            ``trees``, ``max_depth``, ``max_features``, ``min_samples_leaf``.
        x, y
            ``(samples, features)`` and ``(samples, outputs)``.
        setting
            Task, units, seed, threads.
        rounds
            Not used.

        Raises
        ------
        InputError
            A hyperparameter that is missing or no number.
        """
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        kind = RandomForestRegressor if setting.task == "regression" else RandomForestClassifier
        depth = int(number(params, "max_depth"))
        options = {
            "n_estimators": int(number(params, "trees")),
            "max_depth": depth if depth > 0 else None,
            "max_features": max(1, round(number(params, "max_features") * x.shape[1])),
            "min_samples_leaf": int(number(params, "min_samples_leaf")),
            "random_state": setting.seed,
            "n_jobs": setting.threads,
            **({"criterion": "poisson"} if setting.counts else {}),
        }

        def fit_one(rows: Matrix, labels: Labels) -> Predictor:
            target = labels if setting.task == "regression" else labels.astype(int)
            model = kind(**options)
            model.fit(rows.astype(np.float32, copy=False), target, setting.weights(labels))
            return Forest(model, setting.task, setting.units)

        if setting.task == "multiclass":
            return fit_one(x, y[:, 0])
        return fit_by_output(fit_one, x, y, setting)
