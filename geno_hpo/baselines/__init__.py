"""Ridge, random forest and LightGBM: what a network must beat, on its own folds."""

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
