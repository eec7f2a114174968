"""One network configuration over all folds, and the winner's final fits.

`NetworkEvaluation` holds what the trials of a study share: the coded data on the device, the
per-fold preprocessing (fitted once on each fold's training part) and the engine with its compiled
functions. Sample indices are those of the data set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.metrics import METRICS
from geno_hpo.models import ModelShape, Parameters
from geno_hpo.preprocess import (
    FittedVariants,
    TargetScale,
    fit_target,
    fit_variants,
    input_width,
    sequence_mean,
)
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

__all__ = ["NetworkEvaluation", "model_shape"]

GAP = 4


def model_shape(dataset: Dataset, settings: PreprocessConfig) -> ModelShape:
    """What a model of this data set takes in and gives out."""
    if dataset.kind == "sequence":
        symbols = 5 if bool((np.asarray(dataset.codes) == GAP).any()) else 4
        length = dataset.features
    else:
        symbols = 1
        length = input_width(dataset.features, settings)
    return ModelShape(
        kind=dataset.kind,
        length=length,
        symbols=symbols,
        units=dataset.target.units,
        task=dataset.target.task,
    )


@dataclass(frozen=True)
class FittedInputs:
    """What was learned from one training part: variants' scaling, sequences' mean, the trait's."""

    variants: FittedVariants | None
    mean: NDArray[np.float32] | None
    target: TargetScale | None

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """The arrays that the coding needs on the device."""
        if self.variants is not None:
            return self.variants.constants
        return () if self.mean is None else (self.mean,)


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
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        settings: PreprocessConfig,
        metric: str,
        *,
        permutation: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.settings = settings
        self.metric = METRICS[metric]
        self.task = dataset.target.task
        self.labels = (
            dataset.target.values
            if permutation is None
            else permuted(dataset.target.values, split, permutation)
        )
        self.shape = model_shape(dataset, settings)

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
    def _fold_inputs(self) -> list[FittedInputs]:
        return [self._fit_inputs(fold.train) for fold in self.split.folds]

    @cached_property
    def _final_inputs(self) -> FittedInputs:
        return self._fit_inputs(self.split.development)

    def _fit_inputs(self, train: NDArray[np.intp]) -> FittedInputs:
        variants = mean = scale = None
        if self.dataset.kind == "sequence" and self.settings.centre:
            mean = sequence_mean(self.dataset.codes, train, self.shape.symbols)
        if self.dataset.kind == "variants":
            variants = fit_variants(
                self.dataset.codes, self.labels, train, self.settings, self.task
            )
        if self.task == "regression":
            scale = fit_target(self.labels, train, self.task, self.settings.scale_target)
        return FittedInputs(variants, mean, scale)

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
                zip(self.split.folds, self._fold_inputs, strict=True)
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

    def refit(self, params: Parameters, *, epochs: int, seed: int) -> Weights:
        """Train on the whole development part for a number of epochs fixed by the search."""
        inputs = self._final_inputs
        replica = Replica(
            train=self.split.development,
            valid=np.empty(0, dtype=np.intp),
            seed=replica_seed(seed, 0),
            constants=inputs.constants,
            target_scale=inputs.target,
        )
        plan = FitPlan(params=params, replicas=(replica,), epochs=epochs, restore="last")
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


def permuted(values: NDArray[np.float32], split: Split, seed: int) -> NDArray[np.float32]:
    """Labels shuffled over the samples, within the development and the test part each."""
    shuffled = values.copy()
    for number, part in enumerate((split.development, split.test)):
        order = np.random.default_rng([seed, number]).permutation(len(part))
        shuffled[part] = values[part[order]]
    return shuffled
