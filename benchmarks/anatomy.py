"""Anatomy: where the seconds of a trial go, in one worker of a real study.

A `Worker` runs in a fresh process with a stopwatch on what it calls between and within epochs:
claim, ask, sampler, report, pruner, MLflow's records, endings; the engine tells its own parts. Wall
milliseconds a trial; `own` leaves out the timed functions inside, so that the column adds up.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import process
from benchmarks.cases import CASES
from benchmarks.launch import Arena
from benchmarks.outcome import Outcome, Size, Table

__all__ = ["run", "work"]

WRITER = "(thread) MLflow writer"


@dataclass(frozen=True)
class Settings:
    """How much is done."""

    trials: int
    epochs: int
    folds: int
    samples: int | None


SIZES: dict[Size, Settings] = {
    "full": Settings(40, 20, 5, None),
    "quick": Settings(20, 20, 5, None),
    "smallest": Settings(2, 1, 2, 200),
}


def run(size: Size) -> Outcome:
    """Take one worker's trials apart, with shared shapes and with the shipped space."""
    settings = SIZES[size]
    tables, notes = [], []
    for shipped in (False,) if size == "smallest" else (False, True):
        study = {
            "split": {"folds": settings.folds},
            "budget": {
                "trials": settings.trials,
                "epochs": settings.epochs,
                "patience": min(8, settings.epochs),
            },
            "seed": 1,
        }
        with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
            arena = Arena(
                Path(folder), CASES["primer"], study, shipped=shipped, samples=settings.samples
            )
            arena.pool.fill(settings.trials)
            arena.record.set(phase="search")
            found = process.run(
                "benchmarks.anatomy",
                {"root": folder, "maximise": arena.maximise},
                OMP_NUM_THREADS="1",
            )
            trials = arena.pool.study.get_trials(deepcopy=False)
            epochs = sum(len(t.intermediate_values) for t in trials)
            told = [t.user_attrs for t in trials if "seconds" in t.user_attrs]
            reused = sum(bool(attributes["reused"]) for attributes in told)
        tables.append(_table("shipped space" if shipped else "shapes shared", found, settings))
        notes.append(
            f"{'shipped' if shipped else 'shared'}: {found['trials']} trials, {epochs} epochs in "
            f"all, {reused} reused a compiled function; {found['seconds']:.1f} s in all, "
            f"{found['processor'] / found['seconds']:.0%} of it processor time of the main thread"
        )
    return Outcome(tuple(tables), tuple(notes), asdict(settings))


def _table(title: str, found: dict[str, Any], settings: Settings) -> Table:
    trials, total = found["trials"], found["seconds"]
    rows: list[tuple[Any, ...]] = []
    for name, lap in found["laps"].items():
        if not lap["calls"]:
            continue
        share = None if name.startswith("(") else lap["own"] / total
        rows.append(
            (
                name,
                lap["calls"] / trials,
                1000 * lap["wall"] / lap["calls"],
                1000 * lap["wall"] / trials,
                1000 * lap["own"] / trials,
                1000 * lap["processor"] / trials,
                share,
            )
        )
    timed = sum(lap["own"] for name, lap in found["laps"].items() if not name.startswith("("))
    left = total - timed
    rows.append(("not timed", 1.0, None, None, 1000 * left / trials, None, left / total))
    columns: tuple[str, ...] = (
        "what",
        "calls a trial",
        "ms a call",
        "ms a trial",
        "own ms a trial",
    )
    columns += ("processor ms a trial", "share")
    return Table(f"One worker, {settings.folds} folds, primer, {title}", columns, rows)


def work(spec: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Run the study's trials in this process under the stopwatch."""
    from geno_hpo.training.setup import configure

    configure(1)
    process.warm_up()
    import optuna

    from benchmarks.stopwatch import Stopwatch
    from geno_hpo.metrics import Metric
    from geno_hpo.space import SearchSpace
    from geno_hpo.study import engines, worker
    from geno_hpo.study.budget import Budget
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.reports import Reporter, TrialReports
    from geno_hpo.study.storage import Pool
    from geno_hpo.tracking import RunLog, Writer
    from geno_hpo.training.cache import BoundedCache
    from geno_hpo.training.compiled import Compiled

    functions: dict[str, tuple[Any, str]] = {
        "claim": (Pool, "claim"),
        "TPE": (optuna.samplers.TPESampler, "sample_relative"),
        "suggest": (SearchSpace, "suggest"),
        "report an epoch": (TrialReports, "add"),
        "should the trial end?": (TrialReports, "should_prune"),
        "wait for the reporter": (Reporter, "settle"),
        "attributes": (Budget, "set_attributes"),
        "tell": (optuna.Study, "tell"),
        "MLflow: begin a run": (RunLog, "__init__"),
        "MLflow: log an epoch": (RunLog, "log"),
        "MLflow: end a run": (RunLog, "end"),
        "curves, predictions to files": (engines, "save_arrays"),
        "build model": (Compiled, "__init__"),
        "trace, rest": (Compiled, "trace"),
        "trace the graph": (Compiled, "_function"),
        "take apart a function": (Compiled, "close"),
        "drop from the cache": (BoundedCache, "drop"),
        "initial weights": (Compiled, "initial_state"),
        "epoch of one fold": (Compiled, "epoch"),
        "final weights": (Compiled, "weights"),
        "score": (Metric, "score"),
        "is the study finished?": (worker.Worker, "_finished"),
        WRITER: (Writer, "_try"),
    }
    plan = load_plan(Project(Path(spec["root"])), "bench")
    one = worker.Worker(plan, maximise=spec["maximise"])
    with Stopwatch(functions) as watch:
        begun, used = time.perf_counter(), time.thread_time()
        done = one.run()
        seconds, processor = time.perf_counter() - begun, time.thread_time() - used
    return {
        "trials": done,
        "seconds": seconds,
        "processor": processor,
        "laps": {name: asdict(lap) for name, lap in watch.laps.items()},
    }


if __name__ == "__main__":
    process.side(work)
