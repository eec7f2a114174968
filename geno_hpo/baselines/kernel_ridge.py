"""Kernel ridge regression: GBLUP with the linear kernel, smooth interactions with the Gaussian one.

Hyperparameters: ``kernel``, ``linear`` or ``rbf``; with ``rbf``, ``width`` in units of the median
distance between training samples. The penalty is no hyperparameter: one eigendecomposition of the
centred kernel gives the fits of all `PENALTIES`, and the best mean over the folds counts, as the
best round does in boosting. A penalty multiplies the kernel's mean diagonal; with the linear kernel
of standardised additive variants it is GBLUP's variance ratio (1 − h²)/h².

Classes are fitted as 0 and 1, several ones each against the rest. Their scores become
probabilities by a logistic curve (Platt) that is fitted to leave-one-out scores, which the
eigendecomposition gives as well; probabilities of several classes are divided by their sum.
More than `MOST` training samples are thinned to that many, which a note tells.

References
----------
VanRaden (2008). Efficient methods to compute genomic predictions. J. Dairy Science 91, 4414-4423.
Saunders, Gammerman, Vovk (1998). Ridge regression learning algorithm in dual variables. ICML.
Platt (1999). Probabilistic outputs for support vector machines. Advances in Large Margin
Classifiers, 61-74.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines.kernel import Array, Basis, Floats, decomposed
from geno_hpo.baselines.outputs import Constant, shares, single_class
from geno_hpo.baselines.platt import fit_curve
from geno_hpo.baselines.protocol import (
    BaselineProblem,
    BaselineResult,
    FoldData,
    Labels,
    Matrix,
    Parameters,
    Predictions,
    Predictor,
    Report,
    Setting,
    counted,
    fold_scores,
)
from geno_hpo.errors import InputError

__all__ = ["MOST", "PENALTIES", "KernelRidge"]

PENALTIES = np.geomspace(100, 1e-4, 25)
MOST = 5000


@dataclass(frozen=True, eq=False)
class Path:
    """One output's fits for all penalties.

    Parameters
    ----------
    basis
        Of the samples that have this output's label.
    labels, mean
        ``(samples,)`` and their mean.
    curved
        Whether a logistic curve turns scores into probabilities.
    weights
        ``(samples,)`` weights of the curve's labels, or None.
    """

    basis: Basis
    labels: Floats
    mean: float
    curved: bool
    weights: Array | None

    def penalty(self, step: int) -> float:
        """Penalty number `step` from 1, in units of the kernel's mean diagonal."""
        return float(PENALTIES[step - 1]) * self.basis.diagonal

    def fitted(self, step: int) -> Kernel:
        """Fit with penalty number `step`."""
        values, vectors = self.basis.values, self.basis.vectors
        penalty = self.penalty(step)
        part = vectors.T @ (self.labels - self.mean)
        dual = vectors @ (part / (values + penalty))
        curve = None
        if self.curved:
            shrunk = values / (values + penalty)
            score = self.mean + vectors @ (shrunk * part)
            lever = 1 / len(score) + (vectors**2) @ shrunk
            left_out = self.labels - (self.labels - score) / np.maximum(1 - lever, 1e-9)
            curve = fit_curve(left_out, self.labels, self.weights)
        return Kernel(self.basis, dual, self.mean, curve)


@dataclass(frozen=True, eq=False)
class Kernel:
    """A fitted kernel ridge of one output.

    Parameters
    ----------
    basis, dual, mean
        Training samples, a weight for each, and the labels' mean.
    curve
        Slope and height of the logistic curve; None for traits.
    """

    basis: Basis
    dual: Floats
    mean: float
    curve: tuple[float, float] | None

    def told(self, kernel: Floats) -> Predictions:
        """Predict ``(samples, 1)`` from their centred kernel with the training samples."""
        from scipy.special import expit

        value = kernel @ self.dual + self.mean
        if self.curve is not None:
            value = expit(self.curve[0] * value + self.curve[1])
        return np.asarray(value, np.float32)[:, None]


@dataclass(frozen=True, eq=False)
class Kernels:
    """All outputs of one fit; outputs with the same labelled samples share a basis."""

    parts: tuple[Kernel | Constant, ...]
    classes: bool
    notes: tuple[str, ...] = ()

    def predict(self, x: Matrix) -> Predictions:
        """Probabilities or trait values, ``(samples, units)``."""
        bases = {id(p.basis): p.basis for p in self.parts if isinstance(p, Kernel)}
        return self.told(x, {key: basis.against(x) for key, basis in bases.items()})

    def told(self, x: Matrix, kernels: dict[int, Floats]) -> Predictions:
        """Predict from kernels that are known, by the identity of their basis."""
        columns = [
            p.told(kernels[id(p.basis)]) if isinstance(p, Kernel) else p.predict(x)
            for p in self.parts
        ]
        told = np.concatenate(columns, axis=1)
        return shares(told) if self.classes else told


class Paths:
    """The fits of one training part for all penalties, and for all outputs."""

    def __init__(self, x: Matrix, y: Labels, params: Parameters, setting: Setting) -> None:
        self.classes = setting.task == "multiclass"
        columns = [y[:, 0] == c for c in range(setting.units)] if self.classes else list(y.T)
        bases: dict[bytes, Basis] = {}
        self.parts: list[Path | Constant] = []
        notes: list[str] = []
        task = "binary" if self.classes else setting.task
        for column in columns:
            labels = column.astype(np.float32)
            known = np.flatnonzero(~np.isnan(labels))
            constant = single_class(labels[known], task)
            if constant is not None:
                self.parts.append(constant)
                notes += () if self.classes else constant.notes
                continue
            kept = _thinned(known, setting.seed)
            if len(kept) < len(known):
                notes.append(f"kernel ridge learned from {MOST:,} of {len(known):,} samples")
            key = kept.tobytes()
            if key not in bases:
                bases[key] = decomposed(x[kept], params, setting.seed)
            own = labels[kept].astype(np.float64)
            curved = task != "regression"
            weights = setting.weights(labels[kept]) if curved else None
            self.parts.append(Path(bases[key], own, float(own.mean()), curved, weights))
        self.bases = tuple(bases.values())
        self.notes = tuple(notes)

    def fitted(self, step: int) -> Kernels:
        """Every output with penalty number `step`."""
        parts = (p.fitted(step) if isinstance(p, Path) else p for p in self.parts)
        return Kernels(tuple(parts), self.classes, self.notes)


@dataclass(frozen=True)
class KernelRidge:
    """Kernel ridge over all penalties at once."""

    name: str = "kernel_ridge"
    label: str = "kernel ridge (GBLUP)"

    def fit_folds(
        self, params: Parameters, problem: BaselineProblem, report: Report
    ) -> BaselineResult:
        """Judge a configuration: every fold decomposed once, a report a penalty, strong to weak.

        Parameters
        ----------
        params
            ``kernel``, and ``width`` of the Gaussian one.
        problem
            Folds, metric, setting.
        report
            Called after each penalty; True ends the run.

        Raises
        ------
        InputError
            A hyperparameter that is missing or out of its range.
        """
        from threadpoolctl import threadpool_limits

        start = time.perf_counter()
        curve: list[float] = []
        best: tuple[float, int, list[float], list[Predictions]] | None = None
        stopped = False
        with threadpool_limits(problem.setting.threads):
            folds = [_opened(fold, params, problem.setting) for fold in problem.folds]
            for step in range(1, len(PENALTIES) + 1):
                predictions = [
                    paths.fitted(step).told(fold.x_valid, kernels)
                    for fold, (paths, kernels) in zip(problem.folds, folds, strict=True)
                ]
                scores = fold_scores(problem, predictions)
                curve.append(float(np.mean(scores)))
                if best is None or problem.metric.better(curve[-1], best[0]):
                    best = curve[-1], step, scores, predictions
                stopped = report(step, curve[-1], scores)
                if stopped:
                    break
        if best is None:
            raise InputError("kernel_ridge: there is no penalty to try")
        return BaselineResult(
            score=best[0],
            fold_scores=tuple(best[2]),
            best_round=best[1],
            curve=tuple(curve),
            rounds=tuple(range(1, len(curve) + 1)),
            predictions=tuple(best[3]),
            seconds=time.perf_counter() - start,
            stopped=stopped,
            notes=counted(note for paths, _ in folds for note in paths.notes),
        )

    def refit(
        self, params: Parameters, x: Matrix, y: Labels, setting: Setting, rounds: int
    ) -> Predictor:
        """Fit with the penalty of one round.

        Parameters
        ----------
        params
            See `fit_folds`.
        x, y
            ``(samples, features)`` and ``(samples, outputs)``.
        setting
            Task, units, seed, threads.
        rounds
            Number of the penalty from 1, `BaselineResult.best_round` of the chosen configuration.

        Raises
        ------
        InputError
            A hyperparameter that is missing or out of its range.
        """
        from threadpoolctl import threadpool_limits

        with threadpool_limits(setting.threads):
            return Paths(x, y, params, setting).fitted(min(rounds, len(PENALTIES)))


def _opened(
    fold: FoldData, params: Parameters, setting: Setting
) -> tuple[Paths, dict[int, Floats]]:
    """A fold's fits, and the kernels of its validation samples by the identity of the basis."""
    paths = Paths(fold.x_train, fold.y_train, params, setting)
    return paths, {id(basis): basis.against(fold.x_valid) for basis in paths.bases}


def _thinned(samples: NDArray[np.intp], seed: int) -> NDArray[np.intp]:
    """All samples, or as many as one kernel may hold, drawn at random."""
    if len(samples) <= MOST:
        return samples
    return np.sort(np.random.default_rng(seed).choice(samples, MOST, replace=False))
