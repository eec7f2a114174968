"""What a finished study found, gathered from the storage and the work folder as plain results.

Nothing is trained here: scores on the sealed test set, intervals and the verdict are computed from
the predictions that the final fits left.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.explanation import Explanation
from geno_hpo.outcome import Attribution, Curves, StudyOutcome, TestPredictions, TrialRecord
from geno_hpo.study.files import curves_path, final_path
from geno_hpo.study.final import FinalFit, finished_fits
from geno_hpo.study.finished import Finished
from geno_hpo.study.front import costs_of, score_of
from geno_hpo.study.importance import hyperparameter_importance
from geno_hpo.study.told import summary_of
from geno_hpo.study.why import explanation_of

__all__ = ["outcome_of"]

STATES = {
    TrialState.COMPLETE: "complete",
    TrialState.PRUNED: "pruned",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "waiting",
}


def outcome_of(finished: Finished, *, test: bool = True) -> StudyOutcome:
    """Gather everything that the report shows; without `test` nothing of the sealed test set.

    Raises
    ------
    InputError
        A part has no complete trial, or a file that a final fit left is gone.
    """
    plan, prepared, pools = finished.plan, finished.prepared, finished.pools
    dataset, split = prepared.dataset, prepared.split
    fits = [fit for fit, _ in finished_fits(plan, pools).values()] if test else []
    told = _test_predictions(finished, fits)
    winner = finished.best("network")
    networks = [fit for fit in fits if fit.kind == "network"]
    attribution = _attribution(finished, networks) if test else None
    explanation = None if attribution is None else _explanation(finished, fits, attribution)
    importance = hyperparameter_importance(
        pools["network"].trials(), maximise=finished.metric.maximise
    )
    return StudyOutcome(
        summary={
            **summary_of(finished, told),
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
            stacks.setdefault(fit.model, []).append(finished.saved(fit)["predictions"])
    return TestPredictions(
        ids=tuple(finished.prepared.dataset.ids[i] for i in test),
        truth=finished.prepared.dataset.target.take(test),
        models={model: np.stack(stack) for model, stack in stacks.items()},
    )


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

    tracks = [finished.saved(fit)["attribution"] for fit in fits]
    dataset = finished.prepared.dataset
    codes = dataset.codes
    if dataset.loci:  # codons are named by what changes in the development part
        codes = np.asarray(codes[finished.prepared.split.development])
    return summarise(tracks, codes, dataset)


def _explanation(
    finished: Finished, fits: list[FinalFit], attribution: Attribution
) -> Explanation | None:
    folds = next((fit.name for fit in fits if fit.kind == "folds"), None)
    return explanation_of(
        finished.plan,
        finished.prepared,
        [fit.name for fit in fits if fit.kind == "network"],
        (attribution.scores, attribution.spread),
        None if folds is None else final_path(finished.plan.work, folds),
    )


def _records(finished: Finished) -> list[TrialRecord]:
    records = []
    for part, pool in finished.pools.items():
        names = finished.plan.costs if part == "network" else ()
        stage = {"network": "search", "control": "control", "final": "final"}.get(part, "baseline")
        space = finished.plan.baselines.get(part, finished.plan.space)
        for trial in pool.trials():
            task = trial.user_attrs.get("task") or {}
            params = task.get("params") or (dict(space.short(trial.params)) if trial.params else {})
            records.append(_record(trial, stage, params, task.get("model", part), names))
    return records


def _record(
    trial: FrozenTrial,
    stage: Any,
    params: dict[str, Any],
    fallback: str,
    names: tuple[str, ...],
) -> TrialRecord:
    attributes = trial.user_attrs
    curve = [trial.intermediate_values[step] for step in sorted(trial.intermediate_values)]
    return TrialRecord(
        number=trial.number,
        stage=stage,
        model=str(params.get("family", fallback)),
        state=STATES[trial.state],  # type: ignore[arg-type]
        reason=str(attributes.get("reason", "")),
        score=score_of(trial),
        fold_scores=tuple(attributes.get("fold_scores", ())),
        curve=tuple(curve),
        epochs=int(attributes.get("epochs", len(curve))),
        best_epoch=int(attributes.get("best_epoch", 0)),
        seconds=trial.duration.total_seconds() if trial.duration else 0.0,
        params={key: value for key, value in params.items() if key != "family"},
        parameters=attributes.get("parameters"),
        costs=dict(zip(names, costs_of(trial), strict=False)),
    )
