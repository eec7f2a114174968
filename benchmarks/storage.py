"""A trial storage with many finished and waiting trials, made for measuring."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.storages._rdb import models

from benchmarks.machine import ROOT
from geno_hpo.config import PrunerConfig, SamplerConfig
from geno_hpo.space import SearchSpace, load_space
from geno_hpo.study.pruners import make_pruner
from geno_hpo.study.samplers import make_sampler
from geno_hpo.study.storage import Pool, open_pool, open_storage

__all__ = ["fill", "open_filled"]

EPOCHS = 10
SPACE = ROOT / "search_spaces" / "cnn.yaml"


def _pool(folder: Path, *, create: bool) -> Pool:
    pruner = make_pruner(PrunerConfig(), 30)
    url = f"sqlite:///{folder / 'optuna.db'}"
    storage = open_storage(url)
    return open_pool(
        storage, "bench", maximise=True, lock_folder=folder, pruner=pruner, create=create
    )


def fill(folder: Path, finished: int, waiting: int) -> SearchSpace:
    """Write a study with so many trials; give the space that they were drawn from.

    The rows go into Optuna's tables as they are, in one transaction: `Study.add_trial` takes 15
    minutes for 10,000 trials.
    """
    space = SearchSpace((load_space(SPACE),))
    pool = _pool(folder, create=True)
    rng = np.random.default_rng(1)
    start = datetime(2026, 1, 1)
    rows: dict[Any, list[dict[str, Any]]] = {}
    for number, (params, distributions) in enumerate(_distributions(space, finished)):
        score, key = float(rng.uniform(0.5, 1.0)), {"trial_id": number + 1}
        begun = start + timedelta(seconds=number)
        rows.setdefault(models.TrialModel, []).append(
            {
                **key,
                "number": number,
                "study_id": pool.study._study_id,
                "state": optuna.trial.TrialState.COMPLETE,
                "datetime_start": begun,
                "datetime_complete": begun + timedelta(seconds=1),
            }
        )
        rows.setdefault(models.TrialValueModel, []).append(
            {
                **key,
                "objective": 0,
                "value": score,
                "value_type": models.TrialValueModel.TrialValueType.FINITE,
            }
        )
        rows.setdefault(models.TrialParamModel, []).extend(
            {
                **key,
                "param_name": name,
                "param_value": distributions[name].to_internal_repr(value),
                "distribution_json": optuna.distributions.distribution_to_json(distributions[name]),
            }
            for name, value in params.items()
        )
        rows.setdefault(models.TrialUserAttributeModel, []).extend(
            {**key, "key": name, "value_json": json.dumps(value)}
            for name, value in {"worker": "here:1", "fold_scores": [score] * 5}.items()
        )
        rows.setdefault(models.TrialSystemAttributeModel, []).append(
            {**key, "key": "completed_rung_0", "value_json": json.dumps(_curve(score, 4))}
        )
        finite = models.TrialIntermediateValueModel.TrialIntermediateValueType.FINITE
        rows.setdefault(models.TrialIntermediateValueModel, []).extend(
            {
                **key,
                "step": epoch,
                "intermediate_value": _curve(score, epoch),
                "intermediate_value_type": finite,
            }
            for epoch in range(1, EPOCHS + 1)
        )
    storage: Any = pool.study._storage
    with storage._backend.engine.begin() as connection:
        for model, entries in rows.items():
            connection.execute(model.__table__.insert(), entries)
    pool.fill(finished + waiting)
    return space


def _curve(score: float, epoch: int) -> float:
    """The score of a trial after an epoch; ASHA's first rung is the fourth."""
    return score * (1 - 0.5**epoch)


def _distributions(space: SearchSpace, count: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Parameters of random trials, with their distributions."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    drawn = []
    for _ in range(count):
        trial = study.ask()
        space.suggest(trial)
        drawn.append((trial.params, trial.distributions))
    return drawn


def open_filled(folder: Path) -> tuple[Pool, Callable[[int], optuna.samplers.BaseSampler]]:
    """The pool as a worker opens it, with nothing of it read yet, and its sampler."""
    return _pool(folder, create=False), make_sampler(SamplerConfig(), 1, conditional=True)
