"""Scores of predictions against labels: exact with ties, blind to missing labels, fast.

Shapes: ``truth`` is ``(samples, outputs)`` with NaN for a missing label; ``prediction`` is
``(samples, units)``. Equal widths are scored output by output (binary, multilabel, regression)
and averaged; one column of class indices against several units is multiclass. ``counts`` is
``(resamples, samples)``: how often a bootstrap resample holds each sample.

Rules that hold for every metric:

- a sample without a label does not count for that output;
- a prediction that is not finite makes the score NaN;
- an output whose labels are constant has no score, and the mean is taken over the outputs that
  have one; without any the score is NaN. (Accuracy, log loss and RMSE need no variation.)
- a constant prediction carries no information: MCC and Pearson are then 0.
- a probability of at least 0.5 predicts the positive class; multiclass takes the largest one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.plugins import Plugin, Registry

__all__ = ["METRICS", "Metric", "accuracy_of", "default_metric", "loss_of", "plain_metric"]

Array = NDArray[Any]
Floats = NDArray[np.float64]
Score = Callable[[Array, Array, Floats], Floats]

# A probability nearer to 0 or 1 than this counts as this far away, so that no loss is infinite.
CLIP = 1e-7
# Variances below this share of the whole sample's variance are rounding, not variation.
FLAT = 1e-12
# Largest number of (resample, sample) pairs held at once.
BLOCK = 4_000_000


@dataclass(frozen=True)
class Metric:
    """One way to score predictions.

    Parameters
    ----------
    name
        Key in study files, such as ``auc``.
    label
        Name for people, such as ``ROC AUC``.
    maximise
        Whether larger is better.
    tasks
        Tasks it fits.
    chance
        Score without skill; None where it depends on the data (class shares, scale).
    """

    name: str
    label: str
    maximise: bool
    tasks: tuple[str, ...]
    chance: float | None
    _column: Score = field(repr=False)
    _classes: Score | None = field(default=None, repr=False)

    @property
    def worst(self) -> float:
        """The score that every finite score beats."""
        return float("-inf") if self.maximise else float("inf")

    @property
    def perfect(self) -> float:
        """The score of a model without fault: 1, or 0 for a loss."""
        return 1.0 if self.maximise else 0.0

    def better(self, a: float, b: float) -> bool:
        """Whether `a` beats `b`; NaN beats nothing, and every number beats NaN."""
        if np.isnan(a):
            return False
        return bool(np.isnan(b) or (a > b if self.maximise else a < b))

    def score(self, truth: Array, prediction: Array) -> float:
        """Score of all samples.

        Parameters
        ----------
        truth
            ``(samples, outputs)``, NaN where the label is missing.
        prediction
            ``(samples, units)``.

        Returns
        -------
        float
            The score, NaN where none is defined (see the module's rules).

        Raises
        ------
        ValueError
            Shapes that do not belong together.
        """
        return float(self._scores(truth, prediction, np.ones((1, len(truth))))[0])

    def resampled(self, truth: Array, prediction: Array, counts: Array) -> Floats:
        """Score of every resample at once, ``(resamples,)``.

        Parameters
        ----------
        truth, prediction
            As for `score`.
        counts
            ``(resamples, samples)`` non-negative: how often each sample is drawn.

        Raises
        ------
        ValueError
            Shapes that do not belong together.
        """
        if counts.ndim != 2 or counts.shape[1] != len(truth):
            raise ValueError(f"counts must be (resamples, {len(truth)}), got {counts.shape}")
        step = max(1, BLOCK // max(1, len(truth)))
        blocks = [
            self._scores(truth, prediction, counts[start : start + step].astype(np.float64))
            for start in range(0, len(counts), step)
        ]
        return np.concatenate(blocks) if blocks else np.empty(0)

    def _scores(self, truth: Array, prediction: Array, counts: Floats) -> Floats:
        if truth.ndim != 2 or prediction.ndim != 2 or len(truth) != len(prediction):
            raise ValueError(
                "truth and prediction must be (samples, outputs) and (samples, units), "
                f"got {truth.shape} and {prediction.shape}"
            )
        outputs, units = truth.shape[1], prediction.shape[1]
        if not np.isfinite(prediction).all():
            return np.full(len(counts), np.nan)
        if outputs == units:
            columns = [
                _known(self._column, truth[:, i], prediction[:, i], counts) for i in range(outputs)
            ]
            return columns[0] if outputs == 1 else _mean_of_defined(columns)
        if outputs == 1 and self._classes is not None:
            return _known(self._classes, truth[:, 0], prediction, counts)
        raise ValueError(f"{self.name} cannot score {units} units against {outputs} outputs")


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


def _known(score: Score, truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Apply `score` to the samples that have a label."""
    known = ~np.isnan(truth)
    if not known.all():
        truth, prediction, counts = truth[known], prediction[known], counts[:, known]
    if len(truth) == 0:
        return np.full(len(counts), np.nan)
    return score(truth, prediction, counts)


def _mean_of_defined(columns: list[Floats]) -> Floats:
    """Mean over the scores that are not NaN, ``(resamples,)``."""
    stacked = np.stack(columns)
    defined = ~np.isnan(stacked)
    total = np.where(defined, stacked, 0.0).sum(axis=0)
    return _ratio(total, defined.sum(axis=0).astype(np.float64))


def _ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, NaN where `below` is not positive."""
    out = np.full(np.broadcast(above, below).shape, np.nan)
    np.divide(above, below, out=out, where=below > 0)
    return out


def _tied(truth: Array, score: Array, counts: Floats) -> tuple[Floats, Floats]:
    """Positive and negative weight at each distinct score, from low to high."""
    order = np.argsort(score, kind="stable")
    ordered = score[order]
    starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
    weight = counts[:, order]
    positive = weight * (truth[order] == 1)
    negative = weight - positive
    if len(starts) == len(ordered):
        return positive, negative
    return np.add.reduceat(positive, starts, axis=1), np.add.reduceat(negative, starts, axis=1)


def _auc(truth: Array, score: Array, counts: Floats) -> Floats:
    """Share of (positive, negative) pairs in the right order, ties counting one half."""
    positive, negative = _tied(truth, score, counts)
    below = np.cumsum(negative, axis=1) - 0.5 * negative
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return _ratio((positive * below).sum(axis=1), pairs)


def _auc_classes(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """One class against the rest, mean over the classes that occur."""
    return _mean_of_defined(
        [_auc(truth == c, prediction[:, c], counts) for c in range(prediction.shape[1])]
    )


def _average_precision(truth: Array, score: Array, counts: Floats) -> Floats:
    """Precision at each threshold, weighted by the recall it adds."""
    positive, negative = (part[:, ::-1] for part in _tied(truth, score, counts))
    found, wrong = np.cumsum(positive, axis=1), np.cumsum(negative, axis=1)
    chosen = found + wrong
    precision = np.divide(found, chosen, out=np.zeros_like(found), where=chosen > 0)
    total = np.where(wrong[:, -1] > 0, found[:, -1], 0.0)
    return _ratio((positive * precision).sum(axis=1), total)


def _decided(prediction: Array) -> Array:
    """Predicted class index, ``(samples,)``."""
    decided: Array = prediction >= 0.5 if prediction.ndim == 1 else prediction.argmax(axis=1)
    return decided.astype(np.intp)


def _accuracy(truth: Array, prediction: Array, counts: Floats) -> Floats:
    return _ratio(counts @ (_decided(prediction) == truth).astype(np.float64), counts.sum(axis=1))


def _balanced_accuracy(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Mean recall over the classes that occur; one class alone has none."""
    decided = _decided(prediction)
    recalls, present = [], np.zeros(len(counts))
    for c in np.unique(truth):
        members = (truth == c).astype(np.float64)
        weight = counts @ members
        recalls.append(_ratio(counts @ (members * (decided == c)), weight))
        present += weight > 0
    return np.where(present > 1, _mean_of_defined(recalls), np.nan)


def _mcc(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Matthews correlation for any number of classes (Gorodkin's R_K)."""
    decided = _decided(prediction)
    total = counts.sum(axis=1)
    right = counts @ (decided == truth).astype(np.float64)
    agreement, true_square, decided_square = (np.zeros(len(counts)) for _ in range(3))
    for c in np.union1d(truth, decided):
        true_weight = counts @ (truth == c).astype(np.float64)
        decided_weight = counts @ (decided == c).astype(np.float64)
        agreement += true_weight * decided_weight
        true_square += true_weight**2
        decided_square += decided_weight**2
    true_spread, decided_spread = total**2 - true_square, total**2 - decided_square
    bottom = np.sqrt(true_spread * decided_spread)
    value = np.divide(right * total - agreement, bottom, out=np.zeros_like(total), where=bottom > 0)
    return np.where(true_spread > 0, value, np.nan)


def _log_loss(truth: Array, prediction: Array, counts: Floats) -> Floats:
    p = np.clip(prediction.astype(np.float64), CLIP, 1 - CLIP)
    given = np.where(truth == 1, p, 1 - p) if p.ndim == 1 else p[range(len(p)), truth.astype(int)]
    return _ratio(counts @ -np.log(given), counts.sum(axis=1))


def _rmse(truth: Array, prediction: Array, counts: Floats) -> Floats:
    error = truth.astype(np.float64) - prediction
    return np.sqrt(_ratio(counts @ error**2, counts.sum(axis=1)))


def _standard(values: Array) -> Floats:
    """Centred values of unit variance; zeros when constant."""
    x = values.astype(np.float64)
    if np.ptp(x) == 0:
        return np.zeros_like(x)
    x -= x.mean()
    x /= np.abs(x).max()
    x /= x.std()
    return x


def _r2(truth: Array, prediction: Array, counts: Floats) -> Floats:
    x = truth.astype(np.float64)
    spread = x.std() if np.ptp(x) > 0 else 0.0
    if spread == 0:
        return np.full(len(counts), np.nan)
    y, error = (x - x.mean()) / spread, (x - prediction) / spread
    total = counts.sum(axis=1)
    variation = counts @ y**2 - _ratio((counts @ y) ** 2, total)
    return 1 - _ratio(counts @ error**2, np.where(variation > FLAT * total, variation, 0.0))


def _d2(truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Share of the Poisson deviance from the mean that the predictions explain."""
    y = truth.astype(np.float64)
    if (y < 0).any():
        return np.full(len(counts), np.nan)
    p = np.maximum(prediction.astype(np.float64), CLIP)
    own = y * np.log(np.where(y > 0, y, 1.0))
    left = counts @ (own - y * np.log(p) - y + p)
    entropy, total = counts @ own, counts @ y
    mean = _ratio(total, np.where(total > 0, counts.sum(axis=1), 0.0))
    whole = entropy - total * np.log(mean)
    moves = whole > FLAT * np.maximum(counts @ np.abs(own), total)
    return 1 - _ratio(left, np.where(moves, whole, 0.0))


def _pearson(truth: Array, prediction: Array, counts: Floats) -> Floats:
    x, y = _standard(truth), _standard(prediction)
    total = counts.sum(axis=1)
    mean_x, mean_y = _ratio(counts @ x, total), _ratio(counts @ y, total)
    spread_x = _ratio(counts @ x**2, total) - mean_x**2
    spread_y = _ratio(counts @ y**2, total) - mean_y**2
    shared = _ratio(counts @ (x * y), total) - mean_x * mean_y
    moves = (spread_x > FLAT) & (spread_y > FLAT)
    bottom = np.sqrt(np.where(moves, spread_x * spread_y, 1.0))
    value = np.clip(np.where(moves, shared / bottom, 0.0), -1, 1)
    return np.where(spread_x > FLAT, value, np.nan)


_LABELS = ("binary", "multiclass", "multilabel")
_TRAIT = ("regression",)

_BUILT_IN: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("auc", "ROC AUC", True, _LABELS, 0.5, _auc, _auc_classes),
        Metric(
            "average_precision",
            "average precision",
            True,
            ("binary", "multilabel"),
            None,
            _average_precision,
        ),
        Metric("accuracy", "accuracy", True, _LABELS, None, _accuracy, _accuracy),
        Metric(
            "balanced_accuracy",
            "balanced accuracy",
            True,
            _LABELS,
            None,
            _balanced_accuracy,
            _balanced_accuracy,
        ),
        Metric("mcc", "Matthews correlation", True, _LABELS, 0.0, _mcc, _mcc),
        Metric("log_loss", "log loss", False, _LABELS, None, _log_loss, _log_loss),
        Metric("r2", "R²", True, _TRAIT, 0.0, _r2),
        Metric("pearson", "Pearson correlation", True, _TRAIT, 0.0, _pearson),
        Metric("rmse", "RMSE", False, _TRAIT, None, _rmse),
        Metric("d2", "explained Poisson deviance", True, _TRAIT, 0.0, _d2),
    )
}


def plain_metric(
    name: str,
    label: str,
    score: Callable[[Array, Array], float],
    *,
    maximise: bool,
    tasks: tuple[str, ...],
    chance: float | None = None,
) -> Metric:
    """Make a metric of a plain function; bootstrap resamples call it one by one.

    Parameters
    ----------
    name, label, maximise, tasks, chance
        See `Metric`.
    score
        ``score(truth, prediction)`` of samples that have a label: ``(samples,)`` each, for
        multiclass class indices and ``(samples, classes)``. It is not asked where all labels are
        the same: the score is NaN then.
    """

    def resampled(truth: Array, prediction: Array, counts: Floats) -> Floats:
        found = np.full(len(counts), np.nan)
        for number, count in enumerate(counts):
            rows = np.repeat(np.arange(len(truth)), count.astype(np.intp))
            if len(rows) and np.ptp(truth[rows]) > 0:
                found[number] = float(score(truth[rows], prediction[rows]))
        return found

    classes = resampled if "multiclass" in tasks else None
    return Metric(name, label, maximise, tasks, chance, resampled, classes)


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
