"""From dosages to model inputs: imputation, scaling and selection as a training part taught.

Only the kept variants of the samples asked for are ever copied, block by block.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.preprocess.association import blocks
from geno_hpo.preprocess.components import principal_axes
from geno_hpo.preprocess.neighbours import Neighbours

__all__ = ["FittedVariants", "VariantSettings", "input_width"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]


class VariantSettings(Protocol):
    """What a study's ``preprocess`` section says about variants."""

    @property
    def impute(self) -> str:
        """``mean`` or ``mode`` (most frequent dosage) of the training part, or ``knn``."""

    @property
    def neighbours(self) -> int:
        """knn: number of the nearest training samples that are averaged."""

    @property
    def neighbour_weights(self) -> str:
        """knn: ``uniform`` or ``distance``."""

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
        ``(k,)`` float32: the dosage that stands for one not called, where no neighbours tell it.
    mean, scale
        ``(k,)`` float32: an input is ``(dosage - mean) / scale``. The scale of a silent column
        is infinite, which makes its input 0.
    axes
        ``(k, components)`` float32: scaled dosages times these are the inputs; None where scaled
        dosages are.
    neighbours
        The training samples that tell dosages not called; None where `fill` does.
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
    neighbours: Neighbours | None = None

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """Arrays that make inputs of dosages: columns, fill, mean, scale, and axes if any.

        They do so where no neighbours fill in: these tell each sample its own dosages.
        """
        axes = () if self.axes is None else (self.axes,)
        return (self.columns, self.fill, self.mean, self.scale, *axes)

    def transform(self, codes: Codes, samples: Indices | None = None) -> NDArray[np.float32]:
        """Turn dosages into model inputs.

        Parameters
        ----------
        codes
            ``(all samples, variants)``, all variants of the dataset.
        samples
            Rows to turn; None for all.

        Returns
        -------
        ndarray
            ``(samples, k)`` float32, or ``(samples, components)``.
        """
        if self.axes is None:
            return self.scaled(codes, samples)
        axes = self.axes
        if self.neighbours is not None:
            return self.scaled(codes, samples) @ axes
        inputs = np.zeros((_count(codes, samples), axes.shape[1]), np.float32)
        for here in blocks(len(self.columns), len(inputs)):
            inputs += self._scale(self._filled(codes, samples, here), here) @ axes[here]
        return inputs

    def scaled(self, codes: Codes, samples: Indices | None = None) -> NDArray[np.float32]:
        """Scaled dosages ``(samples, k)`` of the kept variants; see `transform`."""
        if self.neighbours is not None:
            dosage = self.neighbours.impute(self._kept(codes, samples, slice(None)))
            return self._scale(dosage, slice(None))
        scaled = np.empty((_count(codes, samples), len(self.columns)), np.float32)
        for here in blocks(len(self.columns), len(scaled)):
            scaled[:, here] = self._scale(self._filled(codes, samples, here), here)
        return scaled

    def _kept(self, codes: Codes, samples: Indices | None, here: slice) -> Codes:
        """Copy these of the kept variants, and nothing else."""
        columns = self.columns[here]
        rows = slice(None) if samples is None else samples
        if len(columns) and columns[-1] - columns[0] + 1 == len(columns):
            return np.asarray(codes[rows, columns[0] : columns[-1] + 1])
        if samples is None:
            return np.asarray(codes[:, columns])
        return np.asarray(codes[np.ix_(samples, columns)])

    def _filled(self, codes: Codes, samples: Indices | None, here: slice) -> NDArray[np.float32]:
        chosen = self._kept(codes, samples, here)
        dosage = chosen.astype(np.float32)
        np.copyto(dosage, self.fill[here], where=chosen < 0)
        return dosage

    def _scale(self, dosage: NDArray[np.float32], here: slice) -> NDArray[np.float32]:
        dosage -= self.mean[here]
        dosage /= self.scale[here]
        return dosage

    def neighbouring(
        self, codes: Codes, train_idx: Indices, settings: VariantSettings
    ) -> FittedVariants:
        """The same, with missing dosages told by the nearest samples of the training part.

        Silent columns tell no distance. Mean and scale become those of the imputed training part.

        Raises
        ------
        InputError
            Not fewer neighbours than training samples.
        """
        donors = self._kept(codes, train_idx, slice(None)).copy()
        heard = np.isfinite(self.scale)
        donors[:, ~heard] = -1
        found = Neighbours(donors, self.fill, settings.neighbours, settings.neighbour_weights)
        dosage = found.impute(donors)
        mean, spread = dosage.mean(axis=0, dtype=np.float64), dosage.std(axis=0, dtype=np.float64)
        standard = settings.scale == "standard"
        centred = standard or settings.components is not None
        return replace(
            self,
            mean=np.where(heard & centred, mean, self.mean).astype(np.float32),
            scale=np.where(heard & standard, spread, self.scale).astype(np.float32),
            neighbours=found,
        )

    def projected(self, codes: Codes, train_idx: Indices, components: int) -> FittedVariants:
        """The same, with principal components of the training part as inputs.

        Raises
        ------
        InputError
            The training part varies in fewer directions.
        """
        whole = None if self.neighbours is None else self.scaled(codes, train_idx)

        def inputs(here: slice) -> NDArray[np.float32]:
            if whole is not None:
                return whole[:, here]
            return self._scale(self._filled(codes, train_idx, here), here)

        axes = principal_axes(inputs, len(train_idx), len(self.columns), components)
        return replace(self, axes=axes)


def _count(codes: Codes, samples: Indices | None) -> int:
    return len(codes) if samples is None else len(samples)


def input_width(variants: int, settings: VariantSettings) -> int:
    """Number of inputs that a model of so many variants gets."""
    return settings.components or min(settings.select or variants, variants)
