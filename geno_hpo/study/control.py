"""What the controls say: permuted labels, where nothing may be found, and a planted cause.

One permutation is held against chance, several give an empirical p-value. Where data are simulated
the score of a predictor that knows the cause is known, and a pipeline that works comes near it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare import chance_interval, mean_score
from geno_hpo.metrics import Metric

__all__ = ["Controlled", "control_result", "empirical_p", "positive_control"]

WELL, POORLY = 0.8, 0.5
"""Shares of the way from chance to the oracle that count as found, and as missed."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Controlled:
    """What the control left, by the number of the permutation.

    Parameters
    ----------
    metric
        What is scored.
    labels, predictions
        Permuted labels ``(test samples, outputs)``, and predictions
        ``(seeds, test samples, units)`` of the network that each permutation chose.
    cv
        Its mean score over the validation folds.
    asked
        Permutations asked for; one of which no configuration was complete left nothing.
    test
        The study's own test score, on the real labels.
    seed
        Of the shuffles behind the range of chance.
    """

    metric: Metric
    labels: Mapping[int, Array]
    predictions: Mapping[int, Array]
    cv: Mapping[int, float]
    asked: int
    test: float
    seed: int


def control_result(known: Controlled | None) -> dict[str, Any] | None:
    """The summary's ``control``; None where there was none."""
    if known is None:
        return None
    metric = known.metric
    scores = [
        mean_score(metric, known.labels[step], known.predictions[step])
        for step in known.predictions
    ]
    test = float(np.mean(scores))
    first = min(known.predictions)
    alone = len(scores) == 1
    chance = (
        chance_interval(known.labels[first], metric, known.predictions[first], seed=known.seed)
        if alone
        else None
    )
    p_value = empirical_p(known.test, scores, metric)
    found = {
        "cv_mean": float(np.mean(list(known.cv.values()))),
        "test": test,
        "chance": None if chance is None else [float(chance.low), float(chance.high)],
        "permutations": len(scores),
        "tests": scores,
        "p_value": p_value,
    }
    if chance is None:
        return found | {"sentence": _several(known, scores, p_value)}
    return found | {
        "sentence": f"Control on permuted labels: {metric.label} {test:.3f} on the test set, "
        + (
            f"at chance ({chance.low:.3f} to {chance.high:.3f}), as it must be."
            if chance.holds(test)
            else f"OUTSIDE what chance gives ({chance.low:.3f} to {chance.high:.3f}): "
            "look for a leak before you believe anything above."
        )
    }


def empirical_p(score: float, permuted: list[float], metric: Metric) -> float:
    """Share of scores at least as good as the real one, itself counted: ``(r + 1) / (N + 1)``.

    References
    ----------
    Phipson, Smyth (2010). Permutation p-values should never be zero. Statistical Applications in
    Genetics and Molecular Biology 9(1), 39.
    """
    reached = sum(not metric.better(score, one) for one in permuted)
    return (reached + 1) / (len(permuted) + 1)


def positive_control(
    metric: Metric, oracle: Mapping[str, float] | None, score: float | None
) -> dict[str, Any] | None:
    """How much of a planted signal the network found; None where nothing was planted.

    Parameters
    ----------
    metric
        What is scored.
    oracle
        By metric, the score of a predictor that knows the simulation's causes.
    score
        The network's score; None where it is not told.
    """
    known = (oracle or {}).get(metric.name)
    if known is None or score is None or metric.chance is None or known == metric.chance:
        return None
    share = (score - metric.chance) / (known - metric.chance)
    if share >= WELL:
        told = "the pipeline finds what was planted"
    elif share >= POORLY:
        told = "part of what was planted is found"
    else:
        told = "most of what was planted is MISSED: look at budget and search space"
    return {
        "oracle": float(known),
        "test": float(score),
        "share": float(share),
        "sentence": (
            f"Positive control: these data are simulated, and a predictor that knows their causes "
            f"scores {metric.label} {known:.3f}; the network's {score:.3f} is "
            f"{100 * share:.0f} % of the way there from chance: {told}."
        ),
    }


def _several(known: Controlled, scores: list[float], p_value: float) -> str:
    """What several permutations say in words."""
    low, high = min(scores), max(scores)
    reached = round(p_value * (len(scores) + 1)) - 1
    lost = known.asked - len(scores)
    return (
        f"Control on {len(scores)} permutations of the labels: {known.metric.label} {low:.3f} to "
        f"{high:.3f} on the test set; "
        + ("none" if not reached else str(reached))
        + f" did as well as the network on the real labels ({known.test:.3f}), "
        f"p = {p_value:.3f} ((r + 1) / (N + 1))."
        + (f" Of {lost} more no configuration was complete." if lost else "")
    )
