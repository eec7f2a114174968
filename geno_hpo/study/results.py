"""What a finished study found, gathered from the storage and the work folder as plain results.

Nothing is trained here: scores on the sealed test set, intervals and the verdict are computed from
the predictions that the final fits left.
"""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from geno_hpo import __version__
from geno_hpo.compare import FoldScores, mean_score, score_interval
from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS, Metric
from geno_hpo.outcome import Attribution, Curves, StudyOutcome, TestPredictions, TrialRecord
from geno_hpo.study.control import Controlled, control_result, positive_control
from geno_hpo.study.evidence import Evidence, evidence
from geno_hpo.study.final import (
    FinalFit,
    control_winners,
    finished_fits,
    leaders,
    planned_fits,
)
from geno_hpo.study.found import Further, further_results
from geno_hpo.study.importance import hyperparameter_importance
from geno_hpo.study.jobs import control_labels, curves_path, final_path, unseen_path
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import Prepared, StudyPlan, load_plan, load_prepared
from geno_hpo.study.record import Record, find_run_study
from geno_hpo.study.storage import Pool, open_storage
from geno_hpo.study.why import explanation_of
from geno_hpo.study.worker import open_pools
from geno_hpo.training.setup import chosen_backend

__all__ = ["Finished", "load_finished", "outcome_of", "winner_unseen"]

PACKAGES = ("keras", "tensorflow", "optuna", "mlflow", "scikit-learn", "lightgbm")
STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


@dataclass(frozen=True)
class Finished:
    """A study whose final fits are done: plan, data, and the storage's parts."""

    plan: StudyPlan
    prepared: Prepared
    pools: dict[str, Pool]
    record: Record

    @property
    def metric(self) -> Metric:
        """The study's score."""
        return METRICS[self.plan.metric]


def load_finished(project: Project, name: str, *, test: bool = True) -> Finished:
    """Open a finished study; without its test set, one whose search has a winner.

    Raises
    ------
    InputError
        It has not been run, or is not finished yet.
    """
    load_plan(project, name)
    key = find_run_study(project, name)
    storage = open_storage(project.storage_url)
    plan = load_plan(project, str(key))
    maximise = METRICS[plan.metric].maximise
    pools = open_pools(plan, storage, maximise=maximise, create=False)
    record = Record(pools["network"].study)
    record.agree(plan)
    go_on = f"go on with: geno-hpo run {key.name}"
    if not test:
        without = [part for part in ("network", *plan.baselines) if pools[part].best() is None]
        if without:
            raise InputError(f"study {key} has no complete trial of {', '.join(without)}; {go_on}")
    else:
        done = finished_fits(plan, pools) if record.get("seal") else {}
        if not done or len(done) < len(planned_fits(plan, pools)):
            raise InputError(f"study {key} is not finished yet; {go_on}")
    return Finished(plan, load_prepared(plan, record.get("data")), pools, record)


def outcome_of(finished: Finished, *, test: bool = True) -> StudyOutcome:
    """Gather everything that the report shows; without `test` nothing of the sealed test set."""
    plan, prepared, pools = finished.plan, finished.prepared, finished.pools
    dataset, split = prepared.dataset, prepared.split
    fits = [fit for fit, _ in finished_fits(plan, pools).values()] if test else []
    told = _test_predictions(finished, fits)
    winner = pools["network"].best()
    if winner is None:
        raise InputError(f"study {plan.key} has no complete network trial")
    networks = [fit for fit in fits if fit.kind == "network"]
    attribution = _attribution(finished, networks) if test else None
    explanation = (
        None
        if attribution is None
        else explanation_of(
            plan,
            prepared,
            [fit.name for fit in networks],
            (attribution.scores, attribution.spread),
        )
    )
    importance = hyperparameter_importance(
        pools["network"].trials(), maximise=finished.metric.maximise
    )
    return StudyOutcome(
        summary={
            **_summary(finished, told),
            "importance": importance.shares,
            "explanation": explanation.content if explanation is not None else None,
        },
        question=plan.config.question,
        task=plan.config.task,
        target=dataset.target.names,
        notes=dataset.origin.notes,
        trials=tuple(_records(finished)),
        curves=_curves(curves_path(plan.work, "network", winner.number)),
        test=told,
        attribution=attribution,
        study_yaml=plan.text,
        space_yaml={space.name: space.text for space in plan.space.spaces},
        classes=dataset.target.classes,
        labels=np.asarray(dataset.target.values),
        parts=split.parts(dataset.samples),
        source=dataset.origin.source,
        licence=dataset.origin.licence,
        citation=dataset.origin.citation,
        explanation=explanation,
        importance=importance,
        trial_curves=_trial_curves(finished),
    )


def _trial_curves(finished: Finished) -> dict[int, Curves]:
    """Learning curves of the search's trials that left any, by number."""
    work = finished.plan.work
    numbers = [trial.number for trial in finished.pools["network"].trials()]
    paths = {number: curves_path(work, "network", number) for number in numbers}
    return {number: _curves(path) for number, path in paths.items() if path.exists()}


def _test_predictions(finished: Finished, fits: list[FinalFit]) -> TestPredictions:
    """Predictions of network and baselines, ``(seeds, samples, units)`` a model."""
    test = finished.prepared.split.test if fits else np.empty(0, np.intp)
    stacks: dict[str, list[NDArray[np.float32]]] = {}
    for fit in fits:
        if fit.kind in ("network", "baseline"):
            stacks.setdefault(fit.model, []).append(_saved(finished, fit)["predictions"])
    return TestPredictions(
        ids=tuple(finished.prepared.dataset.ids[i] for i in test),
        truth=finished.prepared.dataset.target.take(test),
        models={model: np.stack(stack) for model, stack in stacks.items()},
    )


def _saved(finished: Finished, fit: FinalFit) -> dict[str, NDArray[Any]]:
    path = final_path(finished.plan.work, fit.name)
    if not path.exists():
        raise InputError(
            f"the final fit {fit.name} is recorded, but its file {path} is gone; "
            f"start the study anew with: geno-hpo run {finished.plan.key.name} --fresh"
        )
    with np.load(path) as arrays:
        return dict(arrays)


def _curves(path: Path) -> Curves:
    with np.load(path) as arrays:
        accuracy = np.isfinite(arrays["valid_accuracy"]).any()
        return Curves(
            train_loss=arrays["train_loss"],
            valid_loss=arrays["valid_loss"],
            valid_score=arrays["valid_score"],
            train_accuracy=arrays["train_accuracy"] if accuracy else None,
            valid_accuracy=arrays["valid_accuracy"] if accuracy else None,
            best_epoch=int(arrays["best_epoch"]),
        )


def _attribution(finished: Finished, fits: list[FinalFit]) -> Attribution:
    from geno_hpo.interpret import summarise

    tracks = [_saved(finished, fit)["attribution"] for fit in fits]
    dataset = finished.prepared.dataset
    codes = dataset.codes
    if dataset.loci:  # codons are named by what changes in the development part
        codes = np.asarray(codes[finished.prepared.split.development])
    return summarise(tracks, codes, dataset)


def _records(finished: Finished) -> list[TrialRecord]:
    records = []
    for part, pool in finished.pools.items():
        stage = {"network": "search", "control": "control", "final": "final"}.get(part, "baseline")
        space = finished.plan.baselines.get(part, finished.plan.space)
        for trial in pool.trials():
            task = trial.user_attrs.get("task") or {}
            params = task.get("params") or (dict(space.short(trial.params)) if trial.params else {})
            records.append(_record(trial, stage, params, task.get("model", part)))
    return records


def _record(trial: FrozenTrial, stage: Any, params: dict[str, Any], fallback: str) -> TrialRecord:
    attributes = trial.user_attrs
    curve = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
    return TrialRecord(
        number=trial.number,
        stage=stage,
        model=str(params.get("family", fallback)),
        state=STATES[trial.state],  # type: ignore[arg-type]
        reason=str(attributes.get("reason", "")),
        score=trial.value,
        fold_scores=tuple(attributes.get("fold_scores", ())),
        curve=tuple(curve),
        epochs=int(attributes.get("epochs", len(curve))),
        best_epoch=int(attributes.get("best_epoch", 0)),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
        params={key: value for key, value in params.items() if key != "family"},
    )


def _summary(finished: Finished, test: TestPredictions) -> dict[str, Any]:
    plan, dataset, split = finished.plan, finished.prepared.dataset, finished.prepared.split
    tally = finished.pools["network"].tally()
    winner = _best(finished, "network")
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
            **_cv(winner),
        },
        "leaderboard": sorted(board, key=_rank, reverse=finished.metric.maximise),
        **_proved(finished, board, test, winner.number),
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


def _rank(row: dict[str, Any]) -> float:
    return float(row["cv_mean"] if row["test"] is None else row["test"])


def _proved(
    finished: Finished, board: list[dict[str, Any]], test: TestPredictions, winner: int
) -> dict[str, Any]:
    """What rests on the sealed test set."""
    if not test.models:
        return {"comparison": None, "control": None, "positive_control": None}
    truth = finished.prepared.dataset.truth
    network = next(row["test"] for row in board if row["kind"] == "network")
    return {
        **evidence(_evidence(finished, board, test, winner)),
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


def _best(finished: Finished, part: str) -> FrozenTrial:
    best = finished.pools[part].best()
    if best is None:
        raise InputError(f"study {finished.plan.key} has no complete trial of {part}")
    return best


def _cv(trial: FrozenTrial) -> dict[str, float | None]:
    """Mean and standard deviation over the folds; a single one has no deviation."""
    scores = np.asarray(trial.user_attrs["fold_scores"], dtype=np.float64)
    spread = float(scores.std(ddof=1)) if len(scores) > 1 else None
    return {"cv_mean": float(scores.mean()), "cv_std": spread}


def _row(finished: Finished, part: str, test: TestPredictions) -> dict[str, Any]:
    """One line of the leaderboard."""
    best = _best(finished, part)
    space = finished.plan.baselines.get(part, finished.plan.space)
    model = str(space.short(best.params)["family"])
    row = {
        "model": model,
        "kind": "network" if part == "network" else "baseline",
        **_cv(best),
        "trials": finished.plan.budgets[part],
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
        groups=_test_groups(finished),
    )
    return row | {
        "test": float(np.mean(seeds)),
        "test_ci": [float(interval.low), float(interval.high)],
        "test_error": float(interval.error),
        "test_seeds": [float(score) for score in seeds],
    }


def _test_groups(finished: Finished) -> NDArray[np.str_] | None:
    """Groups of the test samples where the split keeps groups together: they resample as one."""
    split = finished.prepared.split
    return None if split.groups is None else split.groups[split.test]


def _evidence(
    finished: Finished, board: list[dict[str, Any]], test: TestPredictions, winner: int
) -> Evidence:
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
                model: tuple(_best(finished, part).user_attrs["fold_scores"])
                for model, part in parts.items()
            },
            train=float(np.mean([len(fold.train) for fold in split.folds])),
            valid=float(np.mean([len(fold.valid) for fold in split.folds])),
        ),
        test_errors={row["model"]: row["test_error"] for row in board},
        trials=plan.budgets["network"],
        seed=plan.config.seed,
        groups=_test_groups(finished),
        named={name: groups[split.test] for name, groups in dataset.groups.items()},
        unseen=_unseen(finished, winner),
    )


def winner_unseen(finished: Finished) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Labels and predictions of the winner's validation folds; None where they were not kept."""
    return _unseen(finished, _best(finished, "network").number)


def _unseen(finished: Finished, winner: int) -> tuple[NDArray[Any], NDArray[Any]] | None:
    """Labels and predictions of the winner's validation folds, repeats averaged."""
    path = unseen_path(finished.plan.work, winner)
    if not path.exists():
        return None
    with np.load(path) as arrays:
        samples, place = np.unique(arrays["samples"], return_inverse=True)
        total = np.zeros((len(samples), arrays["predictions"].shape[1]))
        np.add.at(total, place, arrays["predictions"])
    return finished.prepared.dataset.target.take(samples), total / np.bincount(place)[:, None]


def _kept(finished: Finished, *kinds: str) -> list[tuple[FinalFit, dict[str, NDArray[Any]]]]:
    """The final fits of these kinds, and what they left."""
    fits = finished_fits(finished.plan, finished.pools).values()
    return [(fit, _saved(finished, fit)) for fit, _ in fits if fit.kind in kinds]


def _further(finished: Finished, test: TestPredictions) -> Further:
    """Gather what the trivial models, restarts and learning curve are told from."""
    best = _best(finished, "network")
    network = str(finished.plan.space.short(best.params)["family"])
    folds = finished.prepared.split.folds
    return Further(
        metric=finished.metric,
        truth=test.truth,
        network=test.models.get(network),
        label=network.upper(),
        kept=_kept(finished, "trivial", "restart", "share"),
        leaders=tuple(
            (t.number, float(t.value or 0), dict(finished.plan.space.short(t.params)))
            for t in leaders(finished.plan, finished.pools)
        ),
        valid=float(np.mean([len(fold.valid) for fold in folds])),
        seed=finished.plan.config.seed,
        groups=_test_groups(finished),
    )


def _controlled(finished: Finished, test: TestPredictions) -> Controlled | None:
    """Gather what the control is judged by; None where it was left out."""
    plan = finished.plan
    if plan.config.control is None:
        return None
    part = finished.prepared.split.test
    found: dict[int, list[NDArray[np.float32]]] = {}
    for fit, arrays in _kept(finished, "control"):
        found.setdefault(fit.step, []).append(arrays["predictions"])
    best = control_winners(plan, finished.pools["control"])
    network = str(plan.space.short(_best(finished, "network").params)["family"])
    return Controlled(
        metric=finished.metric,
        labels={step: control_labels(plan, finished.prepared, step)[part] for step in found},
        predictions={step: np.stack(own) for step, own in found.items()},
        cv={step: float(np.mean(best[step].user_attrs["fold_scores"])) for step in found},
        asked=plan.permutations,
        test=mean_score(finished.metric, test.truth, test.models[network]),
        seed=plan.config.seed,
    )


def _seconds(finished: Finished) -> dict[str, float]:
    """Wall seconds of all launches, and the trials' own seconds by stage."""
    spent = finished.record.get("spent") or {}

    def own(*parts: str) -> float:
        return sum(
            trial.duration.total_seconds()
            for part in parts
            for trial in finished.pools[part].trials()
            if trial.duration is not None
        )

    return {
        "total": float(spent.get("total", 0.0)),
        "search": round(own("network"), 2),
        "baselines": round(own(*finished.plan.baselines), 2),
        "final": round(own("final"), 2),
    }
