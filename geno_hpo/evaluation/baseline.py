"""One baseline configuration over the same folds, and the winner's refit.

Baselines read what the network reads in the form that suits them: sequences as one binary column
for each symbol that differs from the commonest at a position that varies in the training part;
variants as the fold's imputed, scaled dosages. A search space that says ``features: kmer`` gives
sequences as counts of k-mers instead, wherever they stand. Where a network's loss weighs classes,
so do they.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines import (
    BaselineProblem,
    BaselineResult,
    FoldData,
    Setting,
    fit_folds,
    refit,
)
from geno_hpo.baselines.protocol import Report
from geno_hpo.data.dataset import Dataset
from geno_hpo.encoding import SYMBOLS
from geno_hpo.errors import InputError
from geno_hpo.evaluation.fits import FEATURES, Fits
from geno_hpo.evaluation.inputs import Inputs
from geno_hpo.evaluation.shape import chosen, shaped
from geno_hpo.metrics import METRICS
from geno_hpo.preprocess import kmer_counts, sequence_features
from geno_hpo.splits import Fold, Split

if TYPE_CHECKING:
    from geno_hpo.config import PreprocessConfig

__all__ = ["BaselineEvaluation", "features_of"]

Parameters = dict[str, bool | int | float | str]
FEATURES_KNOWN = ("sites", "kmer")


@dataclass(frozen=True)
class Features:
    """What a baseline's configuration reads.

    Parameters
    ----------
    settings
        Preprocessing, with the configuration's own ``select``.
    k, both_strands
        Length of k-mers, 0 for one column a site or variant; whether strands are counted together.
    """

    settings: PreprocessConfig
    k: int = 0
    both_strands: bool = False


def features_of(settings: PreprocessConfig, params: Parameters, dataset: Dataset) -> Features:
    """Features that a configuration asks for.

    Raises
    ------
    InputError
        It selects what these data have not, or asks for k-mers of no length, or of variants.
    """
    own = chosen(settings, params, dataset)
    kind = params.get("features", "sites")
    if kind not in FEATURES_KNOWN:
        raise InputError(f"features must be {' or '.join(FEATURES_KNOWN)}, got {kind!r}")
    if kind == "sites":
        return Features(own)
    if dataset.kind != "sequence":
        raise InputError("features: kmer belongs to sequences, these data are a variant table")
    k = params.get("k")
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= dataset.features:
        raise InputError(f"k must be an integer from 1 to the {dataset.features} bases, got {k!r}")
    return Features(own, k, bool(params.get("both_strands", False)))


class BaselineEvaluation:
    """Fits and judges baselines on one data set and split.

    Parameters
    ----------
    dataset, split
        The samples, and which of them are for what.
    settings
        Preprocessing that is fitted inside each fold.
    metric
        Name of the score.
    threads
        Threads that a fit may use.
    fits
        Where the study's fits are kept; by default they live in this process alone.
    most
        Largest number of variants that a search space selects; None if none does.
    """

    def __init__(
        self,
        dataset: Dataset,
        split: Split,
        settings: PreprocessConfig,
        metric: str,
        *,
        threads: int = 1,
        fits: Fits | None = None,
        most: int | None = None,
    ) -> None:
        self.dataset = dataset
        self.split = split
        self.settings = settings
        self.metric = METRICS[metric]
        self.threads = threads
        self._fits = fits or Fits()
        self._inputs = Inputs(dataset, split, settings, self._fits, most=most)
        self._searched: tuple[Features, tuple[FoldData, ...]] | None = None

    @cached_property
    def folds(self) -> tuple[FoldData, ...]:
        """Matrices and labels of the folds, by the study's own settings."""
        return self._make_folds(Features(self.settings), self.split.folds)

    def _folds_for(self, features: Features) -> tuple[FoldData, ...]:
        """Folds of one configuration; of those with features of their own the latest is kept."""
        if features == Features(self.settings):
            return self.folds
        if self._searched is None or self._searched[0] != features:
            self._searched = None
            self._searched = features, self._make_folds(features, self.split.folds)
        return self._searched[1]

    def matrices(
        self, train: NDArray[np.intp], other: NDArray[np.intp]
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Features of both parts by the study's own settings, learned from the first."""
        return self._features(train, other, Features(self.settings))

    def feature_names(self, train: NDArray[np.intp]) -> list[str]:
        """Names of the columns that `matrices` learns from a training part."""
        axis = self.dataset.axis
        if self.dataset.kind == "sequence":
            sites = sequence_features(np.asarray(self.dataset.codes), train)
            pairs = zip(sites.columns, sites.symbols, strict=True)
            return [f"{axis[column]} = {SYMBOLS[symbol]}" for column, symbol in pairs]
        (fitted,) = self._inputs.variants([train], self.settings)
        if fitted.axes is not None:
            return [f"component {i}" for i in range(1, fitted.axes.shape[1] + 1)]
        return [axis[column] for column in fitted.columns]

    def _make_folds(self, features: Features, parts: Sequence[Fold]) -> tuple[FoldData, ...]:
        labels = self.dataset.target
        folds = []
        for fold in parts:
            x_train, x_valid = self._features(fold.train, fold.valid, features)
            y_train, y_valid = labels.take(fold.train), labels.take(fold.valid)
            folds.append(FoldData(x_train, y_train, x_valid, y_valid))
        return tuple(folds)

    def _features(
        self, train: NDArray[np.intp], other: NDArray[np.intp], features: Features
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Features of both parts, learned from the first; see `Fits` for where they lie.

        Those of a configuration that selects or counts for itself stay in memory: a search draws
        many widths, and each would fill the disk anew.
        """
        if features.k:
            codes = self.dataset.codes
            counts = (
                kmer_counts(np.asarray(codes[part]), features.k, both_strands=features.both_strands)
                for part in (train, other)
            )
            return next(counts), next(counts)
        settings = features.settings
        if settings != self.settings:
            return self._make_features(train, other, settings)
        shape = shaped(self._inputs.shape, settings, self.dataset)
        columns, depth = shape.length, 1 if self.dataset.kind == "sequence" else 4
        return self._fits.get(
            FEATURES,
            train,
            {"other": other.tolist(), **self._inputs.depends(settings)},
            lambda: self._make_features(train, other, settings),
            size=(len(train) + len(other)) * columns * depth,
        )

    def _make_features(
        self, train: NDArray[np.intp], other: NDArray[np.intp], settings: PreprocessConfig
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        codes = np.asarray(self.dataset.codes)
        if self.dataset.kind == "sequence":
            sites = sequence_features(codes, train)
            return sites.transform(codes, train), sites.transform(codes, other)
        (fitted,) = self._inputs.variants([train], settings)
        if settings.impute == "knn":
            whole = self._inputs.whole(train, fitted, settings)
            return whole[train], whole[other]
        return fitted.transform(codes, train), fitted.transform(codes, other)

    def setting(self, seed: int) -> Setting:
        """How the study's models are fitted."""
        target = self.dataset.target
        return Setting(
            task=target.task,
            units=target.units,
            seed=seed,
            threads=self.threads,
            balanced=self.settings.class_weight == "balanced",
            counts=target.counts,
        )

    def trial(
        self,
        model: str,
        params: Parameters,
        *,
        seed: int,
        report: Report,
        folds: Sequence[Fold] | None = None,
    ) -> BaselineResult:
        """Fit one configuration of `model` on every fold, or on `folds` instead.

        Raises
        ------
        InputError
            A hyperparameter that the baseline cannot use.
        """
        features = features_of(self.settings, params, self.dataset)
        data = self._folds_for(features) if folds is None else self._make_folds(features, folds)
        problem = BaselineProblem(data, self.metric, self.setting(seed))
        return fit_folds(model, params, problem, report)

    def refit(
        self, model: str, params: Parameters, *, rounds: int, seed: int
    ) -> tuple[NDArray[np.float32], tuple[str, ...]]:
        """Fit on the whole development part; predictions of the test set, and notes."""
        development, test = self.split.development, self.split.test
        features = features_of(self.settings, params, self.dataset)
        x_train, x_test = self._features(development, test, features)
        y_train = self.dataset.target.take(development)
        fitted = refit(model, params, x_train, y_train, self.setting(seed), rounds)
        return fitted.predict(x_test), fitted.notes

    def score(self, samples: NDArray[np.intp], predictions: NDArray[np.float32]) -> float:
        """The study's score of predictions for these samples."""
        return float(self.metric.score(self.dataset.target.take(samples), predictions))
