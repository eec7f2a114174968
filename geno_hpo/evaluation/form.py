"""What the configurations of one input width train on: folds' inputs, coding and engine.

The width is the data set's own, or that of a configuration that selects variants for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geno_hpo.evaluation.inputs import FittedInputs, Inputs
from geno_hpo.evaluation.shape import learns, shaped
from geno_hpo.training.protocol import Engine, Replica

if TYPE_CHECKING:
    from geno_hpo.config import PreprocessConfig
    from geno_hpo.models import ModelShape, Parameters
    from geno_hpo.training.coding import Coding

__all__ = ["Form", "replica"]

Learned = dict[str, NDArray[np.float32]]
"""Weights by name that are learned from a training part and not trained."""


class Form:
    """Inputs of every fold, and the engine that trains on them.

    Parameters
    ----------
    inputs
        Fits the preprocessing.
    settings
        The study's, or those of configurations that select for themselves.
    engine
        Makes the engine of a coding and a shape.
    """

    def __init__(
        self,
        inputs: Inputs,
        settings: PreprocessConfig,
        engine: Callable[[Coding, ModelShape], Engine],
    ) -> None:
        self._inputs = inputs
        self._settings = settings
        self._engine = engine
        self.shape = shaped(inputs.shape, settings, inputs.dataset)

    @cached_property
    def coding(self) -> Coding:
        """How codes become model input."""
        from geno_hpo.training.dosages import DosageCoding, ImputedCoding, ProjectedCoding
        from geno_hpo.training.one_hot import CentredCoding, OneHotCoding

        dataset, settings = self._inputs.dataset, self._settings
        if dataset.kind == "sequence":
            kind = CentredCoding if settings.centre else OneHotCoding
            return kind(dataset.codes, self.shape.symbols)
        if settings.impute == "knn":
            return ImputedCoding(dataset.codes, self.shape.length)
        if settings.components is None:
            return DosageCoding(dataset.codes, self.shape.length)
        selected = min(settings.select or dataset.features, dataset.features)
        return ProjectedCoding(dataset.codes, selected, settings.components)

    @cached_property
    def engine(self) -> Engine:
        """The training engine of this process's Keras backend."""
        return self._engine(self.coding, self.shape)

    @cached_property
    def folds(self) -> list[FittedInputs]:
        """What was learned from each fold's training part."""
        return self.fitted([fold.train for fold in self._inputs.split.folds])

    def fitted(self, parts: Sequence[NDArray[np.intp]]) -> list[FittedInputs]:
        """What is learned from training parts."""
        return self._inputs.fit_all(parts, settings=self._settings)

    @cached_property
    def final(self) -> FittedInputs:
        """What was learned from the whole development part."""
        return self._inputs.fit(self._inputs.split.development, self._settings)

    def learned(
        self, params: Parameters, parts: Sequence[NDArray[np.intp]] | None = None
    ) -> list[Learned]:
        """Weights that a configuration's family takes from training parts; None: the folds'."""
        if "histograms" not in learns(params):
            return [{}] * len(self.folds if parts is None else parts)
        return self._fold_histograms if parts is None else self._histograms(parts)

    def learned_finally(self, params: Parameters) -> Learned:
        """The same of the whole development part."""
        return self._final_histograms if "histograms" in learns(params) else {}

    def _histograms(self, parts: Sequence[NDArray[np.intp]]) -> list[Learned]:
        return [{"histograms": one} for one in self._inputs.histograms(parts, self._settings)]

    @cached_property
    def _fold_histograms(self) -> list[Learned]:
        return self._histograms([fold.train for fold in self._inputs.split.folds])

    @cached_property
    def _final_histograms(self) -> Learned:
        return self._histograms([self._inputs.split.development])[0]

    @property
    def axes(self) -> NDArray[np.float32] | None:
        """Axes ``(k, components)`` of the final fit's components, if components are the inputs."""
        fitted = self.final.variants
        return None if fitted is None else fitted.axes


def replica(
    train: NDArray[np.intp],
    valid: NDArray[np.intp],
    seed: int,
    inputs: FittedInputs,
    learned: Learned,
) -> Replica:
    """One training on what was learned from its training part."""
    return Replica(
        train=train,
        valid=valid,
        seed=seed,
        constants=inputs.constants,
        target_scale=inputs.target,
        class_weights=inputs.weights,
        learned=learned,
    )
