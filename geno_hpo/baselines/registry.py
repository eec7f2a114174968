"""The baselines by name."""

from __future__ import annotations

import difflib
from typing import Any

from geno_hpo.baselines.elastic_net import ElasticNet
from geno_hpo.baselines.kernel_ridge import KernelRidge
from geno_hpo.baselines.lightgbm import LightGBM
from geno_hpo.baselines.protocol import (
    Baseline,
    BaselineProblem,
    BaselineResult,
    Labels,
    Matrix,
    Parameters,
    Predictor,
    Report,
    Setting,
)
from geno_hpo.baselines.random_forest import RandomForest
from geno_hpo.baselines.ridge import Ridge
from geno_hpo.errors import InputError
from geno_hpo.plugins import Plugin, Registry, takes

__all__ = ["BASELINES", "baseline", "fit_folds", "refit"]

METHODS = {
    "fit_folds": ("params", "problem", "report"),
    "refit": ("params", "x", "y", "setting", "rounds"),
}
FAMILIES: tuple[Baseline, ...] = (
    Ridge(),
    ElasticNet(),
    KernelRidge(),
    RandomForest(),
    LightGBM(),
    Ridge("kmer", "ridge / logistic regression on k-mer counts (L2)"),
)


def _of_a_package(plugin: Plugin, found: Any) -> Baseline:
    """Check a baseline that a package brings: an object, or a class that needs no arguments."""
    if isinstance(found, type):
        try:
            found = found()
        except Exception as error:  # it may fail in any way
            raise plugin.refuse(f"cannot be made: {error}") from error
    for name in ("name", "label"):
        if not isinstance(getattr(found, name, None), str):
            raise plugin.refuse(f"must have a text {name!r} (see geno_hpo.baselines.Baseline)")
    if found.name != plugin.name:
        raise plugin.refuse(f"its entry point must have its name {found.name!r}")
    for name, arguments in METHODS.items():
        if not takes(getattr(found, name, None), *arguments):
            raise plugin.refuse(f"must have a method {name}({', '.join(arguments)})")
    checked: Baseline = found
    return checked


BASELINES = Registry("baselines", {one.name: one for one in FAMILIES}, _of_a_package)
"""All baselines by name, those of installed packages too."""
COUNTING = ("ridge", "random_forest", "lightgbm", "kmer")
"""Those that predict expected counts."""


def baseline(name: str) -> Baseline:
    """Return the baseline of this name.

    Raises
    ------
    InputError
        An unknown name; the known are listed, the nearest first.
    """
    if name in BASELINES:
        return BASELINES[name]
    near = difflib.get_close_matches(name, BASELINES, n=len(BASELINES), cutoff=0)
    raise InputError(f"unknown baseline {name!r}; known: {', '.join(near)}")


def _counting(name: str, setting: Setting) -> Baseline:
    """The baseline of this name, seen to tell counts where they are asked for."""
    if setting.counts and name not in COUNTING:
        raise InputError(f"{name} tells no expected counts; known: {', '.join(COUNTING)}")
    return baseline(name)


def fit_folds(
    name: str, params: Parameters, problem: BaselineProblem, report: Report
) -> BaselineResult:
    """Judge a configuration of a baseline on all folds.

    Parameters
    ----------
    name
        One of `BASELINES`.
    params
        Hyperparameters, as its search space draws them.
    problem
        Folds, metric, setting.
    report
        ``report(step, mean score, fold scores)``; True asks to stop.

    Raises
    ------
    InputError
        An unknown baseline, or a hyperparameter it cannot use.
    """
    return _counting(name, problem.setting).fit_folds(params, problem, report)


def refit(
    name: str, params: Parameters, x: Matrix, y: Labels, setting: Setting, rounds: int = 1
) -> Predictor:
    """Fit a configuration of a baseline on all samples given.

    Parameters
    ----------
    name, params
        As for `fit_folds`.
    x, y
        ``(samples, features)`` and ``(samples, outputs)``.
    setting
        Task, units, seed, threads.
    rounds
        `BaselineResult.best_round` of the chosen configuration.

    Raises
    ------
    InputError
        An unknown baseline, or a hyperparameter it cannot use.
    """
    return _counting(name, setting).refit(params, x, y, setting, rounds)
