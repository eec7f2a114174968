"""Problems and hyperparameters that the baselines' tests share."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from geno_hpo.baselines import BaselineProblem, FoldData, Setting
from geno_hpo.metrics import default_metric

TASKS = ["binary", "multiclass", "multilabel", "regression"]
PARAMS: dict[str, dict] = {
    "ridge": {"family": "ridge", "penalty": 0.1},
    "elastic_net": {"family": "elastic_net", "penalty": 0.02, "l1_ratio": 0.5},
    "kernel_ridge": {"family": "kernel_ridge", "kernel": "rbf", "width": 1.0},
    "kmer": {"family": "kmer", "penalty": 0.1, "features": "kmer", "k": 4, "both_strands": True},
    "random_forest": {
        "family": "random_forest",
        "trees": 30,
        "max_depth": 0,
        "max_features": 0.3,
        "min_samples_leaf": 2,
    },
    "lightgbm": {
        "family": "lightgbm",
        "rounds": 40,
        "patience": 20,
        "report_every": 5,
        "learning_rate": 0.1,
        "num_leaves": 8,
        "min_child_samples": 5,
        "subsample": 0.8,
        "colsample": 0.5,
        "lambda_l1": 0.0,
        "lambda_l2": 1.0,
    },
}


def problem(task: str, *, permuted: bool = False, n: int = 360, seed: int = 0) -> BaselineProblem:
    """Three folds of 0/1 features, five of which matter."""
    rng = np.random.default_rng(seed)
    x = (rng.random((n, 20)) < 0.4).astype(np.uint8)
    drive = (x[:, :5] - 0.4) @ np.array([3, -3, 2, 2, -2.0])
    y: np.ndarray
    if task == "binary":
        y = (rng.random(n) < expit(2 * drive))[:, None]
    elif task == "multiclass":
        y = np.digitize(drive + rng.normal(size=n) * 0.3, [-1, 1])[:, None]
    elif task == "multilabel":
        y = np.stack([rng.random(n) < expit(s * 2 * drive) for s in (1, -1)], axis=1)
    else:
        y = (drive + rng.normal(size=n) * 0.5)[:, None] * 100 + 1000
    labels = y.astype(np.float32)
    if task == "multilabel":
        labels[::6, 1] = np.nan
    if permuted:
        labels = labels[rng.permutation(n)]
    folds = []
    for start in range(3):
        valid = np.arange(n) % 3 == start
        folds.append(FoldData(x[~valid], labels[~valid], x[valid], labels[valid]))
    units = 3 if task == "multiclass" else labels.shape[1]
    return BaselineProblem(tuple(folds), default_metric(task), Setting(task, units))


def silent(step: int, score: float, scores: list[float]) -> bool:
    return False
