"""What a network must beat, on its own folds: linear, kernel and tree models."""

from geno_hpo.baselines.protocol import (
    Baseline,
    BaselineProblem,
    BaselineResult,
    FoldData,
    Predictor,
    Setting,
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
    "fit_folds",
    "refit",
]
