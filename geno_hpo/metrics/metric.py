"""What a metric is: a name, a direction, and a formula for one output that serves all resamples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from geno_hpo.metrics.defined import Array, Floats, mean_of_defined

__all__ = ["Metric", "Score", "plain_metric"]

Score = Callable[[Array, Array, Floats], Floats]

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
            The score, NaN where none is defined (see the package's rules).

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
            return columns[0] if outputs == 1 else mean_of_defined(columns)
        if outputs == 1 and self._classes is not None:
            return _known(self._classes, truth[:, 0], prediction, counts)
        raise ValueError(f"{self.name} cannot score {units} units against {outputs} outputs")


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


def _known(score: Score, truth: Array, prediction: Array, counts: Floats) -> Floats:
    """Apply `score` to the samples that have a label."""
    known = ~np.isnan(truth)
    if not known.all():
        truth, prediction, counts = truth[known], prediction[known], counts[:, known]
    if len(truth) == 0:
        return np.full(len(counts), np.nan)
    return score(truth, prediction, counts)
