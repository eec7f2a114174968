"""A geno_hpo worker process of a benchmark: the real `Worker`, warmed up as every side is.

It says that it is ready before the study's search begins, and when its trials (and what they had
to send to MLflow) were done. With ``first_fold`` it is given the first fold alone, which a study
file cannot ask for (`benchmarks.process` starts it).
"""

from __future__ import annotations

import os
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.process import peak_megabytes, side, warm_up

__all__ = ["work"]


def work(spec: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Wait for the search to begin and work until nothing waits."""
    begun = time.perf_counter()
    from geno_hpo.training.setup import chosen_backend, configure, trials_at_once

    configure(int(spec["threads"]))
    asked = os.environ.get("GENO_HPO_TRIALS_AT_ONCE")
    at_once = trials_at_once(None if asked is None else int(asked))
    warm_up()
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.prepared import Prepared, load_prepared

    worker: Any = import_module("geno_hpo.study.worker")

    if spec["first_fold"]:
        from benchmarks.folds import first_fold

        def load_one(*given: Any, **named: Any) -> Prepared:
            return first_fold(load_prepared(*given, **named))

        worker.load_prepared = load_one
    import_module(f"geno_hpo.training.{chosen_backend()}")  # its imports are not a trial's

    plan = load_plan(Project(Path(spec["root"])), "bench")
    stop = Path(spec["root"]) / "stop"
    one = worker.Worker(
        plan,
        maximise=spec["maximise"],
        threads=int(spec["threads"]),
        stop=stop.exists,
        at_once=at_once,
    )
    import_seconds = time.perf_counter() - begun
    (folder / f"ready-{spec['number']}").touch()
    before = time.process_time()
    done = one.run()
    return {
        "processor": time.process_time() - before,
        "ended": time.time(),
        "trials": done,
        "import_seconds": import_seconds,
        "peak_mb": peak_megabytes(),
    }


if __name__ == "__main__":
    side(work)
