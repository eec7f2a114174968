"""What workers do after the search beside the final fits; none of it changes what was chosen.

- ``trivial``: the models that shame a pipeline, on the folds and the test set.
- ``restart``: a leading configuration once more on the folds, from another seed.
- ``share``: the winner or the best baseline on the folds, with a share of their training parts.
- ``folds``: the winner once more on the folds, and what the network of each fold looks at.

Each takes the worker's engines and the task, and gives a validation score and the arrays to keep.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from geno_hpo.errors import TrialFailed
from geno_hpo.evaluation.trivial import trivial_models
from geno_hpo.splits import Fold, thinned
from geno_hpo.study.engines import Engines
from geno_hpo.study.prepared import Prepared

__all__ = ["FURTHER", "thin_folds"]

Found = tuple[float, dict[str, Any]]


def trivial(engines: Engines, task: dict[str, Any]) -> Found:
    """Fit the trivial models."""
    found = trivial_models(engines.baselines, task["seed"])
    means = [float(np.mean(one.fold_scores)) for one in found]
    return max(means) if np.isfinite(means).all() else 0.0, {
        "names": np.asarray([one.name for one in found], np.str_),
        "reads": np.asarray([one.reads for one in found], np.str_),
        "fold_scores": np.asarray([one.fold_scores for one in found]),
        "predictions": np.stack([one.predictions for one in found]),
    }


def restart(engines: Engines, task: dict[str, Any]) -> Found:
    """Train a configuration on all folds, as the search did, from a seed of its own."""
    return _scored(_network(engines, task, None))


def share(engines: Engines, task: dict[str, Any]) -> Found:
    """Train on a share of every fold's training part; validation parts stay whole."""
    folds = thin_folds(engines.prepared, task["step"] / 100, engines.plan.seed)
    if task["model"] not in engines.plan.baselines:
        scores = _network(engines, task, folds)
    else:
        scores = engines.baselines.trial(
            task["model"],
            task["params"],
            seed=task["seed"],
            report=engines.halt,
            folds=folds,
        ).fold_scores
    score, arrays = _scored(scores)
    return score, arrays | {"samples": np.asarray([len(fold.train) for fold in folds])}


def folds(engines: Engines, task: dict[str, Any]) -> Found:
    """Ask the network of every fold about the samples that it did not learn from.

    The arrays are ``tracks (folds, features)``, and nothing where the loss left the numbers.
    """
    from geno_hpo.interpret import saliency_track

    evaluation, budget = engines.networks, engines.plan.config.budget
    try:
        result = evaluation.trial(
            task["params"],
            epochs=budget.epochs,
            patience=budget.patience,
            seed=task["seed"],
            report=engines.halt,
        )
    except TrialFailed:
        return 0.0, {}
    tracks = [
        saliency_track(
            evaluation, task["params"], weights, fold.valid, seed=engines.plan.seed, fold=number
        )
        for number, (fold, weights) in enumerate(
            zip(engines.prepared.split.folds, result.weights, strict=True)
        )
    ]
    score, arrays = _scored(result.fold_scores)
    return score, arrays | {"tracks": np.stack(tracks)}


def thin_folds(prepared: Prepared, kept: float, seed: int) -> tuple[Fold, ...]:
    """The folds with a share of their training samples: classes in proportion, groups whole."""
    target, split = prepared.dataset.target, prepared.split
    classes = target.values[:, 0] if target.task in ("binary", "multiclass") else None
    return tuple(
        Fold(
            thinned(
                fold.train,
                kept,
                strata=None if classes is None else classes[fold.train],
                groups=None if split.groups is None else split.groups[fold.train],
                seed=seed + number,
            ),
            fold.valid,
        )
        for number, fold in enumerate(split.folds)
    )


def _network(
    engines: Engines, task: dict[str, Any], folds: Sequence[Fold] | None
) -> Sequence[float]:
    """Fold scores of a network; NaN where its loss left the numbers."""
    budget = engines.plan.config.budget
    try:
        return engines.networks.trial(
            task["params"],
            epochs=budget.epochs,
            patience=budget.patience,
            seed=task["seed"],
            report=engines.halt,
            folds=folds,
        ).fold_scores
    except TrialFailed:
        return [float("nan")] * len(engines.prepared.split.folds)


def _scored(scores: Sequence[float]) -> Found:
    mean = float(np.mean(scores))
    return mean if np.isfinite(mean) else 0.0, {"fold_scores": np.asarray(scores, np.float64)}


FURTHER: dict[str, Callable[[Engines, dict[str, Any]], Found]] = {
    "trivial": trivial,
    "restart": restart,
    "share": share,
    "folds": folds,
}
"""By the kind of the task."""
