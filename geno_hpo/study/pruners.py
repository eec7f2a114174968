"""Pruners: from the study file's ``pruner:`` to an Optuna pruner over the folds' mean score.

All folds of a trial advance in lockstep, so each report is a mean over every fold from the first
epoch on, and pruning never rests on one lucky fold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import optuna

from geno_hpo.errors import InputError
from geno_hpo.study.asha import Asha

if TYPE_CHECKING:
    from geno_hpo.config import PrunerConfig

__all__ = ["decides_at", "make_pruner"]


def decides_at(config: PrunerConfig, epoch: int) -> bool:
    """Whether the pruner has something to decide after this epoch.

    ASHA decides at its rungs alone; asking it between them reads the storage for nothing.
    """
    match config.name:
        case "asha":
            rung = max(config.warmup_epochs, 1)
            while rung < epoch:
                rung *= config.reduction
            return rung == epoch
        case "none":
            return False
        case _:
            return True


def make_pruner(config: PrunerConfig, epochs: int) -> optuna.pruners.BasePruner:
    """Make the pruner for trials of at most `epochs` epochs.

    ``asha`` is asynchronous successive halving: at the rungs ``warmup_epochs``,
    ``warmup_epochs × reduction``, … a trial goes on only while it is among the best
    1/``reduction`` of those that came there. ``median`` compares with the median of the earlier
    trials at the same epoch; ``hyperband`` runs several ASHA brackets; ``none`` never prunes.

    References
    ----------
    Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning (MLSys).
    Li et al. 2018, Hyperband (JMLR 18).
    """
    match config.name:
        case "asha":
            return Asha(max(config.warmup_epochs, 1), config.reduction)
        case "median":
            return optuna.pruners.MedianPruner(
                n_startup_trials=config.startup_trials, n_warmup_steps=config.warmup_epochs
            )
        case "hyperband":
            return optuna.pruners.HyperbandPruner(
                min_resource=max(config.warmup_epochs, 1),
                max_resource=epochs,
                reduction_factor=config.reduction,
            )
        case "none":
            return optuna.pruners.NopPruner()
        case other:
            raise InputError(f"pruner.name: {other!r} is not a known pruner")
