"""What a study's test predictions prove: comparisons, selection, calibration, threshold, groups.

Plain values for ``summary.json``, computed from predictions that the final fits left. Nothing here
chooses anything by the test set: the baseline to beat is the best in cross-validation, and the
threshold comes from validation predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.baselines import BASELINES
from geno_hpo.compare import (
    Calibration,
    FoldScores,
    Rival,
    best_threshold,
    calibrate,
    compare_all,
    operating_point,
    output_scores,
    selection_gap,
    strata,
)
from geno_hpo.metrics import Metric
from geno_hpo.models import family_label
from geno_hpo.outcome import TestPredictions

__all__ = ["Evidence", "evidence"]

Array = NDArray[Any]
# Outputs whose calibration and threshold are told.
OUTPUTS = 12
HALF = 0.5
FINDINGS = {
    "no more than chance": "no more than its spread over folds and test samples explains",
    "fell": "more than its spread over folds and test samples explains: part of it was luck",
    "rose": "a rise beyond its spread: the test samples are easier than those of the folds, or "
    "training on all development samples helped",
    "unknown": "whether that is more than chance a single fold cannot tell",
}


@dataclass(frozen=True)
class Evidence:
    """What the evidence is drawn from.

    Parameters
    ----------
    test
        Test predictions of network and baselines.
    task, targets
        Of the study; names of the outputs.
    metric
        Its score.
    network, chosen
        The winning family, and the baseline best in cross-validation ("" without baselines).
    folds
        Validation scores of every model's best trial.
    test_errors
        Standard error of each model's test score.
    trials
        Configurations that the network was chosen among.
    seed
        Of all resampling.
    groups
        ``(test samples,)`` groups that the split kept together, or None.
    named
        ``(test samples,)`` groups by name, such as lineage, for scores inside of them.
    unseen
        Labels and the winner's predictions of the samples of its validation folds, each
        ``(samples, outputs or units)``; None where they were not kept.
    oracle
        ``(test samples, outputs)`` what a simulation's oracle ranks them by, where this is the
        metric that it is known for.
    """

    test: TestPredictions
    task: str
    targets: tuple[str, ...]
    metric: Metric
    network: str
    chosen: str
    folds: FoldScores
    test_errors: Mapping[str, float]
    trials: int
    seed: int
    groups: Array | None = None
    named: Mapping[str, Array] = field(default_factory=dict)
    unseen: tuple[Array, Array] | None = None
    oracle: Array | None = None


def evidence(known: Evidence) -> dict[str, Any]:
    """Draw up the parts of the summary: see `geno_hpo.report.summary.KEYS`."""
    rivals = compare_all(
        known.test.truth,
        known.test.models,
        known.metric,
        network=known.network,
        labels=_labels(known),
        folds=known.folds,
        seed=known.seed,
        groups=known.groups,
    )
    return {
        "comparison": _main(rivals, known),
        "comparisons": [_row(rival, known) for rival in rivals],
        "selection": _selection(known),
        "calibration": _calibration(known),
        "threshold": _thresholds(known),
        "strata": _strata(known),
        "outputs": _outputs(known),
    }


def _ends(interval: tuple[float, float]) -> list[float] | None:
    """Ends of an interval, None where it has none."""
    return list(interval) if np.isfinite(interval).all() else None


def _labels(known: Evidence) -> dict[str, str]:
    labels = {name: BASELINES[name].label for name in known.test.models if name in BASELINES}
    if known.chosen:
        labels[known.chosen] += " (the best baseline in cross-validation)"
    return labels | {known.network: family_label(known.network)}


def _main(rivals: tuple[Rival, ...], known: Evidence) -> dict[str, Any] | None:
    """The verdict: against the baseline that cross-validation, not the test, calls best."""
    found = next((rival.comparison for rival in rivals if rival.name == known.chosen), None)
    if found is None:
        return None
    return {
        "best_baseline": known.chosen,
        "difference": found.difference,
        "ci": _ends(found.ci),
        "p_value": found.p_value,
        "error": found.error,
        "detectable": found.detectable,
        "margin": found.margin,
        "grouped": known.groups is not None,
        "verdict": found.verdict,
        "sentence": found.sentence,
    }


def _row(rival: Rival, known: Evidence) -> dict[str, Any]:
    found, folds, area = rival.comparison, rival.folds, rival.area
    return {
        "baseline": rival.name,
        "chosen": rival.name == known.chosen,
        "difference": found.difference,
        "ci": _ends(found.ci),
        "error": found.error,
        "detectable": found.detectable,
        "gain": rival.gain,
        "p_value": found.p_value,
        "holm": rival.holm,
        "verdict": rival.verdict,
        "delong_p": area.p_value if area else None,
        "folds": len(known.folds.scores[rival.name]),
        "folds_won": rival.folds_won,
        "folds_difference": folds.difference if folds else None,
        "folds_p": folds.p_value if folds else None,
    }


def _selection(known: Evidence) -> dict[str, Any]:
    """The winner's cross-validated score, where it was chosen, against its test score."""
    scores = known.test.models[known.network]
    test = float(np.mean([known.metric.score(known.test.truth, one) for one in scores]))
    gap = selection_gap(
        known.folds.scores[known.network],
        test,
        known.test_errors[known.network],
        known.metric,
        train=known.folds.train,
        valid=known.folds.valid,
    )
    moved = "worse" if gap.loss > 0 else "better"
    return {
        "cv": gap.chosen,
        "test": gap.test,
        "loss": gap.loss,
        "error": gap.error,
        "finding": gap.finding,
        "sentence": (
            f"The winner among {known.trials} configurations scored {gap.chosen:.3f} over the "
            f"folds it was chosen on, and {gap.test:.3f} on the sealed test set: "
            f"{abs(gap.loss):.3f} {moved}, {FINDINGS[gap.finding]}."
        ),
    }


def _calibration(known: Evidence) -> list[dict[str, Any]]:
    """Calibration of the network and of the chosen baseline, an entry an output."""
    if known.task == "regression":
        return []
    truth = known.test.truth
    entries = []
    for model in filter(None, (known.network, known.chosen)):
        mean = known.test.models[model].mean(axis=0)
        if not ((mean >= 0) & (mean <= 1)).all():
            continue
        if known.task == "multiclass" and mean.shape[1] > 1:
            found = calibrate(truth[:, 0], mean, seed=known.seed, groups=known.groups)
            entries.append(_calibrated(model, "predicted class", found))
            continue
        for output in range(min(truth.shape[1], OUTPUTS)):
            if not np.isnan(truth[:, output]).all():
                found = calibrate(
                    truth[:, output], mean[:, output], seed=known.seed, groups=known.groups
                )
                entries.append(_calibrated(model, known.targets[output], found))
    return entries


def _calibrated(model: str, output: str, found: Calibration) -> dict[str, Any]:
    return {
        "model": model,
        "output": output,
        "samples": found.samples,
        "brier": found.brier,
        "brier_of_rate": found.brier_of_rate,
        "ece": found.ece,
        "ece_by_chance": found.by_chance,
        "predicted": found.predicted,
        "observed": found.observed,
        "bins": [
            {
                "samples": one.samples,
                "predicted": one.predicted,
                "observed": one.observed,
                "ci": _ends(one.ci),
            }
            for one in found.bins
        ],
    }


def _thresholds(known: Evidence) -> list[dict[str, Any]]:
    """Sensitivity and specificity of the network on the test set, an entry an output."""
    if known.task not in ("binary", "multilabel"):
        return []
    truth, mean = known.test.truth, known.test.models[known.network].mean(axis=0)
    entries = []
    for output in range(min(truth.shape[1], OUTPUTS)):
        threshold = float("nan")
        if known.unseen is not None:
            threshold = best_threshold(known.unseen[0][:, output], known.unseen[1][:, output])
        learnt = bool(np.isfinite(threshold))
        point = operating_point(
            truth[:, output],
            mean[:, output],
            threshold if learnt else HALF,
            groups=known.groups,
        )
        entries.append(
            {
                "output": known.targets[output],
                "threshold": point.threshold,
                "source": "validation folds" if learnt else "one half",
                "positives": point.positives,
                "negatives": point.negatives,
                "sensitivity": point.sensitivity,
                "sensitivity_ci": _ends(point.sensitivity_ci),
                "specificity": point.specificity,
                "specificity_ci": _ends(point.specificity_ci),
            }
        )
    return entries


def _strata(known: Evidence) -> list[dict[str, Any]]:
    """Scores inside each group of test samples, an entry a naming of groups."""
    baseline = known.test.models[known.chosen] if known.chosen else None
    entries = []
    for name, groups in known.named.items():
        rows, left_out = strata(
            known.test.truth,
            known.test.models[known.network],
            baseline,
            known.metric,
            groups,
            seed=known.seed,
            kin=known.groups,
        )
        if len(rows) < 2:
            continue
        entries.append(
            {
                "by": name,
                "left_out": left_out,
                "rows": [
                    {
                        "name": row.name,
                        "samples": row.samples,
                        "positives": row.positives,
                        "score": row.score,
                        "ci": _ends(row.ci),
                        "baseline": row.baseline,
                    }
                    for row in rows
                ],
            }
        )
    return entries


def _outputs(known: Evidence) -> list[dict[str, Any]]:
    """Scores of each output by itself; none where there is only one."""
    rows = output_scores(
        known.test.truth,
        known.test.models[known.network],
        known.test.models[known.chosen] if known.chosen else None,
        known.metric,
        known.targets if known.test.truth.shape[1] > 1 else known.targets[:1],
        oracle=known.oracle,
        groups=known.groups,
        seed=known.seed,
    )
    return [
        {
            "name": row.name,
            "samples": row.samples,
            "score": row.score,
            "ci": _ends(row.ci),
            "baseline": row.baseline,
            "oracle": row.oracle,
        }
        for row in rows
    ]
