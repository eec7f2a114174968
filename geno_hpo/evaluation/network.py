"""One network configuration over all folds, and the winner's final fits.

`NetworkEvaluation` holds what the trials of a study share: the coded data on the device, the
per-fold preprocessing (fitted once a study on each fold's training part) and the engine with its
compiled functions. Sample indices are those of the data set.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.inputs import FittedInputs, Inputs
from geno_hpo.metrics import METRICS
from geno_hpo.models import Parameters
from geno_hpo.splits import Split
from geno_hpo.training.protocol import (
    Engine,
    EpochReport,
    FitPlan,
    FitResult,
    Replica,
    Weights,
)

if TYPE_CHECKING:
    from geno_hpo.config import PreprocessConfig
    from geno_hpo.training.coding import Coding

__all__ = ["NetworkEvaluation"]


class NetworkEvaluation:
    """Trains and judges network configurations on one data set and split.

    Parameters
    ----------
    dataset, split
        The samples, and which of them are for what.
    settings
        Preprocessing that is fitted inside each fold.
    metric
        Name of the score.
    permutation
        Seed of a label permutation for the control; None for the real labels.
    fits
        Where the study's fits are kept; by default they live in this process alone.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        settings: PreprocessConfig,
        metric: str,
        *,
        permutation: int | None = None,
        fits: Fits | None = None,
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.settings = settings
        self.metric = METRICS[metric]
        self._inputs = Inputs(dataset, split, settings, fits or Fits(), permutation)
        self.labels = self._inputs.labels
        self.shape = self._inputs.shape

    @cached_property
    def coding(self) -> Coding:
        """How codes become model input."""
        from geno_hpo.training.coding import (
            CentredCoding,
            DosageCoding,
            OneHotCoding,
            ProjectedCoding,
        )

        if self.dataset.kind == "sequence":
            kind = CentredCoding if self.settings.centre else OneHotCoding
            return kind(self.dataset.codes, self.shape.symbols)
        if self.settings.components is None:
            return DosageCoding(self.dataset.codes, self.shape.length)
        features = self.dataset.features
        selected = min(self.settings.select or features, features)
        return ProjectedCoding(self.dataset.codes, selected, self.settings.components)

    @cached_property
    def engine(self) -> Engine:
        """The training engine of this process's Keras backend."""
        from geno_hpo.training.tensorflow import TensorFlowEngine

        return TensorFlowEngine(
            self.coding,
            self.labels,
            self.shape,
            self.metric.score,
        )

    @cached_property
    def fold_inputs(self) -> list[FittedInputs]:
        """What was learned from each fold's training part."""
        return [self._inputs.fit(fold.train) for fold in self.split.folds]

    @cached_property
    def _final_inputs(self) -> FittedInputs:
        return self._inputs.fit(self.split.development)

    def trial(
        self,
        params: Parameters,
        *,
        epochs: int,
        patience: int | None,
        seed: int,
        report: Callable[[EpochReport], bool],
    ) -> FitResult:
        """Train one replica a fold in lockstep.

        Raises
        ------
        TrialFailed
            The loss left the numbers or memory ran out.
        InputError
            No model can be built from `params`.
        """
        replicas = tuple(
            Replica(
                train=fold.train,
                valid=fold.valid,
                seed=replica_seed(seed, number),
                constants=inputs.constants,
                target_scale=inputs.target,
            )
            for number, (fold, inputs) in enumerate(
                zip(self.split.folds, self.fold_inputs, strict=True)
            )
        )
        plan = FitPlan(
            params=params,
            replicas=replicas,
            epochs=epochs,
            patience=patience,
            maximise=self.metric.maximise,
        )
        return self.engine.fit(plan, report)

    def refit(
        self, params: Parameters, *, epochs: int, seed: int, horizon: int | None = None
    ) -> Weights:
        """Train on the whole development part for a number of epochs fixed by the search.

        `horizon`: the epochs a trial of the search may have, which the learning rate's schedule
        spans; None takes `epochs`.
        """
        inputs = self._final_inputs
        replica = Replica(
            train=self.split.development,
            valid=np.empty(0, dtype=np.intp),
            seed=replica_seed(seed, 0),
            constants=inputs.constants,
            target_scale=inputs.target,
        )
        plan = FitPlan(
            params=params,
            replicas=(replica,),
            epochs=epochs,
            restore="last",
            horizon=None if horizon is None else max(horizon, epochs),
        )
        return self.engine.fit(plan, lambda _: False).weights[0]

    def predict(
        self, params: Parameters, weights: Weights, samples: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Predictions of a refitted model, ``(samples, units)``."""
        inputs = self._final_inputs
        return self.engine.predict(params, weights, samples, inputs.constants, inputs.target)

    def export(self, params: Parameters, weights: Weights) -> Any:
        """A refitted model as an ordinary ``keras.Model``.

        It takes plain one-hot sequences ``(batch, length, symbols)``, or scaled dosages.
        """
        from geno_hpo.training.coding import taking_dosages, taking_one_hot

        model = self.engine.export(params, weights)
        if self._axes is not None:
            return taking_dosages(model, self._axes)
        mean = self._final_inputs.mean
        return model if mean is None else taking_one_hot(model, mean)

    def gradients(
        self, params: Parameters, weights: Weights, samples: NDArray[np.intp], output: int = 0
    ) -> NDArray[np.float32]:
        """Gradients of a refitted model's logit with respect to sequences or scaled dosages."""
        found = self.engine.input_gradients(
            params, weights, samples, self._final_inputs.constants, output
        )
        return found if self._axes is None else found @ self._axes.T

    @property
    def _axes(self) -> NDArray[np.float32] | None:
        fitted = self._final_inputs.variants
        return None if fitted is None else fitted.axes

    def selected_columns(self) -> NDArray[np.int32]:
        """Columns of the data set that a refitted model sees."""
        fitted = self._final_inputs.variants
        return (
            np.arange(self.dataset.features, dtype=np.int32) if fitted is None else fitted.columns
        )

    def variant_inputs(self, samples: NDArray[np.intp]) -> NDArray[np.float32] | None:
        """Scaled dosages of a refitted model of variants, ``(samples, k)``; None for sequences."""
        fitted = self._final_inputs.variants
        return None if fitted is None else fitted.scaled(np.asarray(self.dataset.codes[samples]))

    def score(self, samples: NDArray[np.intp], predictions: NDArray[np.float32]) -> float:
        """The study's score of predictions for these samples."""
        return float(self.metric.score(self.labels[samples], predictions))


def replica_seed(seed: int, number: int) -> int:
    """An independent seed for each replica of a trial."""
    return int(np.random.default_rng([seed, number]).integers(2**31))
