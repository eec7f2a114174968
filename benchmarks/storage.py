"""A trial storage with many finished and waiting trials, made for measuring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from sqlalchemy import event
from sqlalchemy.engine import Engine

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

    Nothing is synchronised to the disk meanwhile, which makes 10,000 trials bearable.
    """
    space = SearchSpace((load_space(SPACE),))
    pool = _pool(folder, create=True)
    event.listen(Engine, "begin", _unsynchronised)
    drawn = _distributions(space, finished)
    rng = np.random.default_rng(1)
    start = datetime(2026, 1, 1)
    for number, (params, distributions) in enumerate(drawn):
        score = float(rng.uniform(0.5, 1.0))
        begun = start + timedelta(seconds=number)
        pool.study.add_trial(
            optuna.trial.FrozenTrial(
                number=-1,
                trial_id=-1,
                state=optuna.trial.TrialState.COMPLETE,
                value=score,
                values=None,
                datetime_start=begun,
                datetime_complete=begun + timedelta(seconds=1),
                params=params,
                distributions=distributions,
                user_attrs={"worker": "here:1", "fold_scores": [score] * 5},
                system_attrs=_rungs(score),
                intermediate_values={e: score * (1 - 0.5**e) for e in range(1, EPOCHS + 1)},
            )
        )
    for _ in range(waiting):
        pool.enqueue()
    event.remove(Engine, "begin", _unsynchronised)
    return space


def _rungs(score: float) -> dict[str, float]:
    """What ASHA leaves with a trial that passed its first rung."""
    return {"completed_rung_0": score * (1 - 0.5**4)}


def _unsynchronised(connection: Any) -> None:
    connection.exec_driver_sql("PRAGMA synchronous=OFF")


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
    """The pool as a worker opens it, with nothing of it read yet, and the sampler of a trial."""

    def sampler(number: int) -> optuna.samplers.BaseSampler:
        return make_sampler(SamplerConfig(), 1, number, conditional=True)

    return _pool(folder, create=False), sampler
