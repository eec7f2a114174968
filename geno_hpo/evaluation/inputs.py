"""What a network's inputs need of a training part: fitted with NumPy alone, before TensorFlow."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.evaluation.fits import Fits
from geno_hpo.models import ModelShape
from geno_hpo.preprocess import (
    FittedVariants,
    TargetScale,
    fit_target,
    fit_variants,
    input_width,
    sequence_mean,
)
from geno_hpo.splits import Split

if TYPE_CHECKING:
    from geno_hpo.config import PreprocessConfig

__all__ = ["FittedInputs", "Inputs", "model_shape", "permuted"]

GAP = 4


def model_shape(dataset: Dataset, settings: PreprocessConfig) -> ModelShape:
    """What a model of this data set takes in and gives out."""
    if dataset.kind == "sequence":
        symbols = 5 if int(dataset.codes.max()) >= GAP else 4
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


def permuted(values: NDArray[np.float32], split: Split, seed: int) -> NDArray[np.float32]:
    """Labels shuffled over the samples, within the development and the test part each."""
    shuffled = values.copy()
    for number, part in enumerate((split.development, split.test)):
        order = np.random.default_rng([seed, number]).permutation(len(part))
        shuffled[part] = values[part[order]]
    return shuffled


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


class Inputs:
    """Fits preprocessing to training parts of one data set, or reads what was fitted before.

    Parameters
    ----------
    dataset
        The samples.
    settings
        What is fitted.
    fits
        Where fits are kept.
    split, permutation
        For the control: labels are permuted within the split's parts from this seed; None leaves
        them as they are.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        settings: PreprocessConfig,
        fits: Fits,
        permutation: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.settings = settings
        self.fits = fits
        self.permutation = permutation
        self.task = dataset.target.task
        self.shape = model_shape(dataset, settings)
        values = dataset.target.values
        self.labels = values if permutation is None else permuted(values, split, permutation)

    def fit(self, train: NDArray[np.intp]) -> FittedInputs:
        """What the network needs of this training part."""
        mean = scale = None
        sequence = self.dataset.kind == "sequence"
        if sequence and self.settings.centre:
            mean = self.fits.get(
                "mean",
                train,
                {"symbols": self.shape.symbols},
                lambda: sequence_mean(self.dataset.codes, train, self.shape.symbols),
            )
        if self.task == "regression":
            scale = fit_target(self.labels, train, self.task, self.settings.scale_target)
        return FittedInputs(None if sequence else self.variants(train), mean, scale)

    def fit_all(self, parts: Iterable[NDArray[np.intp]], threads: int) -> None:
        """Fit several training parts side by side, so that others find them."""
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(self.fit, parts):
                pass

    def variants(self, train: NDArray[np.intp]) -> FittedVariants:
        """Imputation, scaling and selection; what looks at no label is the control's too."""
        return self.fits.get(
            "variants",
            train,
            self.depends,
            lambda: fit_variants(self.dataset.codes, self.labels, train, self.settings, self.task),
        )

    @property
    def depends(self) -> dict[str, Any]:
        """What a fit to variants depends on, beside data and samples."""
        settings = self.settings.model_dump(mode="json")
        looks = self.settings.select is not None
        return {"settings": settings, "permutation": self.permutation if looks else None}
