"""What a network must beat, on its own folds: linear, kernel and tree models."""

from geno_hpo.baselines.outputs import fit_by_output, fit_one_against_rest
from geno_hpo.baselines.protocol import (
    Baseline,
    BaselineProblem,
    BaselineResult,
    FoldData,
    Predictor,
    Setting,
    fit_folds_once,
)
from geno_hpo.baselines.registry import BASELINES, baseline, fit_folds, refit

__all__ = [
    "BASELINES",
    "Baseline",
    "BaselineProblem",
    "BaselineResult",
    "FoldData",
    "Predictor",
    "Setting",
    "baseline",
    "fit_by_output",
    "fit_folds",
    "fit_folds_once",
    "fit_one_against_rest",
    "refit",
]
