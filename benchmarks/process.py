"""A side of a comparison in a process of its own, and the warm-up that every side gets.

`run` starts ``python -m MODULE SPEC`` where SPEC is a JSON file; the module calls `side` with its
work, which imports, warms up, and writes what it measured beside the specification.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT

__all__ = ["peak_megabytes", "run", "side", "start", "warm_up"]


def start(module: str, spec: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start one side; its output goes to ``SPEC.log``."""
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "MLFLOW_DISABLE_TELEMETRY": "true"}
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    with spec.with_suffix(".log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", module, str(spec)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=spec.parent,
            env={**os.environ, **quiet, "PYTHONPATH": paths, **environment},
        )


def run(module: str, content: dict[str, Any], **environment: str) -> dict[str, Any]:
    """Run one side to its end and give back what it measured.

    Raises
    ------
    RuntimeError
        The process failed; the message ends with its last words.
    """
    with tempfile.TemporaryDirectory(prefix="geno-bench-") as folder:
        spec = Path(folder) / "spec.json"
        spec.write_text(json.dumps(content))
        process = start(module, spec, environment)
        try:
            code = process.wait()
        except BaseException:
            process.kill()
            raise
        if code:
            raise RuntimeError(f"{module} ended with exit code {code}:\n{last_words(spec)}")
        found: dict[str, Any] = json.loads(spec.with_suffix(".found").read_text())
        return found


def last_words(spec: Path, lines: int = 15) -> str:
    """The end of a side's output."""
    return "\n".join(spec.with_suffix(".log").read_text(errors="replace").splitlines()[-lines:])


def side(work: Callable[[dict[str, Any], Path], dict[str, Any]]) -> None:
    """What a side's module calls: read the specification, work, write what was measured."""
    spec = Path(sys.argv[1])
    found = work(json.loads(spec.read_text()), spec.parent)
    spec.with_suffix(".found").write_text(json.dumps(found))


def warm_up() -> float:
    """Import what every side needs and train one tiny network once; seconds it took.

    TensorFlow's first kernel, Optuna's and MLflow's imports are thus paid by nobody's trials. The
    network has a form that no benchmark uses, so that nothing compiled is of use later.
    """
    begun = time.perf_counter()
    import keras
    import mlflow  # noqa: F401 - its import is what is waited for
    import numpy as np
    import optuna  # noqa: F401 - likewise

    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(1)])
    model.compile("adam", "binary_crossentropy")
    model.fit(np.zeros((8, 5), np.float32), np.zeros((8, 1), np.float32), epochs=2, verbose=0)
    keras.backend.clear_session()
    return time.perf_counter() - begun


def peak_megabytes() -> float:
    """Peak resident memory of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
