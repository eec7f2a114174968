"""From dosages to model inputs: imputation, scaling and selection as a training part taught."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.preprocess.association import blocks
from geno_hpo.preprocess.components import principal_axes

__all__ = ["FittedVariants", "VariantSettings", "input_width"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]


class VariantSettings(Protocol):
    """What a study's ``preprocess`` section says about variants."""

    @property
    def impute(self) -> str:
        """``mean`` or ``mode`` (most frequent dosage) of the training part."""

    @property
    def scale(self) -> str:
        """``standard`` (zero mean, unit variance in the training part) or ``none``."""

    @property
    def select(self) -> int | None:
        """Number of variants with the smallest p-values to keep; None keeps all."""

    @property
    def min_maf(self) -> float:
        """Smallest minor allele frequency in the training part, in [0, 0.5)."""

    @property
    def min_call_rate(self) -> float:
        """Smallest share of called samples in the training part, in [0, 1]."""

    @property
    def prune_r2(self) -> float | None:
        """Squared correlation above which the worse of two neighbours is left out; None: none."""

    @property
    def prune_window(self) -> int:
        """Neighbours on either side that are compared."""

    @property
    def components(self) -> int | None:
        """Number of principal components that become the inputs; None: the variants themselves."""


@dataclass(frozen=True, eq=False)
class FittedVariants:
    """Imputation, scaling and selection as learned from a training part.

    Parameters
    ----------
    columns
        ``(k,)`` int32: the variants kept, ascending.
    fill
        ``(k,)`` float32: the dosage that stands for one not called.
    mean, scale
        ``(k,)`` float32: an input is ``(dosage - mean) / scale``. The scale of a silent column
        is infinite, which makes its input 0.
    axes
        ``(k, components)`` float32: scaled dosages times these are the inputs; None where scaled
        dosages are.
    monomorphic, rare, uncalled, linked
        Number of variants that in the training part do not vary, are below ``min_maf``, are
        called too seldom, or are linked to a better one (each counted once, in this order; linked
        ones are counted where all variants were compared, without ``select``).
    """

    columns: NDArray[np.int32]
    fill: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    monomorphic: int = 0
    rare: int = 0
    uncalled: int = 0
    linked: int = 0
    axes: NDArray[np.float32] | None = None

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """Arrays that make inputs of dosages: columns, fill, mean, scale, and axes if any."""
        axes = () if self.axes is None else (self.axes,)
        return (self.columns, self.fill, self.mean, self.scale, *axes)

    def transform(self, codes: Codes) -> NDArray[np.float32]:
        """Turn dosages into model inputs.

        Parameters
        ----------
        codes
            ``(samples, variants)``, all variants of the dataset.

        Returns
        -------
        ndarray
            ``(samples, k)`` float32, or ``(samples, components)``.
        """
        if self.axes is None:
            return self.scaled(codes)
        inputs = np.zeros((len(codes), self.axes.shape[1]), np.float32)
        for here in blocks(len(self.columns), len(codes)):
            inputs += self.scaled(codes, here) @ self.axes[here]
        return inputs

    def scaled(self, codes: Codes, here: slice = slice(None)) -> NDArray[np.float32]:
        """Scaled dosages ``(samples, k)`` of the kept variants, or of a slice of these."""
        return self._scale(codes[:, self.columns[here]], here)

    def _scale(self, chosen: Codes, here: slice) -> NDArray[np.float32]:
        dosage = chosen.astype(np.float32)
        np.copyto(dosage, self.fill[here], where=chosen < 0)
        dosage -= self.mean[here]
        dosage /= self.scale[here]
        return dosage

    def projected(self, codes: Codes, train_idx: Indices, components: int) -> FittedVariants:
        """The same, with principal components of the training part as inputs.

        Raises
        ------
        InputError
            The training part varies in fewer directions.
        """

        def inputs(here: slice) -> NDArray[np.float32]:
            return self._scale(codes[np.ix_(train_idx, self.columns[here])], here)

        axes = principal_axes(inputs, len(train_idx), len(self.columns), components)
        return replace(self, axes=axes)


def input_width(variants: int, settings: VariantSettings) -> int:
    """Number of inputs that a model of so many variants gets."""
    return settings.components or min(settings.select or variants, variants)
