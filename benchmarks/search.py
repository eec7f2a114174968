"""Search: wall time until a search is nearly as good as it gets.

The goal is 99 % of the best cross-validated score that many random trials reach, none of them
ended early (`benchmarks.curves`: recorded once by geno_hpo's engine and kept). Then three searches
of the same shipped space on the same folds run until a trial that completed reaches it: geno_hpo
with its defaults on all cores, the plain script with its TPE and MedianPruner, and the plain script
at random.

A search that is nearly as good after seconds by one way can take hours by another. A script
therefore ends once it has taken `ENOUGH` times as long as geno_hpo, or its limit; the table then
tells a lower bound (≥). geno_hpo has a limit of its own, and has not reached the goal after it.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.cases import CASES
from benchmarks.curves import FOLDS, Curves, Recording, describe_curves, record
from benchmarks.folds import write_folds
from benchmarks.launch import Arena
from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.study.storage import Pool

__all__ = ["Side", "middle", "ratio", "run"]

SHARE = 0.99
ENOUGH = 20.0
"""Times geno_hpo's seconds after which a script need not go on: the bar is 15."""


@dataclass(frozen=True)
class Settings:
    """How much is done.

    `limit` is the most seconds that a script may take, `own_limit` geno_hpo's. `record` is trained
    for the goal; None takes the recording that is kept.
    """

    cases: tuple[str, ...]
    trials: int
    epochs: int
    limit: float
    own_limit: float
    record: Recording | None = None
    seeds: int = 1


SIZES: dict[Size, Settings] = {
    "full": Settings(("primer", "wheat"), 200, 20, 270.0, 120.0),
    "quick": Settings(("primer",), 12, 8, 120.0, 60.0, Recording(12, 8)),
    "smallest": Settings(("primer",), 2, 1, 20.0, 20.0, Recording(2, 1, 200)),
}


@dataclass(frozen=True)
class Side:
    """How one search went: seconds until the goal, or all that it took without reaching it."""

    seconds: float
    reached: bool
    trials: int

    def shown(self) -> str | float:
        """Seconds, as a lower bound where the goal was not reached."""
        return self.seconds if self.reached else f"≥ {self.seconds:.0f}"


def run(size: Size, *, seeds: int | None = None, limit: float | None = None) -> Outcome:
    """Search every case of this size by three ways.

    Parameters
    ----------
    seeds, limit
        Searches of each kind, and the most seconds of a script; None takes the size's own.
    """
    settings = SIZES[size]
    settings = replace(settings, seeds=seeds or settings.seeds, limit=limit or settings.limit)
    rows: list[tuple[Any, ...]] = []
    notes = []
    for name in settings.cases:
        found, note = _case(name, settings)
        rows += found
        notes.append(note)
    columns: tuple[str, ...] = ("case", "goal", "seed")
    columns += ("geno_hpo s", "median script s", "random script s")
    columns += ("trials", "trials ", "trials  ", "median/geno", "random/geno")
    ends = f"{settings.limit:.0f} s, {ENOUGH:.0f} times geno_hpo's, or {settings.trials} trials"
    return Outcome(
        tables=(Table("Seconds until a trial reached the goal", columns, rows),),
        notes=(
            *notes,
            "trials: finished until then, in the order of the sides",
            f"a script ends after {ends}; ≥: it had not reached the goal by then",
            "the scripts' score is Keras's metric (AUC over 200 thresholds), geno_hpo's is exact",
            "a single seed is a single draw: --seeds 3 gives three and their medians",
        ),
        settings=asdict(settings),
    )


def _study(settings: Settings, seed: int) -> dict[str, Any]:
    budget = {"trials": settings.trials, "epochs": settings.epochs}
    budget["patience"] = min(8, settings.epochs)
    return {"split": {"folds": FOLDS, "seed": 1}, "budget": budget, "seed": seed}


def _goal(name: str, settings: Settings) -> tuple[float, str, str]:
    """99 % of the best score of random trials that all ran to their end, and whose they are."""
    if settings.record is None:
        curves = Curves.kept(name)
    else:
        with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
            curves = record(name, settings.record, Path(folder) / "draft")
    best = float(np.nanmax(curves.means[:, : settings.epochs]))
    note = f"goal of {name}: {SHARE:.0%} of the best of {len(curves.scores)} random trials"
    return SHARE * best, note, curves.note


def _case(name: str, settings: Settings) -> tuple[list[tuple[Any, ...]], str]:
    goal, note, data = _goal(name, settings)
    found = [_race(name, settings, seed, goal, data) for seed in range(1, settings.seeds + 1)]
    rows = [_row(name, goal, seed, sides) for seed, sides in enumerate(found, start=1)]
    if len(found) > 1:
        between = tuple(middle([sides[i] for sides in found]) for i in range(3))
        rows.append(_row(f"{name}, median", goal, None, between))
    return rows, f"{note} ({data})"


def _race(name: str, settings: Settings, seed: int, goal: float, data: str) -> tuple[Side, ...]:
    """geno_hpo, the script with its median pruner, and the script at random."""
    samples = settings.record.samples if settings.record else None
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        study = _study(settings, seed)
        arena = Arena(Path(folder), CASES[name], study, shipped=True, samples=samples)
        if (here := describe_curves(arena, name)) != data:
            raise RuntimeError(f"the goal is of other data ({data}) than the search's ({here})")
        folds = Path(folder) / "folds.npz"
        spec = {
            "folds": str(folds),
            "shape": write_folds(folds, arena.plan, arena.prepared),
            "space": str(Path(folder) / "search_spaces" / "bench.yaml"),
            "configurations": [],
            "trials": settings.trials,
            "epochs": settings.epochs,
            "scored": True,
            "goal": goal,
            "seed": seed,
        }
        arena.pool.fill(settings.trials)
        race = arena.race(os.cpu_count() or 1, enough=_enough(goal, settings.own_limit))
        times = [seconds for seconds, value in race.ended if value >= goal]
        ours = Side(min(times, default=race.seconds), bool(times), race.trials)
        print(f"{name}, seed {seed}: geno_hpo {ours.shown()} s", flush=True)
        spec["limit"] = min(settings.limit, ENOUGH * ours.seconds)
        sides = [ours]
        for sampler, prune in (("tpe", True), ("random", False)):
            told = process.run("benchmarks.script", {**spec, "sampler": sampler, "prune": prune})
            reached = any((value or 0.0) >= goal for _, value in told["ended"])
            sides.append(Side(told["seconds"], reached, told["trials"]))
            print(f"{name}, seed {seed}: {sampler} script {sides[-1].shown()} s", flush=True)
    return tuple(sides)


def _enough(goal: float, limit: float) -> Callable[[Pool], bool]:
    """Whether a search can end: the goal is reached, or its time (from the first look) is over."""
    begun: list[float] = []

    def enough(pool: Pool) -> bool:
        begun.append(time.monotonic())
        best = pool.best()
        reached = best is not None and float(best.value or 0.0) >= goal
        return reached or begun[-1] - begun[0] > limit

    return enough


def _row(name: str, goal: float, seed: int | None, sides: tuple[Side, ...]) -> tuple[Any, ...]:
    ours, *scripts = sides
    ratios = [ratio(script, ours) for script in scripts]
    shown = [side.shown() for side in sides]
    return (name, goal, seed, *shown, *(side.trials for side in sides), *ratios)


def ratio(script: Side, ours: Side) -> str | float | None:
    """How many times faster geno_hpo was; a bound where one side did not reach the goal."""
    times = script.seconds / ours.seconds
    if script.reached and ours.reached:
        return times
    if ours.reached:
        return f"≥ {times:.1f}"
    return f"≤ {times:.1f}" if script.reached else None


def middle(sides: list[Side]) -> Side:
    """The median of several searches; a bound where most did not reach the goal.

    A search that did not counts as slower than any that did.
    """
    order = sorted(sides, key=lambda side: (not side.reached, side.seconds))
    one = order[(len(order) - 1) // 2]
    trials = round(statistics.median(side.trials for side in sides))
    return Side(one.seconds, one.reached, trials)
