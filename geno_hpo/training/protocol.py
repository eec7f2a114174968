"""What a trial asks of an engine and what it gets back: plain values, no backend.

A trial trains its *replicas* (one fold × one seed each) in lockstep: every replica finishes epoch
*e* before any begins epoch *e* + 1. So after each epoch there is one number to report, the mean
over replicas. Arrays of curves are ``(replicas, epochs)``; predictions are ``(samples, units)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.models.parameter import Parameters

if TYPE_CHECKING:
    from geno_hpo.training.checkpoint import Checkpoint
    from geno_hpo.training.turns import Course

__all__ = [
    "Engine",
    "EpochReport",
    "FitPlan",
    "FitResult",
    "OutputScale",
    "Replica",
    "Report",
    "Score",
    "Weights",
]

Weights = tuple[NDArray[Any], ...]
"""A trained model's inference variables, in the order of the plain Keras model's ``weights``."""

Score = Callable[[NDArray[np.float32], NDArray[np.float32]], float]
"""``score(truth (n, outputs), prediction (n, units))``; truth in original units, NaN missing."""


class OutputScale(Protocol):
    """How a regression target was scaled: ``scaled = (value − mean) / scale``, each (outputs,)."""

    @property
    def mean(self) -> NDArray[Any]:
        """Mean of each output over the training part."""

    @property
    def scale(self) -> NDArray[Any]:
        """Positive divisor of each output."""


@dataclass(frozen=True)
class Replica:
    """One training inside a trial: a fold and a seed.

    Parameters
    ----------
    train
        Sample indices to train on, at least one.
    valid
        Sample indices to judge on; empty when there is nothing to judge (final restarts).
    seed
        Decides initial weights, order of samples and dropout masks.
    constants
        Arrays fitted on the training part that the coding needs (for dosages: columns, fill,
        mean, scale).
    target_scale
        For regression: the model learns ``(value − mean) / scale`` and predictions are scaled
        back. None leaves the target as it is.
    class_weights
        ``(outputs, classes)``: what a label of each class weighs in the training loss, as Keras's
        ``class_weight``; for an engine that was made for weights. None: all alike.
    learned
        Weights that a family takes from the training part and does not train, by name.

    Raises
    ------
    InputError
        No training sample, or a sample that is both trained and judged on.
    """

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    seed: int
    constants: tuple[NDArray[Any], ...] = ()
    target_scale: OutputScale | None = None
    class_weights: NDArray[np.float32] | None = None
    learned: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.train.ndim != 1 or not len(self.train):
            raise InputError(f"a replica needs training samples, got shape {self.train.shape}")
        shared = np.intersect1d(self.train, self.valid)
        if len(shared):
            raise InputError(f"sample {shared[0]} is both trained and validated on")
        if self.seed < 0:
            raise InputError(f"a seed must be at least 0, got {self.seed}")


@dataclass(frozen=True)
class FitPlan:
    """One trial: parameters, replicas and when to end.

    Parameters
    ----------
    params
        Flat hyperparameters under short names, with ``family``.
    replicas
        Trained in lockstep. Either all have validation samples or none has.
    epochs
        At most this many epochs.
    patience
        End after this many epochs without a better mean score; None never ends early.
    restore
        ``best`` gives weights and predictions of the best epoch, ``last`` of the last one.
        Without validation samples it must be ``last``.
    maximise
        Whether a higher score is better.
    horizon
        Epochs the learning rate's schedule spans; None takes `epochs`. A fit that stops where the
        search found best takes the epochs that the search's trials could have had.
    checkpoint
        Where the course is kept, and taken up again; None keeps nothing.

    Raises
    ------
    InputError
        Values that break the rules above.
    """

    params: Parameters
    replicas: tuple[Replica, ...]
    epochs: int
    patience: int | None = None
    restore: Literal["best", "last"] = "best"
    maximise: bool = True
    horizon: int | None = None
    checkpoint: Checkpoint | None = None

    def __post_init__(self) -> None:
        if not self.replicas:
            raise InputError("a plan needs at least one replica, got none")
        if self.epochs < 1:
            raise InputError(f"epochs must be at least 1, got {self.epochs}")
        if self.horizon is not None and self.horizon < self.epochs:
            raise InputError(
                f"horizon must be at least the {self.epochs} epochs or None, got {self.horizon}"
            )
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1 or None, got {self.patience}")
        judged = sum(len(replica.valid) > 0 for replica in self.replicas)
        if judged not in (0, len(self.replicas)):
            raise InputError(
                f"all replicas or none have validation samples, got {judged} of "
                f"{len(self.replicas)}"
            )
        if not judged and (self.restore == "best" or self.patience is not None):
            raise InputError(
                "without validation samples restore must be 'last' and patience None, got "
                f"restore={self.restore!r}, patience={self.patience}"
            )


@dataclass(frozen=True)
class EpochReport:
    """What is known after an epoch.

    Parameters
    ----------
    epoch
        Counted from 1.
    score
        Mean validation score over the replicas; NaN without validation samples.
    fold_scores
        One score a replica, in their order.
    train_loss, train_accuracy
        ``(replicas,)``, over the epoch's batches as they were trained (dropout on), without the
        L2 penalty. Accuracy is NaN for regression.
    valid_loss, valid_accuracy
        ``(replicas,)``, with the weights at the epoch's end; NaN without validation samples.
    seconds
        Wall time of this epoch over all replicas, scores included.
    """

    epoch: int
    score: float
    fold_scores: tuple[float, ...]
    train_loss: NDArray[np.float64]
    valid_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    valid_accuracy: NDArray[np.float64]
    seconds: float


Report = Callable[[EpochReport], bool]
"""Told after each epoch; True means stop now."""


@dataclass(frozen=True)
class FitResult:
    """How a trial went.

    Parameters
    ----------
    scores, train_loss, valid_loss, train_accuracy, valid_accuracy
        ``(replicas, epochs)``.
    epochs
        Epochs trained.
    best_epoch
        Epoch of the best mean score, from 1; the last epoch without validation samples.
    ended
        ``epochs`` (all done), ``early stopping``, or ``stopped`` (the report said so).
    valid_predictions
        For each replica ``(n_valid, units)`` at the restored epoch: probabilities, or values in
        original units for regression.
    weights
        For each replica the inference weights at the restored epoch.
    seconds
        Wall seconds by part: ``trace``, ``train``, ``validate`` (scores), ``report`` (the caller's
        function), ``other``, and ``neighbours`` where other trials were let on in between. The
        device's validation predictions are part of ``train``: they run in the same call. What
        several trials did in one program counts in equal shares.
    reused
        Whether an already compiled function was used.
    parameters
        Trained values of one replica's model.
    training_seconds
        Wall seconds of all epochs, training and validation; of those before a checkpoint, too.
    batch_size
        Samples a step as trained: less than asked for where memory did not suffice. Weights do
        not depend on it; `predict` takes the parameters as they were.
    notes
        What the trial's log should say beside the numbers, a sentence each.
    way
        How the epochs were computed and why, where there was a choice; no number depends on it.
    """

    scores: NDArray[np.float64]
    train_loss: NDArray[np.float64]
    valid_loss: NDArray[np.float64]
    train_accuracy: NDArray[np.float64]
    valid_accuracy: NDArray[np.float64]
    epochs: int
    best_epoch: int
    ended: Literal["epochs", "early stopping", "stopped"]
    valid_predictions: tuple[NDArray[np.float32], ...]
    weights: tuple[Weights, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    reused: bool = False
    parameters: int = 0
    training_seconds: float = 0.0
    batch_size: int = 0
    notes: tuple[str, ...] = ()
    way: str = ""

    @property
    def mean_scores(self) -> NDArray[np.float64]:
        """``(epochs,)`` mean score over the replicas."""
        mean: NDArray[np.float64] = self.scores.mean(axis=0)
        return mean

    @property
    def best_score(self) -> float:
        """Mean score at the best epoch; NaN without validation samples."""
        return float(self.mean_scores[self.best_epoch - 1])

    @property
    def fold_scores(self) -> tuple[float, ...]:
        """The replicas' scores at the best epoch."""
        return tuple(float(x) for x in self.scores[:, self.best_epoch - 1])


class Engine(Protocol):
    """Trains and applies models of every family on one data set; one implementation a backend."""

    def fit(self, plan: FitPlan, report: Report) -> FitResult:
        """Train a trial's replicas.

        Raises
        ------
        InputError
            Parameters no model can be built from.
        TrialFailed
            ``non-finite`` when a loss left the numbers, ``memory`` when memory ran out with the
            smallest batch size tried.

        Notes
        -----
        Out of memory, the trial begins again with half the batch size; `report` is then told of
        epoch 1 once more.
        """

    def course(self, plan: FitPlan, report: Report) -> Course[FitResult]:
        """Give what `fit` does, to be let on turn by turn; see `geno_hpo.training.turns`."""

    def predict(
        self,
        params: Parameters,
        weights: Weights,
        samples: NDArray[np.intp],
        constants: tuple[NDArray[Any], ...] = (),
        target_scale: OutputScale | None = None,
    ) -> NDArray[np.float32]:
        """Predictions ``(len(samples), units)``: probabilities, or values in original units."""

    def input_gradients(
        self,
        params: Parameters,
        weights: Weights,
        samples: NDArray[np.intp],
        constants: tuple[NDArray[Any], ...] = (),
        output: int = 0,
    ) -> NDArray[np.float32]:
        """Gradient of logit `output` with respect to the model's input.

        Returns ``(len(samples), *input shape)``: ``(…, length, symbols)`` for sequences,
        ``(…, variants)`` for dosages (with respect to the scaled dosage).
        """

    def export(self, params: Parameters, weights: Weights) -> Any:
        """Make an ordinary ``keras.Model`` with the final activation, equal to `predict`.

        It takes what the coding gives (one-hot sequences, scaled dosages); a regression model
        gives scaled values, as `predict` without `target_scale`.
        """
