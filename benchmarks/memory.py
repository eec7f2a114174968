"""Resident memory of one worker's engine against the number of trials, each of another shape.

Every trial draws a new network (convolutions, widths, kernels, activation, optimizer, batch size),
so that nearly every one compiles a function of its own: a worker's worst case. Memory is read after
each trial, with the cache of compiled functions as a worker has it.
"""

from __future__ import annotations

import gc
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table

__all__ = ["run"]

SAMPLES, LENGTH, FOLDS, EPOCHS = 200, 50, 2, 2
TRIALS: dict[Size, int] = {"full": 300, "quick": 100, "smallest": 6}
WARM = 50
"""Trials after which growth is counted: TensorFlow and the cache of functions are full then."""
ALLOWED = 300
"""Megabytes of growth allowed from then to the end of 300 trials."""


def run(size: Size) -> Outcome:
    """Run the trials in a process of its own."""
    trials = TRIALS[size]
    found = process.run("benchmarks.memory", {"trials": trials}, OMP_NUM_THREADS="1")
    resident, traced = found["resident_mb"], found["traced"]
    shown = sorted({0, *range(max(trials // 12, 1), trials + 1, max(trials // 12, 1)), trials})
    rows = [(trial, round(resident[trial]), sum(traced[:trial])) for trial in shown]
    seconds = found["cpu_seconds"] / trials
    notes = [
        f"{SAMPLES} samples of {LENGTH} bases, {FOLDS} folds, {EPOCHS} epochs.",
        f"{seconds:.2f} s of processor a trial, compiling included.",
    ]
    if trials > WARM:
        growth = max(resident[WARM:]) - resident[WARM]
        notes.append(
            f"Growth after trial {WARM}: {growth:.0f} MB (allowed over 300 trials: {ALLOWED} MB)."
        )
    table = Table("Memory of one worker", ("trials", "MB", "functions compiled"), rows)
    return Outcome((table,), tuple(notes), {"trials": trials, "resident_mb": resident})


def resident_megabytes() -> float:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """One configuration."""
    params = {
        "family": "cnn",
        "conv_layers": int(rng.integers(1, 4)),
        "filters": int(rng.integers(4, 33)),
        "kernel": int(rng.integers(3, 13)),
        "pool": int(rng.choice([2, 4])),
        "pooling_head": str(rng.choice(["flat", "max", "average"])),
        "dense_layers": int(rng.integers(0, 3)),
        "neurons": int(rng.integers(8, 65)),
        "activation": str(rng.choice(["relu", "gelu", "elu", "silu"])),
        "batch_norm": bool(rng.integers(2)),
        "batch_size": int(rng.choice([32, 64, 128])),
        "optimizer": str(rng.choice(["adam", "adamw", "sgd", "rmsprop"])),
        "dropout": float(rng.uniform(0, 0.6)),
    }
    return params | ({"momentum": 0.9} if params["optimizer"] == "sgd" else {})


def work(spec: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Train one trial after another, and read memory after each."""
    from geno_hpo.training.setup import configure

    configure(1)
    from geno_hpo.models import ModelShape
    from geno_hpo.training.one_hot import OneHotCoding
    from geno_hpo.training.protocol import FitPlan, Replica
    from geno_hpo.training.tensorflow import TensorFlowEngine

    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (SAMPLES, LENGTH)).astype(np.int8)
    labels = (codes[:, 3:4] == 1).astype(np.float32)
    shape = ModelShape("sequence", LENGTH, 4, 1, "binary")
    engine = TensorFlowEngine(OneHotCoding(codes), labels, shape, lambda *_: 0.0)
    where = np.arange(SAMPLES)
    folds = [(where[where % 5 != fold], where[where % 5 == fold]) for fold in range(FOLDS)]
    replicas = tuple(Replica(*fold, number) for number, fold in enumerate(folds))
    gc.collect()
    gc.freeze()  # as a worker does
    resident, traced = [resident_megabytes()], []
    begun = time.process_time()
    for _ in range(spec["trials"]):
        result = engine.fit(FitPlan(draw(rng), replicas, epochs=EPOCHS), lambda _: False)
        traced.append(int(not result.reused))
        resident.append(resident_megabytes())
    seconds = time.process_time() - begun
    return {"resident_mb": resident, "traced": traced, "cpu_seconds": seconds}


if __name__ == "__main__":
    process.side(work)
