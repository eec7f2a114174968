"""Samplers: from the study file's ``sampler:`` to an Optuna sampler, made anew for each trial.

A sampler's random state comes from the study's seed and the trial's number alone, so that an
interrupted study that goes on draws what it would have drawn.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
import optuna

from geno_hpo.errors import InputError

if TYPE_CHECKING:
    from geno_hpo.config import SamplerConfig

__all__ = ["make_sampler"]


def make_sampler(
    config: SamplerConfig, seed: int, number: int, *, conditional: bool
) -> optuna.samplers.BaseSampler:
    """Make the sampler that draws trial `number`.

    Parameters
    ----------
    config
        Name and number of random start-up trials.
    seed, number
        The study's seed and the trial's number.
    conditional
        Whether the space has branches: TPE then groups the parameters that occur together.
    """
    own = int(np.random.default_rng([seed, number]).integers(2**31))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        match config.name:
            case "tpe":
                return optuna.samplers.TPESampler(
                    seed=own, n_startup_trials=config.startup_trials, group=conditional
                )
            case "random":
                return optuna.samplers.RandomSampler(seed=own)
            case "qmc":
                return optuna.samplers.QMCSampler(
                    seed=seed, scramble=True, warn_independent_sampling=False
                )
            case other:
                raise InputError(f"sampler.name: {other!r} is not a known sampler")
