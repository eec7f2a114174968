"""What a network's inputs need of a training part: fitted with NumPy alone, before TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.evaluation.fits import IMPUTED, Fits
from geno_hpo.evaluation.permuted import permuted
from geno_hpo.evaluation.shape import model_shape
from geno_hpo.models.shape import Policy
from geno_hpo.preprocess import (
    FittedVariants,
    RankedVariants,
    TargetScale,
    class_weights,
    fit_target,
    genotype_histograms,
    input_width,
    rank_variants,
    sequence_mean,
)
from geno_hpo.splits import Split

if TYPE_CHECKING:
    from geno_hpo.config import PreprocessConfig

__all__ = ["FittedInputs", "Inputs"]

MOST_IMPUTED = 2**29
"""Bytes that the inputs of all samples may take where neighbours fill them in: every fold has
its own, and networks hold them as they are."""


@dataclass(frozen=True)
class FittedInputs:
    """What was learned from one training part.

    Parameters
    ----------
    variants, mean
        Variants' scaling, or sequences' mean.
    target
        The trait's scaling.
    weights
        ``(outputs, classes)`` weights of the classes, where they are balanced.
    whole
        ``(all samples, width)`` inputs themselves, where neighbours tell missing dosages.
    """

    variants: FittedVariants | None
    mean: NDArray[np.float32] | None
    target: TargetScale | None
    weights: NDArray[np.float32] | None = None
    whole: NDArray[np.float32] | None = None

    @property
    def constants(self) -> tuple[NDArray[Any], ...]:
        """The arrays that the coding needs on the device."""
        if self.whole is not None:
            return (self.whole,)
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
    most
        Largest number of variants that a search space selects; None if none does.
    policy
        Keras's dtype policy of hidden layers.

    Raises
    ------
    InputError
        Classes of a trait are to be balanced.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        settings: PreprocessConfig,
        fits: Fits,
        permutation: int | None = None,
        most: int | None = None,
        policy: Policy = "float32",
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.settings = settings
        self.fits = fits
        self.permutation = permutation
        self.most = most
        self.task = dataset.target.task
        if self.task == "regression" and settings.class_weight != "none":
            raise InputError(
                f"preprocess.class_weight belongs to classes, got {settings.class_weight} with a "
                "regression"
            )
        self.shape = replace(model_shape(dataset, settings), policy=policy)
        values = dataset.target.values
        self.labels = values if permutation is None else permuted(values, split, permutation)

    def fit(
        self, train: NDArray[np.intp], settings: PreprocessConfig | None = None
    ) -> FittedInputs:
        """What the network needs of this training part; `settings` as in `fit_all`."""
        return self.fit_all([train], settings=settings)[0]

    def fit_all(
        self,
        parts: Sequence[NDArray[np.intp]],
        threads: int = 1,
        settings: PreprocessConfig | None = None,
    ) -> list[FittedInputs]:
        """What the network needs of several training parts, learned in one pass over the data.

        `settings`: those of a configuration (see `chosen`); None takes the study's.
        """
        own = settings or self.settings
        if self.dataset.kind == "sequence":
            with ThreadPoolExecutor(threads) as pool:
                means = list(pool.map(self._mean, parts)) if own.centre else [None] * len(parts)
            return [
                self._inputs(train, None, mean) for train, mean in zip(parts, means, strict=True)
            ]
        found = list(zip(parts, self.variants(parts, own, threads), strict=True))
        fitted = [self._inputs(train, one, None) for train, one in found]
        if own.impute != "knn":
            return fitted
        return [
            replace(fit, whole=self.whole(train, one, own))
            for fit, (train, one) in zip(fitted, found, strict=True)
        ]

    def whole(
        self, train: NDArray[np.intp], fitted: FittedVariants, settings: PreprocessConfig
    ) -> NDArray[np.float32]:
        """Inputs ``(all samples, width)`` of what `variants` gave for a training part."""
        return self._kept(settings).get(
            IMPUTED,
            train,
            self.depends(settings),
            lambda: fitted.transform(self.dataset.codes),
            size=4 * self.dataset.samples * input_width(self.dataset.features, settings),
        )

    def fit_ahead(self, parts: Sequence[NDArray[np.intp]], threads: int) -> None:
        """Fit what trials will need, whatever they select, so that other processes find it."""
        self.fit_all(parts, threads)
        if self.most is not None:
            self._ranked(parts, True, threads)

    def variants(
        self, parts: Sequence[NDArray[np.intp]], settings: PreprocessConfig, threads: int = 1
    ) -> list[FittedVariants]:
        """Imputation, scaling and selection; what looks at no label is the control's too.

        Raises
        ------
        InputError
            A training part has too few candidates, directions or neighbours, or neighbours are
            asked of more variants than memory should hold.
        """
        selects = settings.select is not None
        ranked = self._ranked(parts, selects, threads)
        found = [one.fitted(settings) for one in ranked]
        codes, depends = self.dataset.codes, self.depends(settings)
        if settings.impute == "knn":
            self._imputable(settings)
            alone = self.depends(settings.model_copy(update={"components": None}))

            def ask(train: NDArray[np.intp], one: FittedVariants) -> FittedVariants:
                return self._kept(settings).get(
                    "neighbours", train, alone, lambda: one.neighbouring(codes, train, settings)
                )

            found = [ask(train, one) for train, one in zip(parts, found, strict=True)]
        if settings.components is None:
            return found
        components = settings.components

        def project(train: NDArray[np.intp], one: FittedVariants) -> FittedVariants:
            return self.fits.get(
                "components", train, depends, lambda: one.projected(codes, train, components)
            )

        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(project, parts, found))

    def histograms(
        self, parts: Sequence[NDArray[np.intp]], settings: PreprocessConfig, threads: int = 1
    ) -> list[NDArray[np.float32]]:
        """Genotype frequencies by label of the variants that enter, ``(k, groups × 3)`` a part."""
        found = self.variants(parts, settings, threads)
        depends = {**self.depends(settings), "permutation": self.permutation}

        def make(train: NDArray[np.intp], one: FittedVariants) -> NDArray[np.float32]:
            codes, units = self.dataset.codes, self.shape.units
            return genotype_histograms(codes, self.labels, train, one.columns, units, self.task)

        return [
            self.fits.get("histograms", train, depends, partial(make, train, one))
            for train, one in zip(parts, found, strict=True)
        ]

    def _kept(self, settings: PreprocessConfig) -> Fits:
        """Where whole matrices are kept: nowhere for configurations that select for themselves.

        A search draws many widths, and each would fill the disk anew.
        """
        return self.fits if settings == self.settings else Fits()

    def _imputable(self, settings: PreprocessConfig) -> None:
        """Refuse neighbours where the float32 inputs of all samples would be too large."""
        kept = min(settings.select or self.dataset.features, self.dataset.features)
        size = 4 * self.dataset.samples * kept
        if size > MOST_IMPUTED:
            raise InputError(
                f"impute: knn holds samples × variants as float32 for every fold, at most "
                f"{MOST_IMPUTED:,} bytes; {self.dataset.samples} × {kept} need {size:,}: select "
                "fewer variants, or impute by mean"
            )

    def depends(self, settings: PreprocessConfig) -> dict[str, Any]:
        """What a fit to variants depends on, beside data and samples."""
        looks = settings.select is not None
        return {
            "settings": settings.model_dump(mode="json"),
            "permutation": self.permutation if looks else None,
        }

    def _ranked(
        self, parts: Sequence[NDArray[np.intp]], selects: bool, threads: int
    ) -> list[RankedVariants]:
        """Statistics of all variants, and their ranking where they are selected."""
        unread = {"select", "components", "scale", "class_weight"}
        sizes = [size for size in (self.settings.select, self.most) if size is not None]
        most = max(sizes, default=self.dataset.features) if selects else None
        depends = {
            "settings": self.settings.model_dump(mode="json", exclude=unread),
            "selects": selects,
            "most": most if self.settings.prune_r2 is not None else None,
            "permutation": self.permutation if selects else None,
        }
        return self.fits.get_all(
            "variants",
            parts,
            depends,
            lambda missing: rank_variants(
                self.dataset.codes,
                self.labels,
                missing,
                self.settings,
                self.task,
                most=most,
                threads=threads,
            ),
        )

    def _mean(self, train: NDArray[np.intp]) -> NDArray[np.float32]:
        symbols = self.shape.symbols
        return self.fits.get(
            "mean",
            train,
            {"symbols": symbols},
            lambda: sequence_mean(self.dataset.codes, train, symbols),
        )

    def _inputs(
        self,
        train: NDArray[np.intp],
        variants: FittedVariants | None,
        mean: NDArray[np.float32] | None,
    ) -> FittedInputs:
        target = weights = None
        if self.task == "regression":
            target = fit_target(
                self.labels,
                train,
                self.task,
                self.settings.scale_target,
                counts=self.shape.counts,
            )
        if self.settings.class_weight == "balanced":
            weights = class_weights(self.labels, train, self.shape.units, self.task)
        return FittedInputs(variants, mean, target, weights)
