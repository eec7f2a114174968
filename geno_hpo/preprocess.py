"""What is learned from the training part before a model sees the samples.

Nothing here looks at a sample outside the training indices it is given.

- `FittedVariants`: dosages ``(samples, variants)`` int8, −1 not called → standardised float32
  ``(samples, k)``. A variant that does not vary in the training part (or is rarer than
  ``min_maf`` there) cannot be learned from. Without ``select`` its column stays, silent (always
  0), so that every fold has the same columns; with ``select`` it is no candidate. Both are
  counted.
- `SiteFeatures`: sequence codes ``(samples, positions)`` → binary ``(samples, features)`` uint8,
  for the baselines; networks read the codes themselves.
- `TargetScale`: traits ``(samples, outputs)`` ↔ zero mean, unit variance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError

__all__ = [
    "FittedVariants",
    "SiteFeatures",
    "TargetScale",
    "VariantSettings",
    "fit_target",
    "fit_variants",
    "sequence_features",
    "sequence_mean",
]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

# Variants held as float64 at once, so that a million variants need little memory.
BLOCK = 4096


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
    monomorphic, rare
        Number of variants without variation, and below ``min_maf``, in the training part.
    """

    columns: NDArray[np.int32]
    fill: NDArray[np.float32]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    monomorphic: int = 0
    rare: int = 0

    def transform(self, codes: Codes) -> NDArray[np.float32]:
        """Turn dosages into model inputs.

        Parameters
        ----------
        codes
            ``(samples, variants)``, all variants of the dataset.

        Returns
        -------
        ndarray
            ``(samples, k)`` float32.
        """
        chosen = codes[:, self.columns]
        dosage = chosen.astype(np.float32)
        np.copyto(dosage, self.fill, where=chosen < 0)
        dosage -= self.mean
        dosage /= self.scale
        return dosage


def fit_variants(
    codes: Codes,
    target_values: NDArray[np.float32],
    train_idx: Indices,
    settings: VariantSettings,
    task: str,
) -> FittedVariants:
    """Learn imputation, scaling and selection from the training part.

    The minor allele frequency assumes two alleles a call, or one when no training sample holds a
    dosage of 2. The p-value of a variant is that of the F-test of imputed dosage against the
    classes (ANOVA) or the trait (correlation); with several outputs the smallest one counts, each
    over the samples that have the label.

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
    variants = codes.shape[1]
    fill, mean, spread = (np.empty(variants) for _ in range(3))
    statistics = np.empty((2, variants))
    top = max(int(codes[train_idx, start : start + BLOCK].max()) for start in _blocks(variants))
    labels = target_values[train_idx]
    for start in _blocks(variants):
        here = slice(start, min(start + BLOCK, variants))
        dosage, fill[here] = _imputed(codes[train_idx, here], settings.impute)
        mean[here] = dosage.mean(axis=0)
        spread[here] = np.where(np.ptp(dosage, axis=0) > 0, dosage.std(axis=0), 0.0)
        if settings.select is not None:
            statistics[:, here] = _smallest_p(dosage, labels, task)
    frequency = mean / max(top, 1)
    varies = spread > 0
    common = np.minimum(frequency, 1 - frequency) >= settings.min_maf
    usable = varies & common
    if settings.select is None:
        columns = np.arange(variants)
    else:
        candidates = np.flatnonzero(usable)
        if len(candidates) < settings.select:
            raise InputError(
                f"select keeps {settings.select} variants, but only {len(candidates)} of "
                f"{variants} vary in a training part with min_maf {settings.min_maf:g}"
            )
        p, f = statistics[:, candidates]
        columns = np.sort(candidates[np.lexsort((-f, p))[: settings.select]])
    standard = settings.scale == "standard"
    scale = np.where(usable, spread if standard else 1.0, np.inf)
    return FittedVariants(
        columns=columns.astype(np.int32),
        fill=fill[columns].astype(np.float32),
        mean=(mean if standard else np.zeros(variants))[columns].astype(np.float32),
        scale=scale[columns].astype(np.float32),
        monomorphic=int((~varies).sum()),
        rare=int((varies & ~common).sum()),
    )


def _blocks(variants: int) -> range:
    return range(0, variants, BLOCK)


def _imputed(codes: Codes, how: str) -> tuple[Floats, Floats]:
    """Dosages with the missing filled in ``(samples, variants)``, and the fill ``(variants,)``.

    A variant without any call is filled with 0.
    """
    missing = codes < 0
    if how == "mode":
        tallies = np.stack([(codes == dosage).sum(axis=0) for dosage in range(3)])
        fill = tallies.argmax(axis=0).astype(np.float64)
    else:
        called = codes.shape[0] - missing.sum(axis=0)
        total = np.where(missing, 0, codes).sum(axis=0, dtype=np.float64)
        fill = total / np.maximum(called, 1)
    return np.where(missing, fill, codes).astype(np.float64), fill


def _smallest_p(dosage: Floats, labels: NDArray[np.float32], task: str) -> Floats:
    """Smallest p-value over the outputs and the largest F, ``(2, variants)``."""
    from scipy.special import fdtrc

    smallest, largest = np.ones(dosage.shape[1]), np.zeros(dosage.shape[1])
    for column in labels.T:
        known = ~np.isnan(column)
        x, y = dosage[known], column[known].astype(np.float64)
        x = x - x.mean(axis=0)
        total = (x**2).sum(axis=0)
        if task == "regression":
            y = y - y.mean()
            between, groups = (x.T @ y) ** 2 / max(float(y @ y), np.finfo(float).tiny), 2
        else:
            classes = y[:, None] == np.unique(y)
            between, groups = (x.T @ classes) ** 2 @ (1 / classes.sum(axis=0)), classes.shape[1]
        free = len(y) - groups
        if groups < 2 or free < 1:
            continue
        within = np.maximum(total - between, 0)
        f = np.full_like(total, np.inf)
        np.divide(between / (groups - 1), within / free, out=f, where=within > 1e-12 * total)
        f[total <= 1e-12 * len(y)] = 0  # no variation among the samples that have this label
        smallest = np.minimum(smallest, fdtrc(groups - 1, free, f))
        largest = np.maximum(largest, f)
    return np.stack([smallest, largest])


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Zero mean and unit variance for traits; the identity for labels.

    Parameters
    ----------
    mean, scale
        ``(outputs,)`` float32.
    """

    mean: NDArray[np.float32]
    scale: NDArray[np.float32]

    def forward(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Original units → scaled, ``(samples, outputs)``."""
        return ((values - self.mean) / self.scale).astype(np.float32)

    def inverse(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Scaled → original units, ``(samples, outputs)``."""
        return (values * self.scale + self.mean).astype(np.float32)


def fit_target(
    values: NDArray[np.float32], train_idx: Indices, task: str, enabled: bool = True
) -> TargetScale:
    """Learn the scale of each trait from the training part; other tasks get the identity."""
    outputs = values.shape[1]
    if task != "regression" or not enabled:
        return TargetScale(np.zeros(outputs, np.float32), np.ones(outputs, np.float32))
    train = values[train_idx].astype(np.float64)
    spread = np.nanstd(train, axis=0)
    return TargetScale(
        np.nanmean(train, axis=0).astype(np.float32),
        np.where(spread > 0, spread, 1.0).astype(np.float32),
    )


def sequence_mean(codes: Codes, train_idx: Indices, symbols: int) -> NDArray[np.float32]:
    """Share of each symbol at each position of the training part, unknown bases left out.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8, −1 unknown.
    train_idx
        Samples to learn from.
    symbols
        4 (A C G T) or 5 (with gaps).

    Returns
    -------
    ndarray
        ``(positions, symbols)`` float32; 0 where no training sample is known.
    """
    train = np.asarray(codes[train_idx])
    counts = np.stack([(train == symbol).sum(axis=0) for symbol in range(symbols)], axis=1)
    known = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mean: NDArray[np.float32] = (counts / known).astype(np.float32)
    return mean


@dataclass(frozen=True, eq=False)
class SiteFeatures:
    """Which symbol at which position makes a feature.

    Parameters
    ----------
    columns
        ``(features,)`` int32 positions.
    symbols
        ``(features,)`` int8 codes, 0 to 4.
    merged
        Number of features left out because another one is 1 in the same training samples.
    """

    columns: NDArray[np.int32]
    symbols: NDArray[np.int8]
    merged: int = 0

    def transform(self, codes: Codes) -> NDArray[np.uint8]:
        """Turn codes ``(samples, positions)`` into ``(samples, features)`` 0/1; unknown is 0."""
        return np.equal(codes[:, self.columns], self.symbols).view(np.uint8)


def sequence_features(codes: Codes, train_idx: Indices) -> SiteFeatures:
    """One feature for each symbol beside the most frequent one, at each position that varies.

    Both are judged in the training part; ties go to the lower code. Features that are 1 in the
    same training samples are one feature, the first of them.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8, −1 unknown.
    train_idx
        Samples to learn from.

    Raises
    ------
    InputError
        No position varies.
    """
    train = np.ascontiguousarray(codes[train_idx].T)
    tallies = np.stack([(train == symbol).sum(axis=1) for symbol in range(5)], axis=1)
    present = tallies > 0
    present[np.arange(len(train)), tallies.argmax(axis=1)] = False
    columns, symbols = (part.astype(np.intp) for part in np.nonzero(present))
    if len(columns) == 0:
        raise InputError(
            f"none of the {codes.shape[1]} positions varies among {len(train_idx)} training samples"
        )
    bits = np.packbits(train[columns] == symbols[:, None], axis=1)
    whole = bits.view([("", np.void, bits.shape[1])]).ravel()
    _, first = np.unique(whole, return_index=True)
    first.sort()
    return SiteFeatures(
        columns[first].astype(np.int32), symbols[first].astype(np.int8), len(columns) - len(first)
    )
