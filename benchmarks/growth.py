"""Growth: an epoch against samples, length and folds, and the storage against its trials.

Each row is a process of its own, so that peak memory is that row's. The last column is the slope
between neighbouring rows on logarithmic axes: 1 is linear.
"""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table

__all__ = ["SIZES", "STORAGE_NOTES", "run", "storage_table", "work"]

PARAMS: dict[str, int | str] = {
    "family": "cnn",
    "filters": 16,
    "kernel": 8,
    "pool": 4,
    "neurons": 16,
    "batch_size": 32,
}
WARM_EPOCHS = 2
EPOCH_SECONDS = 0.05
"""What stands for the training of an epoch between two reports."""

ATTRIBUTES = {
    "reason": "epochs",
    "fold_scores": [0.9] * 5,
    "epochs": 10,
    "best_epoch": 9,
    "reused": True,
    "batch_size": 32,
    "notes": [],
    "seconds": {"train": 0.5},
}
"""What a worker writes down with a trial that ends."""


STORAGE_NOTES = (
    "cold: the first look of a worker; the others are medians of what training waits for",
    "finished: trials of the shipped CNN space with 10 reported epochs each, SQLite",
)


@dataclass(frozen=True)
class Settings:
    """How much is done: the axes, the point that they cross in, and the storage's trials.

    `finished` counts complete trials, `waiting` those of the budget that have not begun.
    """

    samples: tuple[int, ...]
    length: tuple[int, ...]
    folds: tuple[int, ...]
    at: tuple[int, int, int]
    epochs: int
    storage: tuple[tuple[int, int], ...]


SIZES: dict[Size, Settings] = {
    "full": Settings(
        (500, 2000, 8000, 32000),
        (50, 200, 800, 3200),
        (1, 2, 5, 10),
        (2000, 200, 2),
        5,
        ((100, 10), (1000, 10), (10000, 10), (100, 1000)),
    ),
    "quick": Settings(
        (250, 1000), (50, 200), (1, 4), (500, 50, 2), 2, ((100, 10), (1000, 10), (100, 300))
    ),
    "smallest": Settings((100,), (), (), (100, 20, 1), 1, ((20, 2),)),
}


def run(size: Size) -> Outcome:
    """Measure every axis of this size."""
    settings = SIZES[size]
    axes = {"samples": settings.samples, "length": settings.length, "folds": settings.folds}
    tables = [
        _axis(index, name, values, settings)
        for index, (name, values) in enumerate(axes.items())
        if values
    ]
    return Outcome(
        tables=(*tables, storage_table(settings.storage)),
        notes=(
            "peak MB is the whole process, TensorFlow (some 600 MB) included",
            *STORAGE_NOTES,
        ),
        settings=asdict(settings),
    )


def _axis(index: int, name: str, values: tuple[int, ...], settings: Settings) -> Table:
    rows: list[tuple[Any, ...]] = []
    for value in values:
        point = list(settings.at)
        point[index] = value
        spec = {"what": "epoch", "point": point, "epochs": settings.epochs}
        found = process.run("benchmarks.growth", spec, OMP_NUM_THREADS="1")
        slope = _slope((rows[-1][0], rows[-1][1]), (value, 1000 * found["epoch"])) if rows else None
        rows.append((value, 1000 * found["epoch"], found["trace"], found["peak_mb"], slope))
    fixed = [f"{n} {v}" for n, v in zip(("samples", "length", "folds"), settings.at, strict=True)]
    del fixed[index]
    columns = (name, "ms an epoch of a trial", "s to trace", "peak MB", "slope")
    return Table(f"An epoch against {name} ({', '.join(fixed)}; one thread)", columns, rows)


def storage_table(points: tuple[tuple[int, int], ...]) -> Table:
    """Measure the storage's calls, a row for each number of finished and waiting trials."""
    rows: list[tuple[Any, ...]] = []
    for finished, waiting in points:
        spec = {"what": "storage", "finished": finished, "waiting": waiting}
        found = process.run("benchmarks.growth", spec)
        told = [1000 * found[x] for x in ("cold", "claim", "suggest")]
        told += [1000 * found[x] for x in ("report", "prune", "attributes", "tell", "tally")]
        rows.append((finished, waiting, *told, found["claim"] + found["suggest"], found["peak_mb"]))
    columns: tuple[str, ...] = (
        "finished",
        "waiting",
        "cold ms",
        "claim ms",
        "suggest ms",
        "report ms",
        "prune ms",
    )
    columns += ("attributes ms", "tell ms", "tally ms", "ask in all, s", "peak MB")
    return Table("Calls to the storage against its trials (defaults: TPE, ASHA)", columns, rows)


def _slope(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Between two points on logarithmic axes."""
    return math.log(second[1] / first[1]) / math.log(second[0] / first[0])


def work(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Measure one row."""
    measure = {"epoch": _measure_epoch, "storage": _measure_storage}[spec["what"]]
    return {**measure(spec, folder), "peak_mb": process.peak_megabytes()}


def _measure_epoch(spec: dict[str, Any], _folder: Path) -> dict[str, float]:
    """Seconds of one lockstep epoch, and of tracing."""
    from geno_hpo.training.setup import configure

    configure(1)
    from geno_hpo.models import ModelShape
    from geno_hpo.training.one_hot import OneHotCoding
    from geno_hpo.training.protocol import EpochReport, FitPlan, Replica
    from geno_hpo.training.tensorflow import TensorFlowEngine

    samples, length, folds = spec["point"]
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (samples, length), dtype=np.int8)
    labels = (codes[:, 3:4] == 1).astype(np.float32)
    shape = ModelShape("sequence", length, 4, 1, "binary")
    engine = TensorFlowEngine(OneHotCoding(codes), labels, shape, lambda *_: 0.5)
    valid = np.array_split(np.arange(samples), max(folds, 5))[:folds]
    replicas = tuple(
        Replica(np.setdiff1d(np.arange(samples), part), part, number)
        for number, part in enumerate(valid)
    )
    seconds: list[float] = []

    def report(epoch: EpochReport) -> bool:
        seconds.append(epoch.seconds)
        return False

    plan = FitPlan(PARAMS, replicas, epochs=WARM_EPOCHS + spec["epochs"])
    trace = engine.fit(plan, report).seconds["trace"]
    return {"epoch": statistics.median(seconds[WARM_EPOCHS:]), "trace": trace}


def _measure_storage(spec: dict[str, Any], folder: Path) -> dict[str, float]:
    """Seconds of each call to the storage in a study's course."""
    from benchmarks.storage import fill, open_filled
    from geno_hpo.config import PrunerConfig
    from geno_hpo.study.pruners import decides_at
    from geno_hpo.study.reports import Reporter, TrialReports

    space = fill(folder, spec["finished"], spec["waiting"])
    begun = time.perf_counter()
    pool, sampler = open_filled(folder)
    pool.tally()
    cold = time.perf_counter() - begun
    times: dict[str, list[float]] = {}

    def timed(name: str, call: Any, *given: Any) -> Any:
        begun = time.perf_counter()
        value = call(*given)
        times.setdefault(name, []).append(time.perf_counter() - begun)
        return value

    reporter = Reporter(pool.storage)
    for _ in range(5):
        pool.fill(len(pool.trials()) + 1 + spec["waiting"])
        claim = timed("claim", pool.claim, "here:1", sampler)
        trial = claim.trial
        timed("suggest", _draw, pool, space, trial)
        reports = TrialReports(trial, reporter, lambda epoch: decides_at(PrunerConfig(), epoch))
        for epoch in range(1, 11):
            time.sleep(EPOCH_SECONDS)
            timed("report", reports.add, epoch, 0.9)
            if decides_at(PrunerConfig(), epoch):
                timed("prune", reports.should_prune)
            timed("report", reports.look_ahead, epoch)
        reporter.settle()
        timed("attributes", pool.set_attributes, trial, ATTRIBUTES)
        timed("tell", pool.study.tell, trial, 0.9)
        timed("tally", pool.tally)
    reporter.close()
    return {"cold": cold, **{name: statistics.median(values) for name, values in times.items()}}


def _draw(pool: Any, space: Any, trial: Any) -> None:
    with pool.drawing():
        space.suggest(trial)


if __name__ == "__main__":
    process.side(work)
