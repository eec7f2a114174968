"""Tiny data sets, one a task, and an engine on each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Parameters
from geno_hpo.preprocess import genotype_histograms
from geno_hpo.training.coding import Coding
from geno_hpo.training.dosages import DosageCoding
from geno_hpo.training.one_hot import OneHotCoding
from geno_hpo.training.protocol import FitPlan, Replica
from geno_hpo.training.setup import chosen_backend

SAMPLES, LENGTH, VARIANTS = 60, 12, 9
TASKS = ("binary", "multiclass", "multilabel", "regression", "counts")
"""The tasks; ``counts`` stands for a regression of counts (Poisson)."""
UNITS = {"binary": 1, "multiclass": 3, "multilabel": 2, "regression": 1, "counts": 1}


@dataclass(frozen=True)
class Scale:
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]


def targets(task: str, codes: NDArray[np.int8]) -> NDArray[np.float32]:
    first = codes[:, :3].astype(np.float32)
    if task == "binary":
        return (first[:, :1] > 1).astype(np.float32)
    if task == "multiclass":
        return np.clip(first[:, :1], 0, 2)
    if task == "multilabel":
        values = (first[:, :2] > 1).astype(np.float32)
        values[::4, 0] = np.nan
        values[1::5, 1] = np.nan
        return values
    if task == "counts":
        return np.maximum(first, 0).sum(axis=1, keepdims=True)
    return 3.0 + 2.0 * first.sum(axis=1, keepdims=True)


def score(truth: NDArray[np.float32], prediction: NDArray[np.float32]) -> float:
    """Higher is better, for every task: minus the squared distance to the truth."""
    if prediction.shape[1] == UNITS["multiclass"]:
        truth = np.eye(3, dtype=np.float32)[truth[:, 0].astype(int)]
    return -float(np.nanmean((truth - prediction) ** 2))


def coding(kind: str) -> Coding:
    rng = np.random.default_rng(3)
    if kind == "sequence":
        return OneHotCoding(rng.integers(-1, 4, (SAMPLES, LENGTH)).astype(np.int8))
    return DosageCoding(rng.integers(-1, 3, (SAMPLES, 2 * VARIANTS)).astype(np.int8), VARIANTS)


def constants(kind: str) -> tuple[NDArray, ...]:
    if kind == "sequence":
        return ()
    columns = np.arange(0, 2 * VARIANTS, 2, dtype=np.int32)
    fill, mean, scale = (np.full(VARIANTS, x, np.float32) for x in (1.1, 0.9, 0.7))
    scale[3] = np.inf
    return (columns, fill, mean, scale)


def shape(kind: str, task: str, loci: tuple[int, ...] = ()) -> ModelShape:
    if kind == "sequence":
        return ModelShape("sequence", LENGTH, 4, UNITS[task], plain(task), loci, task == "counts")
    return ModelShape("variants", VARIANTS, 1, UNITS[task], plain(task), counts=task == "counts")


def plain(task: str) -> str:
    """The task's name in a study."""
    return "regression" if task == "counts" else task


def engine(
    kind: str = "sequence", task: str = "binary", loci: tuple[int, ...] = (), **options
) -> Any:
    """An engine of this process's backend."""
    given = coding(kind)
    form = shape(kind, task, loci)
    return engine_kind()(
        given, targets(task, given.codes), form, options.pop("score", score), **options
    )


def engine_kind() -> Any:
    if chosen_backend() == "jax":
        from geno_hpo.training.jax import JaxEngine

        return JaxEngine
    from geno_hpo.training.tensorflow import TensorFlowEngine

    return TensorFlowEngine


def learned(kind: str, task: str, train: NDArray[np.intp]) -> dict[str, NDArray[np.float32]]:
    """What families take from a training part."""
    if kind == "sequence":
        return {}
    codes, columns = coding(kind).codes, constants(kind)[0]
    values = targets(task, codes)
    given = (codes, values, train, columns, UNITS[task], plain(task))
    return {"histograms": genotype_histograms(*given)}


def replica(fold: int = 0, kind: str = "sequence", task: str = "binary", seed: int = 7) -> Replica:
    where = np.arange(SAMPLES)
    valid = where % 4 == fold
    mean = {"regression": 5.0, "counts": 0.0}.get(task)
    scale = None if mean is None else Scale(np.float32([mean]), np.float32([2.5]))
    train = where[~valid]
    given = learned(kind, task, train)
    return Replica(train, where[valid], seed, constants(kind), scale, learned=given)


def plan(
    params: Parameters, kind: str = "sequence", task: str = "binary", folds: int = 1, **options
) -> FitPlan:
    replicas = tuple(replica(fold, kind, task) for fold in range(folds))
    return FitPlan(params, replicas, **{"epochs": 2, **options})


def weighted(given: FitPlan, weights: list[list[float]]) -> FitPlan:
    """The plan with these class weights ``(outputs, classes)`` in every replica."""
    own = np.array(weights, np.float32)
    return replace(given, replicas=tuple(replace(one, class_weights=own) for one in given.replicas))


def go_on(report: object) -> bool:
    return False


CNN = {"family": "cnn", "filters": 5, "kernel": 3, "neurons": 6, "batch_size": 16}
MLP = {"family": "mlp", "neurons": 6, "batch_size": 16}
