"""Models that shame a pipeline: nothing to tune, next to nothing to learn.

- ``constant`` always says the classes' shares, or the mean of a trait.
- ``best_feature`` reads one site or variant, chosen in the training part alone: the one most
  correlated with the label (of several classes or outputs, each has its own).
- ``group: NAME`` knows only which lineage, population or family a sample belongs to; a group that
  training did not hold gets the average.

A network that does no better than these has learned nothing of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines import FoldData, Setting, refit
from geno_hpo.evaluation.baseline import BaselineEvaluation

__all__ = ["Trivial", "best_columns", "trivial_models"]

Array = NDArray[Any]
Indices = NDArray[np.intp]

# A penalty that only keeps a perfect separation finite.
PENALTY = {"penalty": 1e-3}


@dataclass(frozen=True, eq=False)
class Trivial:
    """One trivial model's scores and predictions.

    Parameters
    ----------
    name
        See the module.
    reads
        What the fit on the development part reads: the feature's name, or nothing.
    fold_scores
        Its validation scores.
    predictions
        ``(test samples, units)`` of the sealed test set.
    """

    name: str
    reads: str
    fold_scores: tuple[float, ...]
    predictions: NDArray[np.float32]


def trivial_models(evaluation: BaselineEvaluation, seed: int) -> list[Trivial]:
    """Fit every trivial model on each fold, and on the development part.

    Parameters
    ----------
    evaluation
        Data, split and settings of the study.
    seed
        Passed to fits, none of which is random.
    """
    split = evaluation.split
    folds = [*evaluation.folds, _development(evaluation)]
    parts = [(fold.train, fold.valid) for fold in split.folds]
    parts.append((split.development, split.test))

    def scored(name: str, data: list[FoldData], reads: str = "", choose: bool = False) -> Trivial:
        """Fit the folds, then the development part, which comes last."""
        told = [_predicted(fold, evaluation.setting(seed), choose) for fold in data]
        pairs = zip(data[:-1], told[:-1], strict=True)
        scores = [evaluation.metric.score(fold.y_valid, one) for fold, one in pairs]
        return Trivial(name, reads, tuple(map(float, scores)), told[-1])

    found = [
        scored("constant", [_blank(fold) for fold in folds]),
        scored("best_feature", folds, _read(evaluation, folds[-1]), choose=True),
    ]
    for name, groups in evaluation.dataset.groups.items():
        data = [_grouped(groups, *part, fold) for part, fold in zip(parts, folds, strict=True)]
        found.append(scored(f"group: {name}", data))
    return found


def best_columns(x: Array, y: Array, classes: int = 0) -> NDArray[np.intp]:
    """The column most correlated with each output, or with each class.

    Parameters
    ----------
    x
        ``(samples, features)``.
    y
        ``(samples, outputs)``, NaN where the label is missing.
    classes
        Number of classes that one output holds; 0 where outputs are values.

    Returns
    -------
    ndarray
        ``(outputs,)`` or ``(classes,)`` columns; ties go to the first.
    """
    targets = [y[:, 0] == c for c in range(classes)] if classes else list(y.T)
    best = []
    for target in targets:
        known = ~np.isnan(target.astype(np.float64))
        rows, own = (x, target) if known.all() else (x[known], target[known])
        centred = own - own.mean() if len(own) else own.astype(np.float64)
        shared = np.abs(centred @ rows)
        mean = rows.mean(axis=0, dtype=np.float64)
        square = np.einsum("ij,ij->j", rows, rows, dtype=np.float64) / max(len(rows), 1)
        spread = np.sqrt(np.maximum(square - mean**2, 0))
        correlation = np.divide(shared, spread, out=np.zeros(len(spread)), where=spread > 1e-9)
        best.append(int(correlation.argmax()))
    return np.array(best, np.intp)


def _development(evaluation: BaselineEvaluation) -> FoldData:
    """The development part and the test set, of which only the features are read."""
    split, labels = evaluation.split, evaluation.dataset.target
    x_train, x_test = evaluation.matrices(split.development, split.test)
    return FoldData(x_train, labels.take(split.development), x_test, labels.take(split.test))


def _predicted(fold: FoldData, setting: Setting, choose: bool) -> NDArray[np.float32]:
    """Fit one training part and predict the other; with `choose` from each output's best column."""
    if not choose:
        return _fit(fold.x_train, fold.y_train, fold.x_valid, setting)
    classes = setting.units if setting.task == "multiclass" else 0
    columns = best_columns(fold.x_train, fold.y_train, classes)
    if classes:
        columns = np.unique(columns)
        return _fit(fold.x_train[:, columns], fold.y_train, fold.x_valid[:, columns], setting)
    told = [
        _fit(fold.x_train[:, [c]], fold.y_train[:, [i]], fold.x_valid[:, [c]], setting)
        for i, c in enumerate(columns)
    ]
    return np.concatenate(told, axis=1)


def _fit(x: Array, y: Array, other: Array, setting: Setting) -> NDArray[np.float32]:
    return refit("ridge", dict(PENALTY), x, y, setting).predict(other)


def _blank(fold: FoldData) -> FoldData:
    """The fold with one column that never varies."""
    blank = (np.zeros((len(x), 1), np.uint8) for x in (fold.x_train, fold.x_valid))
    return FoldData(next(blank), fold.y_train, next(blank), fold.y_valid)


def _grouped(groups: Array, train: Indices, other: Indices, fold: FoldData) -> FoldData:
    """The fold with a column a group that training holds, centred so that others are average."""
    known = np.unique(groups[train])
    own, rest = (np.equal(groups[part][:, None], known) for part in (train, other))
    mean = own.mean(axis=0)
    seen = rest.any(axis=1, keepdims=True)
    return FoldData(own - mean, fold.y_train, np.where(seen, rest - mean, 0.0), fold.y_valid)


def _read(evaluation: BaselineEvaluation, whole: FoldData) -> str:
    """Names of the features that the development part chooses."""
    setting = evaluation.setting(0)
    classes = setting.units if setting.task == "multiclass" else 0
    columns = np.unique(best_columns(whole.x_train, whole.y_train, classes))
    names = evaluation.feature_names(evaluation.split.development)
    told = [names[c] for c in columns[:3]]
    more = f" and {len(columns) - 3} more" if len(columns) > 3 else ""
    return ", ".join(told) + more
