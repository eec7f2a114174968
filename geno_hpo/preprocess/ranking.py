"""Imputation, scaling, filters and the ranking of variants, learned from training parts.

A variant that does not vary in the training part (or is rarer than ``min_maf``, called in fewer
samples than ``min_call_rate``, or linked to a better neighbour) cannot be learned from. Without
``select`` its column stays, silent (always 0), so that every fold has the same columns; with
``select`` it is no candidate. Both are counted.

The ranking of a training part is kept whole, so that any number of best variants is a prefix of it.
Memory: some 40 bytes a variant and training part, and a bounded block of dosages a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.preprocess.association import BlockSums, Responses, tested
from geno_hpo.preprocess.cells import Cells, passes
from geno_hpo.preprocess.linkage import prune
from geno_hpo.preprocess.variants import FittedVariants, VariantSettings

__all__ = ["RankedVariants", "fit_variants", "rank_variants"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class RankedVariants:
    """What a training part tells of every variant, ``(variants,)`` each.

    Parameters
    ----------
    fill
        Dosage that stands for one not called.
    mean, spread
        Mean and standard deviation of the filled dosages.
    usable
        Variants that can be learned from.
    order
        ``(candidates,)`` int32: usable variants that are not linked to a better one, best first;
        perhaps the first ones only. None where variants are not selected.
    p_value, f
        Test of each variant, with several outputs the smallest p; 1 and 0 where it cannot be
        tested. None where variants are not selected.
    monomorphic, rare, uncalled, linked
        See `FittedVariants`.
    candidates
        Number of usable variants before linked ones were left out.
    """

    fill: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    usable: NDArray[np.bool_]
    monomorphic: int
    rare: int
    uncalled: int
    candidates: int
    linked: int = 0
    order: NDArray[np.int32] | None = None
    p_value: Floats | None = None
    f: Floats | None = None

    def fitted(self, settings: VariantSettings) -> FittedVariants:
        """Scaling of the ``select`` best variants, or of all; without neighbours and components.

        Raises
        ------
        InputError
            There are fewer candidates.
        """
        columns = np.arange(len(self.fill))
        if settings.select is not None:
            columns = np.sort(self._best(settings.select, settings))
        standard = settings.scale == "standard"
        spread = self.spread[columns] if standard else np.float32(1)
        centred = standard or settings.components is not None
        mean = self.mean[columns]
        return FittedVariants(
            columns=columns.astype(np.int32),
            fill=self.fill[columns],
            mean=mean if centred else np.zeros_like(mean),
            scale=np.where(self.usable[columns], spread, np.inf).astype(np.float32),
            monomorphic=self.monomorphic,
            rare=self.rare,
            uncalled=self.uncalled,
            linked=self.linked,
        )

    def _best(self, select: int, settings: VariantSettings) -> NDArray[np.int32]:
        if self.candidates < select:
            rules = f"min_maf {settings.min_maf:g}"
            if settings.min_call_rate > 0:
                rules += f" and min_call_rate {settings.min_call_rate:g}"
            raise InputError(
                f"select keeps {select} variants, but only {self.candidates} of {len(self.fill)} "
                f"vary in a training part with {rules}"
            )
        order = np.empty(0, np.int32) if self.order is None else self.order
        if len(order) < select:
            raise InputError(
                f"select keeps {select} variants, but only {len(order)} of {self.candidates} "
                f"candidates are left with prune_r2 {settings.prune_r2:g} in a training part"
            )
        return order[:select]


def rank_variants(
    codes: Codes,
    target_values: NDArray[np.float32],
    parts: Sequence[Indices],
    settings: VariantSettings,
    task: str,
    *,
    most: int | None,
    threads: int = 1,
) -> list[RankedVariants]:
    """Learn imputation, scaling, filters and ranking from several training parts at once.

    The minor allele frequency is that of the called samples; it assumes two alleles a call, or one
    when no training sample holds a dosage of 2. The p-value of a variant is that of the F-test of
    the dosage against the classes (ANOVA) or the trait (correlation), over the samples in which it
    was called; with several outputs the smallest one counts, each over the samples that have the
    label. Linked variants are left out in the order of their p-values, or of the table where
    variants are not selected.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8 dosages, −1 not called.
    target_values
        ``(samples, outputs)``, NaN where missing; read at `parts` alone, and for a ranking alone.
    parts
        Samples to learn from, one array a training part; none is changed by what lies outside it.
    settings
        See `VariantSettings`; ``select`` and ``components`` are not read.
    task
        Task of the study; tells classes from traits.
    most
        Largest number of variants that will be selected; None selects none.
    threads
        Blocks of variants (and training parts to prune) that are worked on at once.
    """
    from threadpoolctl import threadpool_limits

    found: dict[int, RankedVariants] = {}
    with threadpool_limits(1), ThreadPoolExecutor(threads) as pool:
        for numbers in passes(parts, len(codes)):
            together = [parts[i] for i in numbers]
            counts = _counted(codes, target_values, together, task, most is not None, pool)
            ranked = pool.map(
                lambda part, own: _ranked(codes, part, own, settings, most), together, counts
            )
            found |= zip(numbers, ranked, strict=True)
    return [found[i] for i in range(len(parts))]


def fit_variants(
    codes: Codes,
    target_values: NDArray[np.float32],
    train_idx: Indices,
    settings: VariantSettings,
    task: str,
) -> FittedVariants:
    """Learn everything from one training part; see `rank_variants`.

    Raises
    ------
    InputError
        Fewer candidates than ``select``, directions than ``components``, or samples than
        ``neighbours``.
    """
    (ranked,) = rank_variants(
        codes, target_values, [train_idx], settings, task, most=settings.select
    )
    fitted = ranked.fitted(settings)
    if settings.impute == "knn":
        fitted = fitted.neighbouring(codes, train_idx, settings)
    if settings.components is None:
        return fitted
    return fitted.projected(codes, train_idx, settings.components)


@dataclass(frozen=True, eq=False)
class _Counts:
    """Sums over a training part of every variant, ``(variants,)`` each."""

    called: Floats
    total: Floats
    squares: Floats
    p_value: Floats | None
    f: Floats | None


def _counted(
    codes: Codes,
    labels: NDArray[np.float32],
    parts: Sequence[Indices],
    task: str,
    testing: bool,
    pool: ThreadPoolExecutor,
) -> list[_Counts]:
    """Read the parts' samples once, block by block."""
    variants = codes.shape[1]
    cells = Cells.of(parts, len(codes))
    known = labels[cells.samples] if testing else np.zeros((len(cells.samples), 0), np.float32)
    responses = Responses.of(known, task)
    whole = np.zeros((len(parts), 5 if testing else 3, variants))
    width = cells.width(responses.weights.shape[1])

    def count(start: int) -> None:
        here = slice(start, min(start + width, variants))
        for held, sums in zip(whole, cells.sums(codes, here, responses), strict=True):
            held[:, here] = _first(sums) + (tested(sums, responses) if testing else ())

    list(pool.map(count, range(0, variants, width)))
    return [_Counts(*part[:3], *(part[3:] if testing else (None, None))) for part in whole]


def _first(sums: BlockSums) -> tuple[Floats, Floats, Floats]:
    """Calls, dosages and their squares, over all samples of a part."""
    return sums.called[:, 0], sums.total[:, 0], sums.squares[:, 0]


def _ranked(
    codes: Codes,
    train_idx: Indices,
    counts: _Counts,
    settings: VariantSettings,
    most: int | None,
) -> RankedVariants:
    """What the sums over a training part say."""
    samples = len(train_idx)
    called, total, squares = counts.called, counts.total, counts.squares
    twos = (squares - total) / 2
    calls = np.maximum(called, 1)
    if settings.impute == "mode":
        ones = total - 2 * twos
        fill = np.stack([called - ones - twos, ones, twos]).argmax(axis=0).astype(np.float64)
    else:
        fill = total / calls
    missing = samples - called
    mean = (total + missing * fill) / samples
    square = (squares + missing * fill**2) / samples
    # Whole numbers decide whether a variant varies, so that no rounding can.
    varies = called * squares > total**2
    frequency = total / calls / (2 if (twos > 0).any() else 1)
    common = np.minimum(frequency, 1 - frequency) >= settings.min_maf
    often = called >= settings.min_call_rate * samples
    usable = varies & common & often
    candidates = np.flatnonzero(usable)
    linked, order = 0, None
    if counts.p_value is not None and counts.f is not None:
        best = np.lexsort((-counts.f[candidates], counts.p_value[candidates]))
        order = _unlinked(codes, train_idx, candidates[best], fill, settings, most)
    elif settings.prune_r2 is not None:
        kept = _unlinked(codes, train_idx, candidates, fill, settings, None)
        linked = len(candidates) - len(kept)
        usable = np.isin(np.arange(len(usable)), kept)
    return RankedVariants(
        fill=fill.astype(np.float32),
        mean=mean.astype(np.float32),
        spread=np.where(varies, np.sqrt(np.maximum(square - mean**2, 0)), 0).astype(np.float32),
        usable=usable,
        monomorphic=int((~varies).sum()),
        rare=int((varies & ~common).sum()),
        uncalled=int((varies & common & ~often).sum()),
        candidates=len(candidates),
        linked=linked,
        order=None if order is None else order.astype(np.int32),
        p_value=counts.p_value,
        f=counts.f,
    )


def _unlinked(
    codes: Codes,
    train_idx: Indices,
    order: Indices,
    fill: Floats,
    settings: VariantSettings,
    keep: int | None,
) -> Indices:
    """Candidates that are not linked to a better one; all when nothing is to be pruned."""
    if settings.prune_r2 is None:
        return order
    return prune(
        codes,
        train_idx,
        order,
        fill,
        r2=settings.prune_r2,
        window=settings.prune_window,
        keep=keep,
    )
