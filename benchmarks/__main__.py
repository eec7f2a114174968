"""``python -m benchmarks [NAME …] [--size full|quick|smallest] [--out FOLDER]``."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast, get_args

from benchmarks.machine import ROOT, describe
from benchmarks.outcome import Outcome, Size

NAMES = {
    "throughput": "trials by geno_hpo, a plain script and KerasTuner",
    "floor": "an epoch against a hand-written loop and against the arithmetic",
    "pruning": "which pruner reaches a good score in the fewest epochs, by recorded curves",
    "search": "time until the search is nearly as good as it gets",
    "growth": "seconds and memory against samples, length, folds and finished trials",
    "calls": "the storage's part of growth alone",
    "workers": "trials an hour with one, two and more workers",
    "anatomy": "where the seconds of a trial go",
    "readers": "seconds and peak memory from a large PLINK file to a trained network",
    "selection": "seconds and memory of choosing variants inside every fold",
    "audits": "what the audit finds on every set of the catalogue",
    "memory": "memory of one worker over many trials",
    "verdict": "how often the verdict errs between equal models, and what it sees",
    "predict": "seconds and memory of predicting many samples by a bundle",
    "encode": "seconds to turn a BAM file into the sequences of a panel",
    "report": "seconds of each step of a finished study's report",
    "runs": "MLflow with 10,000 runs: its page and its searches",
    "windows": "a training step over each distinct window once, and plain",
    "replicas": "replica-epochs a second of the JAX engine, by replicas in one program",
}

OPTIONS = {
    "search": ("seeds", "limit"),
    "throughput": ("case",),
    "windows": ("case",),
    "report": ("project",),
    "runs": ("store",),
}
"""Options that a benchmark takes beside its size."""


def main() -> int:
    """Run the benchmarks that were named; all of them without a name."""
    known = [name for name in NAMES if find_spec(f"benchmarks.{name}")]
    listed = "\n".join(f"  {name:11} {NAMES[name]}" for name in known)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure geno_hpo. Benchmarks:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all of them")
    parser.add_argument("--size", choices=get_args(Size), default="full")
    parser.add_argument("--smallest", dest="size", action="store_const", const="smallest")
    parser.add_argument("--seeds", type=int, help="search: searches of each kind")
    parser.add_argument("--limit", type=float, help="search: most seconds of a script")
    parser.add_argument("--case", help="throughput, windows: this case alone, in its own file")
    parser.add_argument("--project", help="report: folder of the finished studies, default here")
    parser.add_argument("--store", help="runs: address of an empty database, in place of SQLite")
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results")
    options = parser.parse_args()
    wrong = [name for name in options.names if name not in known]
    if wrong:
        parser.error(f"no benchmark {', '.join(wrong)}; there are {', '.join(known)}")
    options.out.mkdir(parents=True, exist_ok=True)
    given = {
        "seeds": options.seeds,
        "limit": options.limit,
        "case": options.case,
        "project": options.project,
        "store": options.store,
    }
    for name in options.names or known:
        own = {key: given[key] for key in OPTIONS.get(name, ()) if given[key] is not None}
        measure(name, cast("Size", options.size), options.out, **own)
    return 0


def measure(name: str, size: Size, out: Path, **options: Any) -> None:
    """Run one benchmark, print it, and write ``out/NAME-SIZE[-CASE][-BACKEND].json``."""
    machine = describe()
    busy = machine["busy_before"]
    state = "idle" if machine["idle"] else f"NOT IDLE, {busy:.0%} busy" if busy else "idle unknown"
    print(f"\n# {name} ({size}) on {machine['cores']} cores of {machine['model']}: {state}")
    print(f"commit {machine['commit']}, load before {machine['load_before']}\n", flush=True)
    begun = time.perf_counter()
    outcome: Outcome = importlib.import_module(f"benchmarks.{name}").run(size, **options)
    seconds = round(time.perf_counter() - begun, 1)
    print(outcome.text(), flush=True)
    content = {"benchmark": name, "size": size, "seconds": seconds, "machine": machine}
    kind = options.get("store", "").partition(":")[0].partition("+")[0]
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    other = None if backend == "tensorflow" else backend
    names = filter(None, [options.get("case"), kind, other])
    path = out / "-".join([name, size, *names])
    path = path.with_suffix(".json")
    path.write_text(json.dumps({**content, **outcome.plain()}, indent=2, default=str) + "\n")
    print(f"\n{seconds:.0f} s; written to {path}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
