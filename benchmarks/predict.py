"""Seconds and peak memory of predicting many samples by a bundle, in one call.

A bundle of five untrained convolutional networks for 13 drugs over 18 loci of 240 bases is
written, and folders of FASTA files of more and more samples. Each is predicted in a process of its
own, by what ``geno-hpo predict`` calls. Weights do not matter for time.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table
from benchmarks.resident import Peak, resident_bytes

__all__ = ["run"]

SAMPLES: dict[Size, tuple[int, ...]] = {
    "full": (100, 1000, 10_000, 40_000),
    "quick": (100, 1000, 10_000),
    "smallest": (20, 40),
}
LOCI = 18
LENGTH = 240
DRUGS = (
    *("inh", "rif", "emb", "pza", "str", "levo", "moxi", "oflx", "cip", "amk", "kan", "cap"),
    "eth",
)
RESTARTS = 5
PARAMS: dict[str, bool | int | float | str] = {
    "family": "cnn",
    "conv_layers": 2,
    "filters": 16,
    "kernel": 9,
}


def run(size: Size) -> Outcome:
    """Write the bundle once, and predict each folder of samples."""
    rows: list[tuple[int, float, float, float, float, int, int, int]] = []
    with tempfile.TemporaryDirectory(prefix="geno-predict-") as name:
        folder = Path(name)
        made = process.run("benchmarks.predict", {"folder": name, "samples": 0})
        for samples in SAMPLES[size]:
            write_fasta(folder / "input", samples)
            spec = {"folder": name, "samples": samples}
            found = process.run("benchmarks.predict", spec, TF_CPP_MIN_LOG_LEVEL="3")
            read, load, ask = (round(found[key], 1) for key in ("read", "load", "ask"))
            megabytes = [round(found[key] / 1e6) for key in ("before", "private", "resident")]
            rows.append((samples, read, load, ask, round(samples / found["ask"], 1), *megabytes))
    columns = (
        *("samples", "read s", "load s", "predict s", "samples/s"),
        *("before MB", "private MB", "resident MB"),
    )
    what = f"{RESTARTS} networks of {made['weights']:,} weights; {made['threads']} threads"
    notes = (
        f"{what}; {LOCI} loci × {LENGTH} bases, {len(DRUGS)} drugs.",
        "Before: private memory with TensorFlow and the models loaded. Then the peaks of the call.",
        "A sample is 4.3 kB of letters in memory, and 69 kB of float32 in its batch.",
    )
    return Outcome((Table("Samples predicted in one call", columns, rows),), notes)


def reference() -> np.ndarray:
    """Codes ``(LOCI × LENGTH,)`` that all samples resemble."""
    return np.random.default_rng(1).integers(0, 4, LOCI * LENGTH).astype(np.int8)


def write_fasta(folder: Path, samples: int) -> None:
    """Write a multi-FASTA a locus; each sample differs from the reference at some 1 % of it."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(2)
    base = reference()
    letters = np.frombuffer(b"ACGT", dtype=np.uint8)
    for locus in range(LOCI):
        here = base[locus * LENGTH : (locus + 1) * LENGTH]
        with (folder / f"locus{locus + 1}.fasta").open("wb") as stream:
            for sample in range(samples):
                own = np.where(rng.random(LENGTH) < 0.01, rng.integers(0, 4, LENGTH), here)
                stream.write(b">s%d\n%s\n" % (sample, letters[own].tobytes()))


def write_model(folder: Path) -> dict[str, Any]:
    """Write the bundle ``folder/bundle`` of untrained networks."""
    import os

    from geno_hpo.bundle import FORMAT, Contents, write_bundle
    from geno_hpo.models import ModelShape, build

    width = LOCI * LENGTH
    shape = ModelShape("sequence", width, 4, len(DRUGS), "multilabel", (LENGTH,) * LOCI)
    files = {}
    for seed in range(1, RESTARTS + 1):
        model = build(PARAMS, shape, plain=True, probabilities=True, seed=seed)
        path = folder / f"{seed}.keras"
        model.save(path)
        files[f"models/restart-{seed}.keras"] = path
    facts = {
        "format": FORMAT,
        "name": "benchmark",
        "kind": "sequence",
        "task": "multilabel",
        "targets": DRUGS,
        "thresholds": [{"target": x, "value": 0.5, "source": "one half"} for x in DRUGS],
        "width": width,
        "symbols": 4,
        "loci": [
            {"name": f"locus{i + 1}", "start": i * LENGTH, "stop": (i + 1) * LENGTH}
            for i in range(LOCI)
        ],
        "limits": {"unknown": 0.1, "locus": 0.25, "mismatch": 0.05},
        "models": [{"file": name, "seed": 1} for name in files],
        "family": "cnn",
        "params": PARAMS,
        "epochs": 0,
        "provenance": {"simulated": True},
        "versions": {},
    }
    encoding = {"reference": reference(), "genome": np.full(width, -1, dtype=np.int64)}
    write_bundle(Contents(facts, files, encoding, {}), folder / "bundle")
    return {"weights": int(model.count_params()), "threads": len(os.sched_getaffinity(0))}


def work(spec: dict[str, Any], _: Path) -> dict[str, Any]:
    """Make the bundle, or predict the samples that lie beside it."""
    folder = Path(spec["folder"])
    if not spec["samples"]:
        return write_model(folder)
    from geno_hpo.bundle import (
        InputOptions,
        open_bundle,
        open_samples,
        predict,
        write_predictions,
    )
    from geno_hpo.bundle.network import Ensemble

    with Peak() as peak:
        begun = time.perf_counter()
        bundle = open_bundle(folder / "bundle")
        ensemble = Ensemble(bundle)
        assert len(ensemble.models) == RESTARTS
        loaded = time.perf_counter()
        before = resident_bytes("RssAnon")
        samples = open_samples(bundle, (folder / "input",), InputOptions())
        read = time.perf_counter()
        found = predict(bundle, samples, ensemble=ensemble, leave_out=True)
        many = write_predictions(bundle.manifest, found, folder / "out.csv")
        done = time.perf_counter()
    assert many == spec["samples"]
    return {
        "load": loaded - begun,
        "read": read - loaded,
        "ask": done - read,
        "before": before,
        "private": peak.private,
        "resident": peak.resident,
    }


if __name__ == "__main__":
    process.side(work)
