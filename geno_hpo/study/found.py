"""What was found beside the comparison: trivial models, restarts on the folds, the learning curve.

Plain values for ``summary.json``, from what the workers left (`further`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare import (
    Growth,
    compare_models,
    compare_restarts,
    growth,
    score_interval,
)
from geno_hpo.metrics import Metric
from geno_hpo.study.final import FinalFit

__all__ = ["Further", "further_results"]

Array = NDArray[Any]
Kept = tuple[FinalFit, dict[str, Array]]

LABELS = {
    "constant": ("the classes' shares", "the mean"),
    "best_feature": ("the best single feature",) * 2,
}


@dataclass(frozen=True)
class Further:
    """What the results are drawn from.

    Parameters
    ----------
    metric
        The study's score.
    truth, network
        ``(test samples, outputs)``, and the winner's ``(seeds, test samples, units)``; None where
        the test set is not looked at.
    label
        How sentences call the network.
    kept
        Each fit beside the final ones, and its arrays.
    leaders
        ``(trial, score, parameters)`` of the winner and its runners-up, best first.
    valid
        Mean number of validation samples of a fold.
    seed
        Of all resampling.
    groups
        ``(test samples,)`` groups that the split kept together, or None.
    """

    metric: Metric
    truth: Array
    network: Array | None
    label: str
    kept: Sequence[Kept]
    leaders: Sequence[tuple[int, float, dict[str, Any]]]
    valid: float
    seed: int
    groups: Array | None = None


def further_results(known: Further) -> dict[str, Any]:
    """Draw up the parts of the summary: see `geno_hpo.report.summary.KEYS`."""
    return {
        "trivial": _trivial(known),
        "restarts": _restarts(known),
        "learning_curve": _curve(known),
    }


def _of(known: Further, kind: str) -> list[Kept]:
    return [(fit, arrays) for fit, arrays in known.kept if fit.kind == kind]


def _trivial(known: Further) -> list[dict[str, Any]]:
    """Each trivial model, and the network against it on the test set."""
    return [
        {
            "model": str(name),
            "reads": str(arrays["reads"][i]),
            "cv_mean": float(arrays["fold_scores"][i].mean()),
            **_tested(known, str(name), arrays["predictions"][i][None]),
        }
        for _, arrays in _of(known, "trivial")
        for i, name in enumerate(arrays["names"])
    ]


def _tested(known: Further, name: str, predictions: Array) -> dict[str, Any]:
    """A trivial model's test score, and how the network differs from it."""
    if known.network is None:
        nothing = ("test", "test_ci", "difference", "ci")
        return {**dict.fromkeys(nothing), "verdict": "test set not looked at"}
    interval = score_interval(
        known.truth, predictions, known.metric, seed=known.seed, groups=known.groups
    )
    against = compare_models(
        known.truth,
        known.network,
        predictions,
        known.metric,
        names=(known.label, _label(name, known.metric)),
        seed=known.seed,
        groups=known.groups,
    )
    return {
        "test": interval.value,
        "test_ci": _ends((interval.low, interval.high)),
        "difference": against.difference,
        "ci": _ends(against.ci),
        "verdict": against.verdict,
    }


def _label(name: str, metric: Metric) -> str:
    if name in LABELS:
        return LABELS[name][metric.tasks == ("regression",)]
    return name.replace("group: ", "knowing only the ")


def _restarts(known: Further) -> dict[str, Any] | None:
    """Leading configurations from several seeds; None where they were left out."""
    by_params: dict[str, list[float]] = {}
    for fit, arrays in _of(known, "restart"):
        by_params.setdefault(_key(fit.params), []).append(float(arrays["fold_scores"].mean()))
    own = [(lead, by_params.get(_key(lead[2]), [])) for lead in known.leaders]
    own = [(lead, scores) for lead, scores in own if scores]
    if len(own) < 2:
        return None
    found = compare_restarts([s for _, s in own], [lead[1] for lead, _ in own], known.metric)
    return {
        "rows": [
            {
                "place": row.place + 1,
                "trial": own[row.place][0][0],
                "model": str(own[row.place][0][2]["family"]),
                "searched": row.searched,
                "mean": row.mean,
                "spread": row.spread,
                "scores": list(row.scores),
                "wins": row.wins,
            }
            for row in found.ranked
        ],
        "within": found.within,
        "between": found.between,
        "lost": found.lost,
        "sentence": found.sentence,
    }


def _key(params: dict[str, Any]) -> str:
    return json.dumps(params, sort_keys=True)


def _curve(known: Further) -> list[dict[str, Any]]:
    """Scores over growing training parts, an entry a model."""
    models: dict[str, list[Kept]] = {}
    for fit, arrays in _of(known, "share"):
        models.setdefault(fit.model, []).append((fit, arrays))
    entries = []
    for model, kept in models.items():
        kept.sort(key=lambda pair: pair[0].step)
        samples, scores = (
            np.stack([arrays[name] for _, arrays in kept]) for name in ("samples", "fold_scores")
        )
        found = growth(samples, scores, known.metric, valid=known.valid)
        entries.append(
            {
                "model": model,
                "samples": list(found.samples),
                "scores": list(found.scores),
                "spread": list(found.spread),
                "gain": found.gain,
                "p_value": found.p_value,
                "twice": found.twice,
                "twice_ci": _ends(found.twice_ci),
                "sentence": _sentence(model, found, known.metric),
            }
        )
    return entries


def _sentence(model: str, found: Growth, metric: Metric) -> str:
    """Whether more data would help, in words."""
    last, before = found.samples[-1], found.samples[-2]
    head = f"{model}: from {before:.0f} to {last:.0f} training samples {metric.label} "
    moved = f"went from {found.scores[-2]:.3f} to {found.scores[-1]:.3f}"
    told = np.isfinite(found.twice)
    if found.p_value < 0.05 and found.gain > 0:
        text = head + moved + ", more than chance: more data would help."
    elif found.gain > 0:
        text = head + moved + ", no more than chance explains: more data might help."
    else:
        return head + moved + ": it no longer grows, more samples of this kind promise little."
    if told:
        ends = found.twice_ci
        text += (
            f" If the curve goes on, twice the samples would give about {found.twice:.3f}"
            + (f" ({ends[0]:.3f} to {ends[1]:.3f})" if np.isfinite(ends).all() else "")
            + "; a curve says nothing of samples of another kind."
        )
    return text


def _ends(interval: tuple[float, float]) -> list[float] | None:
    return list(interval) if np.isfinite(interval).all() else None
