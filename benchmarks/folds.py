"""The folds as plain arrays, for the sides that are ordinary Keras scripts.

The same samples, preprocessing and scaling as geno_hpo's own side: inputs float32 ``(n, length,
4)`` or ``(n, variants)``, targets ``(n, 1)`` (a trait scaled by its training part).
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo.encoding import one_hot
from geno_hpo.evaluation.shape import model_shape
from geno_hpo.preprocess import fit_target, fit_variants
from geno_hpo.splits import Split
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared

__all__ = ["first_fold", "read_folds", "write_folds"]

Fold = dict[str, np.ndarray[Any, Any]]


def first_fold(prepared: Prepared) -> Prepared:
    """The same data with the first fold alone."""
    split = prepared.split
    one = Split(split.development, split.test, split.folds[:1], split.seed)
    return Prepared(prepared.dataset, one)


def write_folds(path: Path, plan: StudyPlan, prepared: Prepared) -> dict[str, Any]:
    """Write every fold's arrays to `path` (npz) and give the model's shape as plain values."""
    dataset = prepared.dataset
    shape = model_shape(dataset, plan.settings)
    task, labels, codes = dataset.target.task, dataset.target.values, np.asarray(dataset.codes)
    arrays: Fold = {}
    for number, fold in enumerate(prepared.split.folds):
        if dataset.kind == "sequence":
            inputs = [one_hot(codes[part], shape.symbols) for part in (fold.train, fold.valid)]
        else:
            fitted = fit_variants(codes, labels, fold.train, plan.settings, task)
            inputs = [fitted.transform(codes[part]) for part in (fold.train, fold.valid)]
        targets = [labels[fold.train], labels[fold.valid]]
        if task == "regression":
            scale = fit_target(labels, fold.train, task, enabled=True)
            targets = [scale.forward(part) for part in targets]
        for name, values in zip(("train", "valid"), inputs, strict=True):
            arrays[f"x_{name}{number}"] = values.astype(np.float32)
        for name, values in zip(("train", "valid"), targets, strict=True):
            arrays[f"y_{name}{number}"] = values.astype(np.float32)
    np.savez(path, **arrays)  # type: ignore[arg-type]
    return asdict(shape)


def read_folds(path: Path) -> list[Fold]:
    """What `write_folds` wrote, one dictionary a fold."""
    with np.load(path) as held:
        count = sum(name.startswith("x_train") for name in held.files)
        names = ("x_train", "y_train", "x_valid", "y_valid")
        return [{name: held[f"{name}{i}"] for name in names} for i in range(count)]
