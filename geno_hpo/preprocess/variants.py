"""Imputation, scaling, filters and selection of variants, learned from a training part.

A variant that does not vary in the training part (or is rarer than ``min_maf``, called in fewer
samples than ``min_call_rate``, or linked to a better neighbour) cannot be learned from. Without
``select`` its column stays, silent (always 0), so that every fold has the same columns; with
``select`` it is no candidate. Both are counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.preprocess.association import Responses, block_sums, blocks, tested
from geno_hpo.preprocess.components import principal_axes
from geno_hpo.preprocess.linkage import prune

__all__ = ["FittedVariants", "VariantSettings", "fit_variants", "input_width"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


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
        for here in blocks(len(self.columns)):
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


def fit_variants(
    codes: Codes,
    target_values: NDArray[np.float32],
    train_idx: Indices,
    settings: VariantSettings,
    task: str,
) -> FittedVariants:
    """Learn imputation, scaling, filters and selection from the training part.

    The minor allele frequency is that of the called samples; it assumes two alleles a call, or one
    when no training sample holds a dosage of 2. The p-value of a variant is that of the F-test of
    the dosage against the classes (ANOVA) or the trait (correlation), over the samples in which it
    was called; with several outputs the smallest one counts, each over the samples that have the
    label. Linked variants are left out in the order of their p-values with ``select``, else in
    the order of the table.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8 dosages, −1 not called.
    target_values
        ``(samples, outputs)``, NaN where missing; read at `train_idx` alone, for ``select``.
    train_idx
        Samples to learn from.
    settings
        See `VariantSettings`.
    task
        Task of the study; tells classes from traits.

    Raises
    ------
    InputError
        Fewer candidates than ``select``.
    """
    learned = _learn(codes, target_values[train_idx], train_idx, settings, task)
    usable = learned.usable
    linked = 0
    if settings.select is None:
        if settings.prune_r2 is not None:
            kept = _unlinked(codes, train_idx, np.flatnonzero(usable), learned.fill, settings)
            linked = int(usable.sum()) - len(kept)
            usable = np.isin(np.arange(len(usable)), kept)
        columns = np.arange(codes.shape[1])
    else:
        columns = np.sort(_selected(codes, train_idx, learned, settings, settings.select))
    standard = settings.scale == "standard"
    scale = np.where(usable, learned.spread if standard else 1.0, np.inf)
    centred = standard or settings.components is not None
    mean = learned.mean if centred else np.zeros_like(learned.mean)
    fitted = FittedVariants(
        columns=columns.astype(np.int32),
        fill=learned.fill[columns].astype(np.float32),
        mean=mean[columns].astype(np.float32),
        scale=scale[columns].astype(np.float32),
        monomorphic=int((~learned.varies).sum()),
        rare=int((learned.varies & ~learned.common).sum()),
        uncalled=int((learned.varies & learned.common & ~learned.called).sum()),
        linked=linked,
    )
    if settings.components is None:
        return fitted
    return fitted.projected(codes, train_idx, settings.components)


def input_width(variants: int, settings: VariantSettings) -> int:
    """Number of inputs that a model of so many variants gets."""
    return settings.components or min(settings.select or variants, variants)


@dataclass(frozen=True, eq=False)
class _Learned:
    """What one pass over the training part tells of each variant, ``(variants,)``."""

    fill: Floats
    mean: Floats
    spread: Floats
    varies: NDArray[np.bool_]
    common: NDArray[np.bool_]
    called: NDArray[np.bool_]
    p_value: Floats
    f: Floats

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Variants that can be learned from."""
        found: NDArray[np.bool_] = self.varies & self.common & self.called
        return found


def _learn(
    codes: Codes,
    labels: NDArray[np.float32],
    train_idx: Indices,
    settings: VariantSettings,
    task: str,
) -> _Learned:
    """Read the training part once, block by block."""
    variants, samples = codes.shape[1], len(train_idx)
    responses = Responses.of(labels if settings.select is not None else labels[:, :0], task)
    counts, total, squares = (np.empty(variants) for _ in range(3))
    p_value, f = np.ones(variants), np.zeros(variants)
    for here in blocks(variants):
        sums = block_sums(np.asarray(codes[train_idx, here]), responses)
        counts[here], total[here] = sums.called[:, 0], sums.total[:, 0]
        squares[here] = sums.squares[:, 0]
        if settings.select is not None:
            p_value[here], f[here] = tested(sums, responses)
    twos = (squares - total) / 2
    calls = np.maximum(counts, 1)
    if settings.impute == "mode":
        ones = total - 2 * twos
        fill = np.stack([counts - ones - twos, ones, twos]).argmax(axis=0).astype(np.float64)
    else:
        fill = total / calls
    missing = samples - counts
    mean = (total + missing * fill) / samples
    square = (squares + missing * fill**2) / samples
    # Whole numbers decide whether a variant varies, so that no rounding can.
    varies = counts * squares > total**2
    frequency = total / calls / (2 if (twos > 0).any() else 1)
    return _Learned(
        fill=fill,
        mean=mean,
        spread=np.where(varies, np.sqrt(np.maximum(square - mean**2, 0)), 0.0),
        varies=varies,
        common=np.minimum(frequency, 1 - frequency) >= settings.min_maf,
        called=counts >= settings.min_call_rate * samples,
        p_value=p_value,
        f=f,
    )


def _unlinked(
    codes: Codes,
    train_idx: Indices,
    order: Indices,
    fill: Floats,
    settings: VariantSettings,
    keep: int | None = None,
) -> Indices:
    """Candidates that are not linked to a better one; all when nothing is to be pruned."""
    if settings.prune_r2 is None:
        return order[:keep]
    return prune(
        codes,
        train_idx,
        order,
        fill,
        r2=settings.prune_r2,
        window=settings.prune_window,
        keep=keep,
    )


def _selected(
    codes: Codes,
    train_idx: Indices,
    learned: _Learned,
    settings: VariantSettings,
    select: int,
) -> Indices:
    """Columns with the smallest p-values.

    Raises
    ------
    InputError
        There are fewer candidates.
    """
    candidates = np.flatnonzero(learned.usable)
    if len(candidates) < select:
        rules = f"min_maf {settings.min_maf:g}"
        if settings.min_call_rate > 0:
            rules += f" and min_call_rate {settings.min_call_rate:g}"
        raise InputError(
            f"select keeps {select} variants, but only {len(candidates)} of {codes.shape[1]} "
            f"vary in a training part with {rules}"
        )
    order = candidates[np.lexsort((-learned.f[candidates], learned.p_value[candidates]))]
    kept = _unlinked(codes, train_idx, order, learned.fill, settings, select)
    if len(kept) < select:
        raise InputError(
            f"select keeps {select} variants, but only {len(kept)} of {len(candidates)} candidates "
            f"are left with prune_r2 {settings.prune_r2:g} in a training part"
        )
    return kept
