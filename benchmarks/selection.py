"""Seconds and memory of choosing variants inside every fold, on a matrix as large as a SNP array.

The codes lie in a file that is mapped into memory, as a study's do. A process of its own does the
work, so that its peak memory is that of the selection; pages of the file that the kernel may drop
at any time are counted apart.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import ROOT
from benchmarks.outcome import Outcome, Size, Table

FOLDS = 5
COLUMNS = ("task", "folds", "seconds", "CPU seconds", "peak MB", "of it file MB")


@dataclass(frozen=True)
class Settings:
    """Samples, variants, and how many are kept."""

    samples: int
    variants: int
    select: int
    tasks: tuple[str, ...]


SIZES: dict[Size, Settings] = {
    "full": Settings(3450, 315_000, 5000, ("regression", "binary", "regression, pruned")),
    "quick": Settings(1000, 50_000, 1000, ("regression", "binary", "regression, pruned")),
    "smallest": Settings(100, 2000, 50, ("regression",)),
}


def run(size: Size) -> Outcome:
    """Write the matrix, then choose variants in all folds, a process for each task."""
    settings = SIZES[size]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_matrix(folder, settings)
        rows = [measured(folder, task, settings.select) for task in settings.tasks]
    title = f"{settings.select} of {settings.variants} variants, {settings.samples} samples"
    notes = (
        "dosages with 2 % not called, in blocks of linked neighbours; traits of 50 variants",
        "pruned: squared correlation at most 0.8 within 50 neighbours",
    )
    shape = {"samples": settings.samples, "variants": settings.variants, "folds": FOLDS}
    return Outcome((Table(title, COLUMNS, rows),), notes, shape | {"select": settings.select})


def write_matrix(folder: Path, settings: Settings) -> None:
    """Write ``codes.npy`` and ``trait.npy``, block by block."""
    rng = np.random.default_rng(1)
    shape = (settings.samples, settings.variants)
    codes = np.lib.format.open_memmap(folder / "codes.npy", "w+", np.int8, shape)
    trait = rng.normal(size=settings.samples)
    for start in range(0, settings.variants, 1000):
        here = slice(start, min(start + 1000, settings.variants))
        width = here.stop - here.start
        cut = rng.uniform(0.5, 0.95, width).astype(np.float32)
        both = np.zeros((settings.samples, width), np.int8)
        for _ in range(2):
            drawn = rng.random((settings.samples, -(-width // 4)), dtype=np.float32)
            both += np.repeat(drawn, 4, axis=1)[:, :width] > cut
        both[rng.random(both.shape, dtype=np.float32) < 0.02] = -1
        if start < 50_000:
            trait += 0.3 * np.maximum(both[:, 7], 0)
        codes[:, here] = both
    codes.flush()
    np.save(folder / "trait.npy", trait.astype(np.float32)[:, None])


def measured(folder: Path, task: str, select: int) -> tuple[Any, ...]:
    """Run one task in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.selection", str(folder), task, str(select)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(ended.stdout)
    seconds = told["seconds"]
    return (task, FOLDS, seconds, told["cpu"], told["peak"], told["file"])


def select_folds(folder: Path, task: str, select: int) -> dict[str, float]:
    """Fit every fold's selection, as a study's launcher does; tell seconds and megabytes."""
    from geno_hpo.config import PreprocessConfig
    from geno_hpo.preprocess import rank_variants

    rule: dict[str, Any] = {"select": select, "min_maf": 0.01, "min_call_rate": 0.9}
    if task.endswith("pruned"):
        rule |= {"prune_r2": 0.8, "prune_window": 50}
    codes = np.load(folder / "codes.npy", mmap_mode="r")
    labels = np.load(folder / "trait.npy")
    kind = task.partition(",")[0]
    if kind == "binary":
        labels = (labels > np.median(labels)).astype(np.float32)
    number = np.arange(len(codes)) % FOLDS
    parts = [np.flatnonzero(number != fold) for fold in range(FOLDS)]
    settings = PreprocessConfig(**rule)
    begun, before = time.perf_counter(), time.process_time()
    ranked = rank_variants(
        codes, labels, parts, settings, kind, most=select, threads=os.cpu_count() or 1
    )
    for fold in ranked:
        fold.fitted(settings)
    seconds = time.perf_counter() - begun
    cpu = time.process_time() - before
    return {"seconds": round(seconds, 2), "cpu": round(cpu, 2)} | memory()


def memory() -> dict[str, float]:
    """Peak memory of this process, and the pages of mapped files it holds now, in megabytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    held = {line.split(":")[0]: line.split()[1] for line in lines if line.endswith("kB")}
    return {"peak": int(held["VmHWM"]) / 1000, "file": int(held["RssFile"]) / 1000}


if __name__ == "__main__":
    print(json.dumps(select_folds(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
