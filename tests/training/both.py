"""What both engines must do alike: cases, and one side's results as plain arrays in a folder.

Keras's backend is fixed when it is imported, so the JAX side runs in a process of its own:
``KERAS_BACKEND=jax python -m tests.training.both FOLDER``. It trains every case, goes on from the
checkpoint that the other side left, and runs the checks of `tests.training.jax_checks`.
"""

from __future__ import annotations

import json
import sys
import traceback
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from geno_hpo.training.checkpoint import Snapshot, read_snapshot, write_snapshot
from geno_hpo.training.protocol import FitPlan, FitResult

from . import problems
from .problems import CNN, MLP, go_on
from .test_families import CASES as FAMILIES

KEY = "both"
UNEVEN = (45, 31, 17)
"""Training samples of the folds: with batches of 16 they differ in steps and in the last batch."""

CASES = {
    "cnn": (
        {**CNN, "conv_layers": 2, "batch_norm": True, "l2": 0.01, "clip_norm": 0.5},
        "sequence",
        "multilabel",
    ),
    "both strands": (
        {**CNN, "strands": "mean", "batch_norm": True, "max_norm": 0.8, "optimizer": "nadam"},
        "sequence",
        "multiclass",
    ),
    "trait": (
        {**MLP, "optimizer": "rmsprop", "momentum": 0.7, "weight_decay": 0.01, "batch_norm": True},
        "variants",
        "regression",
    ),
    "diet": FAMILIES["diet"],
}


def plan(name: str, **options) -> FitPlan:
    params, kind, task = CASES[name]
    whole = problems.plan(
        params, kind, task, folds=3, **{"epochs": 3, "restore": "last", **options}
    )
    cut = [
        replace(one, train=one.train[:size])
        for one, size in zip(whole.replicas, UNEVEN, strict=True)
    ]
    return replace(whole, replicas=tuple(cut))


@cache
def engine(name: str):
    _, kind, task = CASES[name]
    return problems.engine(kind, task)


class Kept:
    """A checkpoint that is written after one epoch, and read from where it was put."""

    def __init__(self, snapshot: Snapshot | None = None, due: int | None = None) -> None:
        self.snapshot, self._due, self._asked = snapshot, due, 0

    def load(self) -> Snapshot | None:
        return self.snapshot

    def due(self, size: int) -> bool:
        del size
        self._asked += 1
        return self._asked == self._due

    def save(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot


def train(name: str, folder: Path, side: str) -> FitResult:
    """Train a case, and leave its checkpoint after the first epoch."""
    kept = Kept(due=1)
    result = engine(name).fit(plan(name, checkpoint=kept), go_on)
    write_snapshot(folder / f"{side}-{name}.npz", kept.snapshot, KEY)
    return result


def go_on_from(name: str, folder: Path, side: str) -> FitResult:
    """Train a case from the checkpoint that a side left."""
    kept = Kept(read_snapshot(folder / f"{side}-{name}.npz", KEY))
    return engine(name).fit(plan(name, checkpoint=kept), go_on)


def arrays(result: FitResult) -> dict[str, np.ndarray]:
    found = {
        name: getattr(result, name)
        for name in ("scores", "train_loss", "valid_loss", "train_accuracy", "valid_accuracy")
    }
    for fold, (weights, guess) in enumerate(
        zip(result.weights, result.valid_predictions, strict=True)
    ):
        found |= {f"weight.{fold}.{i}": value for i, value in enumerate(weights)}
        found[f"prediction.{fold}"] = guess
    return found


def main(folder: Path) -> None:
    """The JAX side: results in ``jax-NAME.arrays.npz``, what went wrong in ``told.json``."""
    from geno_hpo.training.setup import configure

    configure(threads=1)
    from . import jax_checks

    jobs = {f"train {name}": lambda name=name: _train(name, folder) for name in CASES}
    jobs |= {name: check for name, check in vars(jax_checks).items() if name.startswith("check_")}
    told = {}
    for name, job in jobs.items():
        try:
            job()
            told[name] = ""
        except Exception:
            told[name] = traceback.format_exc()
    (folder / "told.json").write_text(json.dumps(told))


def _train(name: str, folder: Path) -> None:
    np.savez(folder / f"jax-{name}.arrays.npz", **arrays(train(name, folder, "jax")))
    if (folder / f"tensorflow-{name}.npz").exists():
        found = arrays(go_on_from(name, folder, "tensorflow"))
        np.savez(folder / f"jax-{name}.resumed.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
