"""One network configuration over all folds, and the winner's final fits.

`NetworkEvaluation` holds what the trials of a study share: the coded data on the device, the
per-fold preprocessing (fitted once a study on each fold's training part) and the engine with its
compiled functions. A configuration that selects variants for itself (``select``) has inputs of its
own width, a `Form`; data and compiled functions stay shared. Sample indices are those of the data
set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.encoding import one_hot
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.form import Form, replica
from geno_hpo.evaluation.inputs import FittedInputs, Inputs
from geno_hpo.evaluation.shape import chosen
from geno_hpo.metrics import METRICS
from geno_hpo.models import ModelShape, Parameters
from geno_hpo.splits import Fold, Split
from geno_hpo.training.precision import layer_policy, set_products
from geno_hpo.training.protocol import (
    Engine,
    EpochReport,
    FitPlan,
    FitResult,
    Weights,
)
from geno_hpo.training.setup import chosen_backend, refuse_windows
from geno_hpo.training.turns import Course, alone

if TYPE_CHECKING:
    from geno_hpo.config import Precision, PreprocessConfig, WindowsSetting
    from geno_hpo.training.checkpoint import Checkpoint
    from geno_hpo.training.coding import Coding
    from geno_hpo.training.engine import TrialEngine
    from geno_hpo.training.probe import Probe
    from geno_hpo.training.windows import Windows
    from geno_hpo.windows import Dictionary, Geometry

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
    most
        Largest number of variants that a search space selects; None if none does.
    windows
        Whether convolutions are computed over distinct windows; see `geno_hpo.training.windows`.
    precision
        With how many digits networks compute; see `geno_hpo.training.precision`.
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
        most: int | None = None,
        windows: WindowsSetting = "auto",
        precision: Precision = "float32",
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.settings = settings
        self.metric = METRICS[metric]
        self._fits = fits or Fits()
        self._inputs = Inputs(
            dataset, split, settings, self._fits, permutation, most, layer_policy(precision)
        )
        self._precision: Precision = precision
        self._setting: WindowsSetting = "never" if precision == "mixed_bfloat16" else windows
        self.labels = self._inputs.labels
        self.shape = self._inputs.shape
        self._forms: dict[int | None, Form] = {}

    def form(self, params: Parameters) -> Form:
        """What a configuration trains on.

        Raises
        ------
        InputError
            It selects variants in a way that the data do not have.
        """
        settings = chosen(self.settings, params, self.dataset)
        if settings.select not in self._forms:
            self._forms[settings.select] = Form(self._inputs, settings, self._engine_for)
        return self._forms[settings.select]

    @cached_property
    def engine(self) -> TrialEngine[Any]:
        """The training engine of the study's own width; engines of others share what it holds.

        Raises
        ------
        InputError
            The study asks for what the backend's engine does not have.
        """
        form = Form(self._inputs, self.settings, self._engine_for)
        given = (form.coding, self.labels, form.shape, self.metric.score)
        weighted = self.settings.class_weight != "none"
        set_products(self._precision)
        if chosen_backend() == "jax":
            from geno_hpo.training.jax import JaxEngine

            refuse_windows(self._setting)
            return JaxEngine(*given, weighted=weighted)
        from geno_hpo.training.tensorflow import TensorFlowEngine

        return TensorFlowEngine(*given, weighted=weighted, windows=self._windows(form))

    def _windows(self, form: Form) -> Windows | None:
        """What computes over distinct windows of sequences; their dictionaries are kept as fits."""
        from geno_hpo.training.one_hot import OneHotCoding
        from geno_hpo.training.windows import Windows

        if not isinstance(form.coding, OneHotCoding):
            return None
        nobody = np.empty(0, dtype=np.intp)

        def kept(geometry: Geometry, build: Callable[[], Dictionary]) -> Dictionary:
            return self._fits.get("windows", nobody, {"geometry": repr(geometry)}, build)

        return Windows(form.coding, form.shape, self._setting, kept)

    def _engine_for(self, coding: Coding, shape: ModelShape) -> Engine:
        return self.engine.reshaped(coding, shape)

    def trial(
        self,
        params: Parameters,
        *,
        epochs: int,
        patience: int | None,
        seed: int,
        report: Callable[[EpochReport], bool],
        folds: Sequence[Fold] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> FitResult:
        """Train one replica a fold in lockstep, on the study's folds or on `folds` instead.

        With a checkpoint, on from where that stands.

        Raises
        ------
        TrialFailed
            The loss left the numbers or memory ran out.
        InputError
            No model can be built from `params`.
        """
        return alone(
            self.course(
                params,
                epochs=epochs,
                patience=patience,
                seed=seed,
                report=report,
                folds=folds,
                checkpoint=checkpoint,
            )
        )

    def course(
        self,
        params: Parameters,
        *,
        epochs: int,
        patience: int | None,
        seed: int,
        report: Callable[[EpochReport], bool],
        folds: Sequence[Fold] | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Course[FitResult]:
        """Give what `trial` does, to be let on turn by turn; see `geno_hpo.training.turns`."""
        form = self.form(params)
        parts = self.split.folds if folds is None else folds
        other = None if folds is None else [fold.train for fold in folds]
        fitted = form.folds if other is None else form.fitted(other)
        found = zip(parts, fitted, form.learned(params, other), strict=True)
        replicas = tuple(
            replica(fold.train, fold.valid, replica_seed(seed, number), inputs, learned)
            for number, (fold, inputs, learned) in enumerate(found)
        )
        plan = FitPlan(
            params=params,
            replicas=replicas,
            epochs=epochs,
            patience=patience,
            maximise=self.metric.maximise,
            checkpoint=checkpoint,
        )
        return (yield from form.engine.course(plan, report))

    def refit(
        self,
        params: Parameters,
        *,
        epochs: int,
        seed: int,
        horizon: int | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> Weights:
        """Train on the whole development part for a number of epochs fixed by the search.

        `horizon`: the epochs a trial of the search may have, which the learning rate's schedule
        spans; None takes `epochs`.
        """
        form = self.form(params)
        nobody = np.empty(0, dtype=np.intp)
        learned = form.learned_finally(params)
        one = replica(self.split.development, nobody, replica_seed(seed, 0), form.final, learned)
        plan = FitPlan(
            params=params,
            replicas=(one,),
            epochs=epochs,
            restore="last",
            horizon=None if horizon is None else max(horizon, epochs),
            checkpoint=checkpoint,
        )
        return form.engine.fit(plan, lambda _: False).weights[0]

    def predict(
        self, params: Parameters, weights: Weights, samples: NDArray[np.intp]
    ) -> NDArray[np.float32]:
        """Predictions of a refitted model, ``(samples, units)``."""
        form = self.form(params)
        inputs = form.final
        return form.engine.predict(params, weights, samples, inputs.constants, inputs.target)

    def export(self, params: Parameters, weights: Weights) -> Any:
        """A refitted model as an ordinary ``keras.Model``.

        It takes plain one-hot sequences ``(batch, length, symbols)``, or scaled dosages.
        """
        from geno_hpo.training.dosages import taking_dosages
        from geno_hpo.training.one_hot import taking_one_hot

        form = self.form(params)
        model = form.engine.export(params, weights)
        if form.axes is not None:
            return taking_dosages(model, form.axes)
        mean = form.final.mean
        return model if mean is None else taking_one_hot(model, mean)

    def gradients(
        self,
        params: Parameters,
        weights: Weights,
        samples: NDArray[np.intp],
        output: int = 0,
        fold: int | None = None,
    ) -> NDArray[np.float32]:
        """Gradients of a refitted model's logit with respect to sequences or scaled dosages.

        With `fold` the weights are those of the trial's network of that fold.
        """
        fitted = self._fitted(params, fold)
        engine = self.form(params).engine
        found = engine.input_gradients(params, weights, samples, fitted.constants, output)
        axes = None if fitted.variants is None else fitted.variants.axes
        return found if axes is None else found @ axes.T

    def _fitted(self, params: Parameters, fold: int | None) -> FittedInputs:
        form = self.form(params)
        return form.final if fold is None else form.folds[fold]

    def probe(self, params: Parameters, weights: Weights | None, *, seed: int = 0) -> Probe:
        """A refitted model as a function of `model_inputs`; without weights an untrained one."""
        from geno_hpo.training.probe import Probe

        form = self.form(params)
        return Probe(params, form.shape, weights, axes=form.axes, seed=seed)

    def model_inputs(self, params: Parameters, codes: NDArray[np.int8]) -> NDArray[np.float32]:
        """What a refitted model is given for rows of codes: one-hot bases or scaled dosages.

        Parameters
        ----------
        params
            The configuration.
        codes
            ``(rows, positions)`` or ``(rows, variants)`` int8: all columns of the data set.

        Returns
        -------
        NDArray
            ``(rows, length, symbols)``, less the training mean where the study centres (0 where a
            base is unknown), or ``(rows, k)`` scaled dosages of the selected variants.
        """
        form = self.form(params)
        if form.final.variants is not None:
            return form.final.variants.scaled(codes)
        plain = one_hot(codes, form.shape.symbols)
        mean = form.final.mean
        if mean is None:
            return plain
        return np.asarray(plain - (codes >= 0)[:, :, None] * mean, dtype=np.float32)

    def predictions(self, params: Parameters, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        """What `predict` makes of a refitted model's logits, ``(rows, units)``."""
        from geno_hpo.training.predictions import activate

        scale, task = self.form(params).final.target, self.dataset.target.task
        values = activate(self.shape.activation, logits)
        return scale.inverse(values) if task == "regression" and scale is not None else values

    def selected_columns(self, params: Parameters, fold: int | None = None) -> NDArray[np.int32]:
        """Columns of the data set that a refitted model sees, or the network of a fold."""
        fitted = self._fitted(params, fold).variants
        return (
            np.arange(self.dataset.features, dtype=np.int32) if fitted is None else fitted.columns
        )

    def variant_inputs(
        self, params: Parameters, samples: NDArray[np.intp], fold: int | None = None
    ) -> NDArray[np.float32] | None:
        """Scaled dosages that a refitted model is given, ``(samples, k)``; None for sequences.

        With `fold` those of the network of that fold.
        """
        fitted = self._fitted(params, fold).variants
        return None if fitted is None else fitted.scaled(self.dataset.codes, samples)

    def score(self, samples: NDArray[np.intp], predictions: NDArray[np.float32]) -> float:
        """The study's score of predictions for these samples."""
        return float(self.metric.score(self.labels[samples], predictions))


def replica_seed(seed: int, number: int) -> int:
    """An independent seed for each replica of a trial."""
    return int(np.random.default_rng([seed, number]).integers(2**31))
