"""One model an output, each over the samples that have its label; or one a class against the rest.

Multilabel and multi-trait problems become single ones here, so that no model family needs to
know missing labels. An output of which the training part shows one class only is predicted by
that class's share, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geno_hpo.baselines.protocol import Labels, Matrix, Predictions, Predictor, Setting

__all__ = [
    "AgainstRest",
    "ByOutput",
    "Constant",
    "fit_by_output",
    "fit_one_against_rest",
    "shares",
    "single_class",
]

FitOne = Callable[[Matrix, Labels], Predictor]


@dataclass(frozen=True)
class Constant:
    """The same value for every sample."""

    value: float
    notes: tuple[str, ...] = ()

    def predict(self, x: Matrix) -> Predictions:
        """Return the value ``(samples, 1)`` times."""
        return np.full((len(x), 1), self.value, np.float32)


@dataclass(frozen=True)
class ByOutput:
    """Single-output predictors side by side."""

    parts: tuple[Predictor, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """All the parts' notes."""
        return tuple(note for part in self.parts for note in part.notes)

    def predict(self, x: Matrix) -> Predictions:
        """Predict every output, ``(samples, outputs)``."""
        return np.concatenate([part.predict(x) for part in self.parts], axis=1)


@dataclass(frozen=True)
class AgainstRest:
    """Predictors of one class each; their probabilities are divided by their sum."""

    parts: tuple[Predictor, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """The parts' notes; of a class that training did not hold there is nothing to say."""
        fitted = (part for part in self.parts if not isinstance(part, Constant))
        return tuple(note for part in fitted for note in part.notes)

    def predict(self, x: Matrix) -> Predictions:
        """Predict every class, ``(samples, classes)``."""
        return shares(np.concatenate([part.predict(x) for part in self.parts], axis=1))


def shares(probabilities: Predictions) -> Predictions:
    """Divide each sample's probabilities ``(samples, classes)`` by their sum."""
    total = probabilities.sum(axis=1, keepdims=True)
    even = np.full_like(probabilities, 1 / probabilities.shape[1])
    divided: Predictions = np.divide(probabilities, total, out=even, where=total > 0)
    return divided


def single_class(y: Labels, task: str) -> Constant | None:
    """Return what to predict for labels of one class, or None when there is something to learn.

    Parameters
    ----------
    y
        ``(samples,)`` known labels of one output.
    task
        The task; multiclass labels are never constant in this sense, traits where all are 0.
    """
    if task == "regression" and y.size and not y.any():
        return Constant(0.0, ("an output was 0 throughout training: it is predicted as 0",))
    if task not in ("binary", "multilabel") or (y.size and y.min() < y.max()):
        return None
    share = float(y.mean()) if y.size else 0.5
    return Constant(share, ("an output had one class only in training: its share is predicted",))


def fit_by_output(fit_one: FitOne, x: Matrix, y: Labels, setting: Setting) -> ByOutput:
    """Fit `fit_one` to each output over the samples that have its label.

    Parameters
    ----------
    fit_one
        Takes ``(samples, features)`` and ``(samples,)`` without NaN.
    x, y
        ``(samples, features)`` and ``(samples, outputs)``.
    setting
        Its task tells classes from traits.
    """
    parts: list[Predictor] = []
    for column in y.T:
        known = ~np.isnan(column)
        rows, labels = (x, column) if known.all() else (x[known], column[known])
        parts.append(single_class(labels, setting.task) or fit_one(rows, labels))
    return ByOutput(tuple(parts))


def fit_one_against_rest(fit_one: FitOne, x: Matrix, y: Labels, classes: int) -> AgainstRest:
    """Fit `fit_one` to each class against all others.

    Parameters
    ----------
    fit_one
        Takes ``(samples, features)`` and ``(samples,)`` labels 0 and 1.
    x, y
        ``(samples, features)`` and ``(samples,)`` class numbers.
    classes
        How many classes there are; one that `y` does not hold gets probability 0.
    """
    parts: list[Predictor] = []
    for number in range(classes):
        own = (y == number).astype(np.float32)
        parts.append(single_class(own, "binary") or fit_one(x, own))
    return AgainstRest(tuple(parts))
