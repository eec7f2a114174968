"""The content of a finished study's ``summary.json``; `geno_hpo.report.summary` has its keys."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from geno_hpo import __version__
from geno_hpo.compare import FoldScores, mean_score, score_interval
from geno_hpo.evaluation.permuted import permuted
from geno_hpo.models import family_label
from geno_hpo.outcome import TestPredictions
from geno_hpo.study.control import Controlled, control_result, positive_control
from geno_hpo.study.evidence import Evidence, evidence
from geno_hpo.study.final import control_winners, leaders
from geno_hpo.study.finished import Finished
from geno_hpo.study.found import Further, further_results
from geno_hpo.study.front import choose, costs_of, front, score_of
from geno_hpo.training.setup import chosen_backend

__all__ = ["summary_of"]

PACKAGES = ("keras", "tensorflow", "optuna", "mlflow", "scikit-learn", "lightgbm")


def summary_of(finished: Finished, test: TestPredictions) -> dict[str, Any]:
    """Draw up the summary; without test predictions nothing of the sealed test set."""
    plan, dataset, split = finished.plan, finished.prepared.dataset, finished.prepared.split
    tally = finished.pools["network"].tally()
    winner = finished.best("network")
    params = dict(plan.space.short(winner.params))
    board = [_row(finished, part, test) for part in ("network", *plan.baselines)]
    data: dict[str, Any] = {
        "name": dataset.name,
        "simulated": dataset.origin.simulated,
        "samples": dataset.samples,
        "features": dataset.features,
        "fingerprint": dataset.fingerprint,
        "loci": [locus.name for locus in dataset.loci],
        "oracle": dict(dataset.truth.oracle) if dataset.truth else None,
        "output_oracles": dict(dataset.truth.outputs) if dataset.truth else {},
    }
    return {
        "study": plan.key.name,
        "generation": plan.key.generation,
        **({"outer_fold": plan.key.outer} if plan.key.outer else {}),
        "question": plan.config.question,
        "data": data,
        "task": plan.config.task,
        "target": list(dataset.target.names),
        "metric": plan.metric,
        "trials": {
            "asked": plan.config.budget.trials,
            "complete": tally[TrialState.COMPLETE],
            "pruned": tally[TrialState.PRUNED],
            "failed": sum(t.state == TrialState.FAIL for t in finished.pools["network"].trials()),
        },
        "best": {
            "model": params.pop("family"),
            "trial": winner.number,
            "params": params,
            "epochs": int(winner.user_attrs["best_epoch"]),
            "parameters": winner.user_attrs.get("parameters"),
            **_cv(winner),
        },
        "objectives": list(plan.config.objectives),
        "front": _front(finished),
        "leaderboard": sorted(board, key=_rank, reverse=finished.metric.maximise),
        **_proved(finished, board, test),
        **further_results(_further(finished, test)),
        "audit": finished.record.get("audit"),
        "seal": _seal(finished) if test.models else None,
        "withheld": bool(finished.record.get("seal")) and not test.models,
        "split": {
            "kind": plan.config.split.kind,
            "folds": len(split.folds),
            "repeats": len(split.rounds),
            "development_samples": len(split.development),
            "test_samples": len(split.test),
            "fingerprint": split.fingerprint,
        },
        "seconds": _seconds(finished),
        "seed": plan.config.seed,
        "published": [entry.model_dump() for entry in plan.config.published],
        "versions": {
            "geno_hpo": __version__,
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
            **({"jax": version("jax")} if chosen_backend() == "jax" else {}),
        },
    }


def _front(finished: Finished) -> dict[str, Any] | None:
    """The Pareto front and what the winner was chosen by; None with one objective."""
    names = finished.plan.costs
    pool = finished.pools["network"]
    trials, maximise = pool.trials(), finished.metric.maximise
    found = choose(trials, maximise=maximise)
    if not names or found is None:
        return None
    best = score_of(found.best) or 0.0
    return {
        "best_trial": found.best.number,
        "best_score": best,
        "error": found.error,
        "limit": best - found.error if maximise else best + found.error,
        "rows": [
            {
                "trial": trial.number,
                "model": str(finished.plan.space.short(trial.params)["family"]),
                "score": score_of(trial),
                "costs": dict(zip(names, costs_of(trial), strict=True)),
            }
            for trial in front(trials, maximise=maximise)
        ],
    }


def _rank(row: dict[str, Any]) -> float:
    return float(row["cv_mean"] if row["test"] is None else row["test"])


def _proved(
    finished: Finished, board: list[dict[str, Any]], test: TestPredictions
) -> dict[str, Any]:
    """What rests on the sealed test set."""
    if not test.models:
        return {"comparison": None, "control": None, "positive_control": None}
    truth = finished.prepared.dataset.truth
    network = next(row["test"] for row in board if row["kind"] == "network")
    return {
        **evidence(_evidence(finished, board, test)),
        "positive_control": positive_control(
            finished.metric, truth.oracle if truth else None, network
        ),
        "control": control_result(_controlled(finished, test)),
    }


def _seal(finished: Finished) -> dict[str, Any]:
    """The seal's record, with the search trials that have ended since it was opened."""
    seal = dict(finished.record.get("seal"))
    ended = sum(t.state.is_finished() for t in finished.pools["network"].trials())
    return seal | {"trials_after": max(ended - seal["trials_before"], 0)}


def _cv(trial: FrozenTrial) -> dict[str, float | None]:
    """Mean and standard deviation over the folds; a single one has no deviation."""
    scores = np.asarray(trial.user_attrs["fold_scores"], dtype=np.float64)
    spread = float(scores.std(ddof=1)) if len(scores) > 1 else None
    return {"cv_mean": float(scores.mean()), "cv_std": spread}


def _row(finished: Finished, part: str, test: TestPredictions) -> dict[str, Any]:
    """One line of the leaderboard."""
    best = finished.best(part)
    space = finished.plan.baselines.get(part, finished.plan.space)
    model = str(space.short(best.params)["family"])
    row = {
        "model": model,
        "kind": "network" if part == "network" else "baseline",
        **_cv(best),
        "trials": finished.plan.budgets[part],
        "seconds": round(_own_seconds(finished, part), 2),
    }
    if not test.models:
        return row | {"test": None, "test_ci": None, "test_error": None, "test_seeds": []}
    predictions = test.models[model]
    seeds = [finished.metric.score(test.truth, one) for one in predictions]
    interval = score_interval(
        test.truth,
        predictions,
        finished.metric,
        seed=finished.plan.config.seed,
        groups=finished.test_groups,
    )
    return row | {
        "test": float(np.mean(seeds)),
        "test_ci": [float(interval.low), float(interval.high)],
        "test_error": float(interval.error),
        "test_seeds": [float(score) for score in seeds],
    }


def _evidence(finished: Finished, board: list[dict[str, Any]], test: TestPredictions) -> Evidence:
    """Gather what the comparisons, calibration and the like are drawn from."""
    plan, prepared = finished.plan, finished.prepared
    dataset, split = prepared.dataset, prepared.split
    network = next(row for row in board if row["kind"] == "network")
    baselines = [row for row in board if row["kind"] == "baseline"]
    sign = 1.0 if finished.metric.maximise else -1.0
    rival = max(baselines, key=lambda row: sign * row["cv_mean"], default=None)
    parts = dict(zip([row["model"] for row in board], ("network", *plan.baselines), strict=True))
    return Evidence(
        test=test,
        task=plan.config.task,
        targets=dataset.target.names,
        metric=finished.metric,
        network=network["model"],
        chosen=rival["model"] if rival else "",
        folds=FoldScores(
            {
                model: tuple(finished.best(part).user_attrs["fold_scores"])
                for model, part in parts.items()
            },
            train=float(np.mean([len(fold.train) for fold in split.folds])),
            valid=float(np.mean([len(fold.valid) for fold in split.folds])),
        ),
        test_errors={row["model"]: row["test_error"] for row in board},
        trials=plan.budgets["network"],
        seed=plan.config.seed,
        groups=finished.test_groups,
        named={name: groups[split.test] for name, groups in dataset.groups.items()},
        unseen=finished.unseen(),
        oracle=_oracle_scores(finished),
    )


def _oracle_scores(finished: Finished) -> NDArray[Any] | None:
    """What a simulation's oracle ranks the test samples by, if the study's metric is its own."""
    truth = finished.prepared.dataset.truth
    if truth is None or truth.scores is None or finished.metric.name not in truth.oracle:
        return None
    return truth.scores[finished.prepared.split.test]


def _further(finished: Finished, test: TestPredictions) -> Further:
    """Gather what the trivial models, restarts and learning curve are told from."""
    best = finished.best("network")
    network = str(finished.plan.space.short(best.params)["family"])
    folds = finished.prepared.split.folds
    return Further(
        metric=finished.metric,
        truth=test.truth,
        network=test.models.get(network),
        label=family_label(network),
        kept=finished.kept("trivial", "restart", "share"),
        leaders=tuple(
            (t.number, score_of(t) or 0.0, dict(finished.plan.space.short(t.params)))
            for t in leaders(finished.plan, finished.pools)
        ),
        valid=float(np.mean([len(fold.valid) for fold in folds])),
        seed=finished.plan.config.seed,
        groups=finished.test_groups,
    )


def _controlled(finished: Finished, test: TestPredictions) -> Controlled | None:
    """Gather what the control is judged by; None where it was left out."""
    plan = finished.plan
    if plan.config.control is None:
        return None
    found: dict[int, list[NDArray[np.float32]]] = {}
    for fit, arrays in finished.kept("control"):
        found.setdefault(fit.step, []).append(arrays["predictions"])
    values, split = finished.prepared.dataset.target.values, finished.prepared.split
    shuffled = {step: permuted(values, split, plan.control_seed(step)) for step in found}
    best = control_winners(plan, finished.pools["control"])
    network = str(plan.space.short(finished.best("network").params)["family"])
    return Controlled(
        metric=finished.metric,
        labels={step: shuffled[step][split.test] for step in found},
        predictions={step: np.stack(own) for step, own in found.items()},
        cv={step: float(np.mean(best[step].user_attrs["fold_scores"])) for step in found},
        asked=plan.permutations,
        test=mean_score(finished.metric, test.truth, test.models[network]),
        seed=plan.config.seed,
    )


def _seconds(finished: Finished) -> dict[str, float]:
    """Wall seconds of all launches, and the trials' own seconds by stage."""
    spent = finished.record.get("spent") or {}
    return {
        "total": float(spent.get("total", 0.0)),
        "search": round(_own_seconds(finished, "network"), 2),
        "baselines": round(_own_seconds(finished, *finished.plan.baselines), 2),
        "final": round(_own_seconds(finished, "final"), 2),
    }


def _own_seconds(finished: Finished, *parts: str) -> float:
    """Time of the trials of these parts, summed over the workers."""
    return sum(
        trial.duration.total_seconds()
        for part in parts
        for trial in finished.pools[part].trials()
        if trial.duration is not None
    )
