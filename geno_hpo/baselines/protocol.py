"""What every baseline takes and gives; nothing here knows which model it is.

A baseline is judged like a network: on the same folds, by the same metric, reporting through
``report(step, mean score, fold scores) -> stop``. Matrices are ``(samples, features)``, labels
``(samples, outputs)`` float32 with NaN for missing, predictions ``(samples, units)`` float32:
probabilities, or trait values in the labels' units.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.metrics import Metric
from geno_hpo.preprocess import balanced

__all__ = [
    "Baseline",
    "BaselineProblem",
    "BaselineResult",
    "FoldData",
    "Parameters",
    "Predictor",
    "Report",
    "Setting",
    "fit_folds_once",
]

Matrix = NDArray[Any]
Labels = NDArray[np.float32]
Predictions = NDArray[np.float32]
Parameters = dict[str, bool | int | float | str]
Report = Callable[[int, float, list[float]], bool]


@dataclass(frozen=True, eq=False)
class FoldData:
    """One fold's matrices, already preprocessed by what its training part taught.

    Parameters
    ----------
    x_train, x_valid
        ``(samples, features)``.
    y_train, y_valid
        ``(samples, outputs)``, NaN where the label is missing.
    """

    x_train: Matrix
    y_train: Labels
    x_valid: Matrix
    y_valid: Labels


@dataclass(frozen=True)
class Setting:
    """How a model is fitted, beside its hyperparameters.

    Parameters
    ----------
    task
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``.
    units
        Width of the prediction: outputs, or classes for multiclass.
    seed
        Seed of everything random.
    threads
        Threads a fit may use.
    balanced
        Whether rare classes weigh more, as often as they are rarer in the training part.
    counts
        Whether the values of a regression are counts: their expectation is told by a log link.

    Raises
    ------
    InputError
        Fewer than one thread or unit, or a regression that is to be balanced.
    """

    task: str
    units: int
    seed: int = 1
    threads: int = 1
    balanced: bool = False
    counts: bool = False

    def __post_init__(self) -> None:
        for name, value in (("units", self.units), ("threads", self.threads)):
            if value < 1:
                raise InputError(f"{name} must be at least 1, got {value}")
        if self.balanced and self.task == "regression":
            raise InputError("classes of a regression cannot be balanced, got balanced=True")

    def weights(self, labels: Labels) -> Labels | None:
        """Weight of each sample by its known label ``(samples,)``; None where all are alike."""
        return balanced(labels) if self.balanced else None


@dataclass(frozen=True, eq=False)
class BaselineProblem:
    """The folds a configuration is judged on.

    Parameters
    ----------
    folds
        The same folds as the network's.
    metric
        What is tuned.
    setting
        Task, units, seed and threads.
    """

    folds: tuple[FoldData, ...]
    metric: Metric
    setting: Setting


@dataclass(frozen=True, eq=False)
class BaselineResult:
    """What a configuration scored.

    Parameters
    ----------
    score, fold_scores
        Mean over the folds, and each, at the best report.
    best_round
        Boosting rounds at the best report; 1 for a model that is fitted in one go.
    curve, rounds
        Mean score at each report, and after how many rounds it was.
    predictions
        Validation predictions of each fold at the best report.
    seconds
        Wall time.
    stopped
        Whether `report` asked to stop.
    notes
        What a reader must know: a fit that did not converge, an output with one class.
    """

    score: float
    fold_scores: tuple[float, ...]
    best_round: int
    curve: tuple[float, ...]
    rounds: tuple[int, ...]
    predictions: tuple[Predictions, ...]
    seconds: float
    stopped: bool
    notes: tuple[str, ...] = ()


class Predictor(Protocol):
    """A fitted baseline."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know about the fit."""

    def predict(self, x: Matrix) -> Predictions:
        """Predict ``(samples, units)`` from ``(samples, features)``."""


class Baseline(Protocol):
    """A model family that a network must beat."""

    @property
    def name(self) -> str:
        """Key in study files, and the name of its search space."""

    @property
    def label(self) -> str:
        """Name for people."""

    def fit_folds(
        self, params: Parameters, problem: BaselineProblem, report: Report
    ) -> BaselineResult:
        """Judge a configuration on all folds."""

    def refit(
        self, params: Parameters, x: Matrix, y: Labels, setting: Setting, rounds: int
    ) -> Predictor:
        """Fit once on all of `x`; `rounds` is read by models that are boosted."""


def fit_folds_once(
    baseline: Baseline, params: Parameters, problem: BaselineProblem, report: Report
) -> BaselineResult:
    """Judge a model that is fitted in one go: fit every fold, report once."""
    start = time.perf_counter()
    predictions: list[Predictions] = []
    notes: list[str] = []
    for fold in problem.folds:
        fitted = baseline.refit(params, fold.x_train, fold.y_train, problem.setting, rounds=1)
        predictions.append(fitted.predict(fold.x_valid))
        notes += fitted.notes
    scores = fold_scores(problem, predictions)
    mean = float(np.mean(scores))
    stopped = report(1, mean, scores)
    return BaselineResult(
        score=mean,
        fold_scores=tuple(scores),
        best_round=1,
        curve=(mean,),
        rounds=(1,),
        predictions=tuple(predictions),
        seconds=time.perf_counter() - start,
        stopped=stopped,
        notes=counted(notes),
    )


def fold_scores(problem: BaselineProblem, predictions: Iterable[Predictions]) -> list[float]:
    """Score of each fold's validation predictions."""
    return [
        problem.metric.score(fold.y_valid, prediction)
        for fold, prediction in zip(problem.folds, predictions, strict=True)
    ]


def counted(notes: Iterable[str]) -> tuple[str, ...]:
    """Each note once, with how often it was made."""
    tally: dict[str, int] = {}
    for note in notes:
        tally[note] = tally.get(note, 0) + 1
    return tuple(f"{note} ({times} times)" if times > 1 else note for note, times in tally.items())


def number(params: Parameters, name: str) -> float:
    """Return a hyperparameter that must be a number.

    Raises
    ------
    InputError
        It is missing or no number.
    """
    value = params.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(
            f"{params.get('family')}: hyperparameter {name!r} must be a number, got {value!r}"
        )
    return float(value)
