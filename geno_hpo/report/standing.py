"""Where trials stand among all that was trained on the same folds: `fit.Standing` of each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from geno_hpo.metrics import METRICS
from geno_hpo.outcome import StudyOutcome, TrialRecord
from geno_hpo.report.fit import Standing
from geno_hpo.report.words import metric_label, missing, model_label

__all__ = ["fold_error", "standings"]


def standings(outcome: StudyOutcome) -> Callable[[TrialRecord], Standing]:
    """Give a trial's standing: against the best other trial of the search, or a baseline."""
    summary = outcome.summary
    metric = METRICS.get(summary["metric"])
    maximise = metric is None or metric.maximise
    sign = 1.0 if maximise else -1.0
    others = [
        (float(entry["cv_mean"]), model_label(entry["model"]), -1)
        for entry in summary["leaderboard"]
        if entry["kind"] == "baseline" and not missing(entry["cv_mean"])
    ]
    others += [
        (float(t.score), f"trial {t.number}", t.number)
        for t in outcome.trials
        if t.stage == "search" and t.state == "complete" and t.score is not None
    ]
    others = sorted((one for one in others if np.isfinite(one[0])), key=lambda one: -sign * one[0])
    chance = _chance(outcome)

    def standing(trial: TrialRecord) -> Standing:
        best = next((one for one in others if one[2] != trial.number), None)
        return Standing(
            score=float("nan") if trial.score is None else float(trial.score),
            error=fold_error(trial.fold_scores),
            label=metric_label(summary["metric"]),
            maximise=maximise,
            chance=chance,
            best=best[0] if best else None,
            holder=best[1] if best else "",
        )

    return standing


def fold_error(scores: tuple[float, ...]) -> float | None:
    """Standard error of the mean over the folds; None for fewer than two."""
    if len(scores) < 2:
        return None
    return float(np.std(scores, ddof=1) / len(scores) ** 0.5)


def _chance(outcome: StudyOutcome) -> float | None:
    """The score's own chance level, else that of the labels' shares on the folds."""
    metric = METRICS.get(outcome.summary["metric"])
    if metric is not None and metric.chance is not None:
        return metric.chance
    for row in outcome.summary.get("trivial") or []:
        if row["model"] == "constant" and not missing(row["cv_mean"]):
            return float(row["cv_mean"])
    return None
