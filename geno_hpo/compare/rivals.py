"""The network against every baseline, not the best one alone.

Each row stands on the paired bootstrap of the sealed test set (`verdict`); its verdict counts only
as far as Holm's correction over all rows lets it. Beside it stand what else can be said of the same
two models: DeLong's test where the score is one ROC AUC of samples that are not grouped, the
corrected t-test over the validation folds, and the share of the baseline's shortfall that the
network makes good.

The verdict of the study rests on one row chosen before the test set was opened (the baseline best
in cross-validation), alone and uncorrected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.delong import AreaTest, delong_test
from geno_hpo.compare.folds import FoldTest, corrected_t_test
from geno_hpo.compare.holm import holm
from geno_hpo.compare.verdict import Comparison, Verdict, compare_models
from geno_hpo.metrics import Metric

__all__ = ["FoldScores", "Rival", "compare_all", "shortfall_made_good"]

Array = NDArray[Any]


@dataclass(frozen=True)
class FoldScores:
    """Validation scores of models on the same folds.

    Parameters
    ----------
    scores
        Model name to one score a fold, in the same order for all.
    train, valid
        Mean number of training and validation samples of a fold.
    """

    scores: Mapping[str, Sequence[float]]
    train: float
    valid: float


@dataclass(frozen=True)
class Rival:
    """A baseline, and what the network achieved against it.

    Parameters
    ----------
    name
        The baseline.
    comparison
        On the sealed test set, taken alone.
    holm
        Its p-value corrected over all baselines.
    verdict
        In the light of that correction.
    gain
        Share of the baseline's distance from a perfect score that the network makes good (negative
        when it falls short); NaN where the baseline is perfect.
    area
        DeLong's test; None where it does not apply.
    folds
        Corrected t-test over the validation folds; None with a single fold.
    folds_won
        Folds on which the network scored better.
    """

    name: str
    comparison: Comparison
    holm: float
    verdict: Verdict
    gain: float
    area: AreaTest | None
    folds: FoldTest | None
    folds_won: int


def compare_all(
    truth: Array,
    models: Mapping[str, Array],
    metric: Metric,
    *,
    network: str,
    labels: Mapping[str, str] | None = None,
    folds: FoldScores | None = None,
    resamples: int = 2000,
    seed: int = 1,
    level: float = 0.95,
    groups: Array | None = None,
) -> tuple[Rival, ...]:
    """Compare the network with every other model, in their order.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    models
        Model name to ``(seeds, samples, units)``.
    metric
        What is scored.
    network
        Which of `models` is the network.
    labels
        How sentences call the models; their names where left out.
    folds
        The models' validation scores.
    resamples, seed, level, groups
        See `compare_models`.

    Raises
    ------
    ValueError
        Shapes that do not belong together, or a level outside (0, 1).
    """
    called = labels or {}
    names = [name for name in models if name != network]
    found = [
        compare_models(
            truth,
            models[network],
            models[name],
            metric,
            names=(called.get(network, network), called.get(name, name)),
            resamples=resamples,
            seed=seed,
            level=level,
            groups=groups,
        )
        for name in names
    ]
    corrected = holm([one.p_value for one in found])
    simple = metric.name == "auc" and truth.shape[1] == 1 and groups is None
    rivals = []
    for name, one, p in zip(names, found, corrected, strict=True):
        pair = models[network], models[name]
        rivals.append(
            Rival(
                name=name,
                comparison=one,
                holm=p,
                verdict=_after_correction(one, p),
                gain=shortfall_made_good(metric, one.network_score, one.baseline_score),
                area=_areas(truth[:, 0], *pair) if simple and pair[0].shape[2] == 1 else None,
                folds=_over_folds(folds, network, name),
                folds_won=_won(folds, metric, network, name),
            )
        )
    return tuple(rivals)


def shortfall_made_good(metric: Metric, network: float, baseline: float) -> float:
    """Share of the baseline's distance from a perfect score that the network makes good."""
    left = abs(metric.perfect - baseline)
    return (left - abs(metric.perfect - network)) / left if left > 0 else float("nan")


def _after_correction(found: Comparison, p_value: float) -> Verdict:
    """The verdict, taken back where it does not stand among several."""
    if found.verdict not in ("better", "worse") or p_value < 1 - found.level:
        return found.verdict
    few = found.detectable > found.margin
    return "too little data to tell" if few else "no difference shown"


def _areas(truth: Array, first: Array, second: Array) -> AreaTest | None:
    known = truth[~np.isnan(truth)]
    smallest = min(np.sum(known == 1), np.sum(known == 0))
    finite = np.isfinite(first).all() and np.isfinite(second).all()
    if smallest < 2 or not finite:
        return None
    return delong_test(truth, first[..., 0], second[..., 0])


def _over_folds(folds: FoldScores | None, network: str, name: str) -> FoldTest | None:
    if folds is None or len(folds.scores[network]) < 2:
        return None
    return corrected_t_test(
        folds.scores[network], folds.scores[name], train=folds.train, valid=folds.valid
    )


def _won(folds: FoldScores | None, metric: Metric, network: str, name: str) -> int:
    if folds is None:
        return 0
    pairs = zip(folds.scores[network], folds.scores[name], strict=True)
    return sum(metric.better(own, other) for own, other in pairs)
