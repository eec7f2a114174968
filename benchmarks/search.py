"""Search: wall time until a search is nearly as good as it gets.

The goal is 99 % of the best cross-validated score that many random trials reach, none of them
ended early (found by geno_hpo's engine with a random sampler). Then three searches of the same
shipped space on the same folds run until a trial that completed reaches it: geno_hpo with its
defaults on all cores, the plain script with its TPE and MedianPruner, and the plain script at
random. Each over several seeds.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import process
from benchmarks.cases import CASES
from benchmarks.folds import write_folds
from benchmarks.launch import Arena
from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.study.storage import Pool

__all__ = ["run"]

SHARE = 0.99


@dataclass(frozen=True)
class Settings:
    """How much is done; `limit` is the most seconds that a script may take."""

    cases: tuple[str, ...]
    random: int
    epochs: int
    folds: int
    seeds: tuple[int, ...]
    limit: float
    samples: int | None


SIZES: dict[Size, Settings] = {
    "full": Settings(("primer", "wheat"), 200, 20, 3, (1, 2, 3), 1500.0, None),
    "quick": Settings(("primer",), 12, 8, 2, (1,), 120.0, None),
    "smallest": Settings(("primer",), 2, 1, 2, (1,), 20.0, 200),
}


def run(size: Size) -> Outcome:
    """Search every case of this size by three ways."""
    settings = SIZES[size]
    rows: list[tuple[Any, ...]] = []
    for name in settings.cases:
        rows += _case(name, settings)
    columns: tuple[str, ...] = (
        "case",
        "goal",
        "seed",
        "geno_hpo s",
        "median script s",
        "random script s",
    )
    columns += ("trials", "trials ", "trials  ", "median/geno", "random/geno")
    return Outcome(
        tables=(Table("Seconds until a trial reached the goal", columns, rows),),
        notes=(
            f"goal: {SHARE:.0%} of the best of {settings.random} random trials",
            "trials: finished until then, in the order of the sides",
            f"a script stops after {settings.limit:.0f} s or {settings.random} trials",
            "the scripts' score is Keras's metric (AUC over 200 thresholds), geno_hpo's is exact",
        ),
        settings=asdict(settings),
    )


def _study(settings: Settings, seed: int) -> dict[str, Any]:
    budget = {"trials": settings.random, "epochs": settings.epochs}
    budget["patience"] = min(8, settings.epochs)
    return {"split": {"folds": settings.folds, "seed": 1}, "budget": budget, "seed": seed}


def _goal(name: str, settings: Settings) -> float:
    """99 % of the best score of random trials that all run to their end."""
    study = _study(settings, 99)
    study["budget"]["patience"] = settings.epochs
    study |= {"sampler": {"name": "random"}, "pruner": {"name": "none"}}
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        arena = Arena(Path(folder), CASES[name], study, shipped=True, samples=settings.samples)
        arena.pool.fill(settings.random)
        race = arena.race(os.cpu_count() or 1)
    return SHARE * max(value for _, value in race.ended)


def _case(name: str, settings: Settings) -> list[tuple[Any, ...]]:
    goal = _goal(name, settings)
    rows: list[tuple[Any, ...]] = []
    for seed in settings.seeds:
        with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
            study = _study(settings, seed)
            arena = Arena(Path(folder), CASES[name], study, shipped=True, samples=settings.samples)
            folds = Path(folder) / "folds.npz"
            spec = {
                "folds": str(folds),
                "shape": write_folds(folds, arena.plan, arena.prepared),
                "space": str(Path(folder) / "search_spaces" / "bench.yaml"),
                "configurations": [],
                "trials": settings.random,
                "epochs": settings.epochs,
                "scored": True,
                "goal": goal,
                "limit": settings.limit,
                "seed": seed,
            }
            arena.pool.fill(settings.random)
            race = arena.race(os.cpu_count() or 1, enough=lambda pool: _reached(pool, goal))
            median = process.run("benchmarks.script", {**spec, "sampler": "tpe", "prune": True})
            drawn = process.run("benchmarks.script", {**spec, "sampler": "random", "prune": False})
        times = [seconds for seconds, value in race.ended if value >= goal]
        ours = min(times, default=None)
        row = (name, goal, seed, ours, median["seconds"], drawn["seconds"])
        counts = (race.trials, median["trials"], drawn["trials"])
        ratios = [None if ours is None else x["seconds"] / ours for x in (median, drawn)]
        rows.append((*row, *counts, *ratios))
    if len(rows) > 1:
        found = [[value for row in rows if (value := row[i]) is not None] for i in range(3, 11)]
        middle = [statistics.median(values) if values else None for values in found]
        rows.append((f"{name}, median", goal, None, *middle))
    return rows


def _reached(pool: Pool, goal: float) -> bool:
    best = pool.best()
    return best is not None and float(best.value or 0.0) >= goal
