"""Throughput: one list of configurations, the same epochs, by three ways to search.

(a) the plain Optuna + ``model.fit`` + MLflow script, (b) KerasTuner, (c) geno_hpo with all cores,
or with one worker a GPU. Nothing is pruned and nothing ends early; every side trains the same
networks on the same single training part and judges them on the same validation part after each
epoch.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks import process
from benchmarks.cases import CASES
from benchmarks.folds import first_fold, write_folds
from benchmarks.launch import Arena
from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.study.gpus import visible_gpus

__all__ = ["run"]

SEED = 1


@dataclass(frozen=True)
class Contest:
    """So many configurations of a case, so many epochs each; of its shipped or its small space."""

    case: str
    configurations: int
    epochs: int
    shipped: bool = False


@dataclass(frozen=True)
class Settings:
    """How much is done."""

    contests: tuple[Contest, ...]
    samples: int | None = None


SIZES: dict[Size, Settings] = {
    "full": Settings(
        (
            Contest("primer", 24, 20),
            Contest("katG", 24, 6),
            Contest("wheat", 24, 20),
            Contest("primer", 16, 12, shipped=True),
        )
    ),
    "quick": Settings(
        (
            Contest("primer", 6, 6),
            Contest("katG", 6, 2),
            Contest("wheat", 6, 6),
            Contest("primer", 6, 6, shipped=True),
        )
    ),
    "smallest": Settings((Contest("primer", 2, 1),), 200),
}


def run(size: Size, case: str | None = None) -> Outcome:
    """Measure every case of this size, or one alone."""
    settings = SIZES[size]
    if case is not None:
        chosen = tuple(each for each in settings.contests if each.case == case)
        settings = replace(settings, contests=chosen)
    rows: list[tuple[Any, ...]] = []
    parts: list[tuple[Any, ...]] = []
    notes = []
    for contest in settings.contests:
        row, part, note = _hold(contest, settings.samples)
        print(f"{row[0]}: {row[3]:.2f} s a trial by script, {row[5]:.2f} s by geno_hpo", flush=True)
        rows.append(row)
        parts.append(part)
        if note not in notes:
            notes.append(note)
    if find_spec("keras_tuner") is None:
        notes.append("KerasTuner is not installed (pip install keras-tuner): side (b) was skipped")
    notes.append("seconds exclude imports, process starts and a warm-up, which every side had")
    return Outcome(
        tables=(
            Table(
                "Seconds a trial, and how many times faster geno_hpo is",
                (
                    "case",
                    "trials",
                    "epochs",
                    "script",
                    "KerasTuner",
                    "geno_hpo",
                    "script/geno",
                    "tuner/geno",
                    "trials an hour",
                    "processor s a trial",
                ),
                rows,
            ),
            Table(
                "geno_hpo: seconds a trial and worker, by part (idle: start, claim, storage, end)",
                (
                    "case",
                    "workers",
                    "trace",
                    "train",
                    "validate",
                    "report",
                    "other",
                    "outside",
                    "functions reused",
                    "start of a worker",
                    "start of the script",
                    "peak MB, all workers",
                    "peak MB, script",
                ),
                parts,
            ),
        ),
        notes=tuple(notes),
        settings=asdict(settings),
    )


def _hold(contest: Contest, samples: int | None) -> tuple[Any, Any, str]:
    case, epochs = CASES[contest.case], contest.epochs
    study = {
        "pruner": {"name": "none"},
        "budget": {"trials": contest.configurations, "epochs": epochs, "patience": epochs},
        "seed": SEED,
    }
    workers = len(visible_gpus()) or os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        arena = Arena(Path(folder), case, study, shipped=contest.shipped, samples=samples)
        configurations = arena.draw(contest.configurations, SEED)
        folds = Path(folder) / "folds.npz"
        spec = {
            "folds": str(folds),
            "shape": write_folds(folds, arena.plan, first_fold(arena.prepared)),
            "space": str(Path(folder) / "search_spaces" / "bench.yaml"),
            "configurations": configurations,
            "trials": len(configurations),
            "epochs": epochs,
            "sampler": "tpe",
            "prune": False,
            "scored": False,
            "goal": None,
            "limit": float("inf"),
            "seed": SEED,
        }
        arena.enqueue(configurations)
        ours = arena.race(workers, first_fold=True)
        script = process.run("benchmarks.script", spec)
        tuner = None
        if find_spec("keras_tuner") is not None:
            tuner = process.run("benchmarks.tuner", spec)
        note = arena.note
    for side, found in (("geno_hpo", ours.trials), ("script", script["trials"])):
        if found != len(configurations):
            raise RuntimeError(f"{side} did {found} of {len(configurations)} trials")
    trials = ours.trials
    mine, plain = ours.seconds / trials, script["seconds"] / trials
    tuned = tuner["seconds"] / tuner["trials"] if tuner else None
    label = f"{case.name}, shipped space" if contest.shipped else case.name
    told = [ours.parts.get(x, 0.0) / trials for x in ("trace", "train", "validate")]
    told += [ours.parts.get(x, 0.0) / trials for x in ("report", "other")]
    outside = workers * mine - sum(told)
    row: tuple[Any, ...]
    row = (label, trials, epochs, plain, tuned, mine, plain / mine, tuned and tuned / mine)
    row += (ours.per_hour, ours.processor / trials)
    part = (label, workers, *told, outside, ours.parts["reused_share"])
    part += (ours.import_seconds, script["import_seconds"], ours.peak_mb, script["peak_mb"])
    return row, part, note
