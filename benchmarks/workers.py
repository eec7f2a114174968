"""Workers: trials an hour with one, two and more worker processes, the same trials each time."""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.launch import Arena, Race
from benchmarks.outcome import Outcome, Size, Table

__all__ = ["run"]

SEED = 1


@dataclass(frozen=True)
class Settings:
    """How much is done."""

    workers: tuple[int, ...]
    trials: int
    epochs: int
    samples: int | None


SIZES: dict[Size, Settings] = {
    "full": Settings((1, 2, 4), 48, 20, None),
    "quick": Settings((1, 2, 4), 8, 6, None),
    "smallest": Settings((1,), 2, 1, 200),
}


def run(size: Size) -> Outcome:
    """Race the same enqueued configurations with each number of workers."""
    settings = SIZES[size]
    races = {workers: _race(workers, settings) for workers in settings.workers}
    one = races[settings.workers[0]]
    rows = [
        (
            workers,
            max((os.cpu_count() or 1) // workers, 1),
            race.trials,
            race.seconds,
            race.per_hour,
            race.per_hour / one.per_hour,
            race.import_seconds,
            race.peak_mb,
        )
        for workers, race in races.items()
    ]
    columns: tuple[str, ...] = (
        "workers",
        "threads each",
        "trials",
        "seconds",
        "trials an hour",
        "to the first",
    )
    columns += ("start of a worker, s", "peak MB, all")
    return Outcome(
        tables=(Table("Five folds a trial, primer, nothing pruned", columns, rows),),
        notes=("a worker's start is not in the seconds: they all wait until the search begins",),
        settings=asdict(settings),
    )


def _race(workers: int, settings: Settings) -> Race:
    study = {
        "pruner": {"name": "none"},
        "budget": {
            "trials": settings.trials,
            "epochs": settings.epochs,
            "patience": settings.epochs,
        },
        "seed": SEED,
    }
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        arena = Arena(Path(folder), CASES["primer"], study, samples=settings.samples)
        arena.enqueue(arena.draw(settings.trials, SEED))
        return arena.race(workers)
