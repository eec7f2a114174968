"""Arrays that workers leave in a study's work folder for its results, and where each file lies."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo.training.protocol import FitResult

__all__ = ["curves_of", "curves_path", "final_path", "save_arrays", "unseen_path", "why_path"]


def curves_path(work: Path, part: str, number: int) -> Path:
    """File with a network trial's learning curves."""
    return work / "curves" / f"{part}-{number:05d}.npz"


def curves_of(result: FitResult) -> dict[str, Any]:
    """What that file holds."""
    return {
        "train_loss": result.train_loss,
        "valid_loss": result.valid_loss,
        "valid_score": result.scores,
        "train_accuracy": result.train_accuracy,
        "valid_accuracy": result.valid_accuracy,
        "best_epoch": np.asarray(result.best_epoch),
    }


def final_path(work: Path, name: str) -> Path:
    """File with a final fit's test predictions and attribution."""
    return work / "final" / f"{name}.npz"


def why_path(work: Path, name: str) -> Path:
    """File with what was asked of a restart of the winner: `geno_hpo.interpret.Explained`."""
    return work / "final" / f"{name}.why.npz"


def unseen_path(work: Path, number: int) -> Path:
    """File with a network trial's predictions of its validation folds.

    Kept of trials that were their worker's best so far, and so of the winner; with several
    objectives of all.
    """
    return work / "unseen" / f"{number:05d}.npz"


def save_arrays(path: Path, arrays: dict[str, Any]) -> None:
    """Write atomically: a killed worker leaves the old file or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{time.monotonic_ns()}.tmp")
    try:
        with draft.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
