"""Gradient-boosted trees by LightGBM, all folds in lockstep.

Each fold (and each output) has its booster; all grow one tree at a time. Every ``report_every``
rounds the mean validation score over the folds is reported, as a network reports its epochs;
training ends when that mean has not improved for ``patience`` rounds, and the best round counts.

Hyperparameters: ``rounds`` (at most), ``patience``, ``report_every``, ``learning_rate``,
``num_leaves``, ``min_child_samples``, ``subsample``, ``colsample``, ``lambda_l1``, ``lambda_l2``.

References
----------
Ke et al. (2017). LightGBM: a highly efficient gradient boosting decision tree. NeurIPS 30.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from geno_hpo.baselines.outputs import Constant, fit_by_output, single_class
from geno_hpo.baselines.protocol import (
    BaselineProblem,
    BaselineResult,
    FoldData,
    Labels,
    Matrix,
    Parameters,
    Predictions,
    Predictor,
    Report,
    Setting,
    counted,
    fold_scores,
    number,
)
from geno_hpo.errors import InputError

__all__ = ["LightGBM"]

OBJECTIVES = {
    "binary": "binary",
    "multilabel": "binary",
    "multiclass": "multiclass",
    "regression": "regression",
}


@dataclass(frozen=True, eq=False)
class Trees:
    """A fitted booster of one output (or of all classes)."""

    booster: Any
    notes: tuple[str, ...] = ()

    def predict(self, x: Matrix) -> Predictions:
        """Probabilities or trait values, ``(samples, columns)``."""
        return _columns(self.booster.predict(_rows(x)), len(x))


class GrowingOutput:
    """The booster of one fold and output, with its validation predictions."""

    def __init__(
        self,
        train: tuple[Matrix, Labels],
        x_valid: Matrix,
        options: dict[str, Any],
        setting: Setting,
    ) -> None:
        import lightgbm as lgb

        x, y = train
        data = lgb.Dataset(
            _rows(x), np.ascontiguousarray(y), weight=setting.weights(y), params=options
        )
        self.samples = len(x_valid)
        self.booster = lgb.Booster(options, data)
        blank = np.zeros(self.samples)  # predictions are wanted, LightGBM's own scores are not
        valid = data.create_valid(_rows(x_valid), blank, params=options)
        self.booster.add_valid(valid, "valid")

    def grow(self) -> bool:
        """Add a tree; whether nothing more can be learned."""
        return bool(self.booster.update())

    def predictions(self) -> Predictions:
        """Return the validation predictions ``(samples, columns)`` LightGBM keeps tree by tree."""
        held: list[Any] = []

        def keep(predictions: Any, _data: Any) -> tuple[str, float, bool]:
            held.append(np.array(predictions))
            return "kept", 0.0, True

        self.booster.eval_valid(feval=keep)
        return _columns(held[0], self.samples)


class GrowingFold:
    """The boosters of one fold, one an output."""

    def __init__(self, fold: FoldData, options: dict[str, Any], setting: Setting) -> None:
        self.parts: list[GrowingOutput | Constant] = []
        self.x_valid = fold.x_valid
        for column in fold.y_train.T:
            known = ~np.isnan(column)
            train = fold.x_train[known], column[known]
            self.parts.append(
                single_class(column[known], setting.task)
                or GrowingOutput(train, fold.x_valid, options, setting)
            )
        self.notes = [note for p in self.parts if isinstance(p, Constant) for note in p.notes]

    def grow(self) -> bool:
        """Add a tree to every output; whether nothing more can be learned."""
        ended = [part.grow() for part in self.parts if isinstance(part, GrowingOutput)]
        return all(ended)

    def predictions(self) -> Predictions:
        """Return the validation predictions ``(samples, units)``."""
        return np.concatenate(
            [
                part.predictions()
                if isinstance(part, GrowingOutput)
                else part.predict(self.x_valid)
                for part in self.parts
            ],
            axis=1,
        )


@dataclass(frozen=True)
class LightGBM:
    """LightGBM with early stopping on the folds' mean."""

    name: str = "lightgbm"
    label: str = "LightGBM"

    def fit_folds(
        self, params: Parameters, problem: BaselineProblem, report: Report
    ) -> BaselineResult:
        """Judge a configuration: all folds a round at a time.

        Parameters
        ----------
        params
            See the module.
        problem
            Folds, metric, setting.
        report
            Called every ``report_every`` rounds; True ends the run.

        Raises
        ------
        InputError
            A hyperparameter that is missing or no number.
        """
        start = time.perf_counter()
        options = _options(params, problem.setting)
        limit, patience, every = (
            int(number(params, name)) for name in ("rounds", "patience", "report_every")
        )
        folds = [GrowingFold(fold, options, problem.setting) for fold in problem.folds]
        curve: list[float] = []
        rounds: list[int] = []
        best: tuple[float, int, list[float], list[Predictions]] | None = None
        stopped = False
        for done in range(1, limit + 1):
            ended = [fold.grow() for fold in folds]
            finished = all(ended)
            if done % every and done < limit and not finished:
                continue
            predictions = [fold.predictions() for fold in folds]
            scores = fold_scores(problem, predictions)
            mean = float(np.mean(scores))
            curve.append(mean)
            rounds.append(done)
            if best is None or problem.metric.better(mean, best[0]):
                best = mean, done, scores, predictions
            stopped = report(done, mean, scores)
            if stopped or finished or done - best[1] >= patience:
                break
        if best is None:
            raise InputError(f"lightgbm: rounds must be at least 1, got {limit}")
        score, best_round, scores, predictions = best
        return BaselineResult(
            score=score,
            fold_scores=tuple(scores),
            best_round=best_round,
            curve=tuple(curve),
            rounds=tuple(rounds),
            predictions=tuple(predictions),
            seconds=time.perf_counter() - start,
            stopped=stopped,
            notes=counted(note for fold in folds for note in fold.notes),
        )

    def refit(
        self, params: Parameters, x: Matrix, y: Labels, setting: Setting, rounds: int
    ) -> Predictor:
        """Fit `rounds` trees on all of `x`.

        Parameters
        ----------
        params
            See the module; its ``rounds`` and ``patience`` are not read.
        x, y
            ``(samples, features)`` and ``(samples, outputs)``.
        setting
            Task, units, seed, threads.
        rounds
            Boosting rounds, `BaselineResult.best_round` of the chosen configuration.

        Raises
        ------
        InputError
            A hyperparameter that is missing or no number.
        """
        import lightgbm as lgb

        options = _options(params, setting)

        def fit_one(samples: Matrix, labels: Labels) -> Predictor:
            data = lgb.Dataset(
                _rows(samples),
                np.ascontiguousarray(labels),
                weight=setting.weights(labels),
                params=options,
            )
            return Trees(lgb.train(options, data, num_boost_round=rounds))

        if setting.task == "multiclass":
            return fit_one(x, y[:, 0])
        return fit_by_output(fit_one, x, y, setting)


def _options(params: Parameters, setting: Setting) -> dict[str, Any]:
    """Our hyperparameters under LightGBM's names."""
    options: dict[str, Any] = {
        "objective": "poisson" if setting.counts else OBJECTIVES[setting.task],
        "metric": "None",
        "learning_rate": number(params, "learning_rate"),
        "num_leaves": int(number(params, "num_leaves")),
        "min_data_in_leaf": int(number(params, "min_child_samples")),
        "bagging_fraction": number(params, "subsample"),
        "bagging_freq": 1,
        "feature_fraction": number(params, "colsample"),
        "lambda_l1": number(params, "lambda_l1"),
        "lambda_l2": number(params, "lambda_l2"),
        # Rare alleles are the signal: bins of one sample, and no bundling by chance.
        "min_data_in_bin": 1,
        "seed": setting.seed,
        "deterministic": True,
        "force_col_wise": True,
        "num_threads": setting.threads,
        "verbosity": -1,
    }
    if setting.task == "multiclass":
        options["num_class"] = setting.units
    return options


def _rows(x: Matrix) -> Matrix:
    """Return the matrix as LightGBM reads it without a copy of its own."""
    wide = x.dtype if x.dtype in (np.float32, np.float64) else np.float32
    return np.ascontiguousarray(x, wide)


def _columns(predictions: Any, samples: int) -> Predictions:
    """Predictions as ``(samples, columns)`` float32."""
    return np.asarray(predictions, np.float32).reshape(samples, -1)
