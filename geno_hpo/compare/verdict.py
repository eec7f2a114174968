"""Does the network beat the baseline? One verdict by a fixed rule, and one plain sentence.

The rule, in this order (level 95 % unless told otherwise):

1. *too little data to tell*: a class (or the test set, for a trait) has fewer than ``FEWEST``
   samples (with several outputs: in more than half of them), there are fewer than ``FEWEST``
   groups, or more than 5 % of the resamples have no score.
2. *better* or *worse*: the interval of the paired difference does not hold 0.
3. *too little data to tell*: the smallest difference that the test set could be expected to show
   (`detectable`) is larger than the one worth having (``MARGINS``).
4. *no difference shown*: everything else. It is not a proof that both are equal.

The interval is Student's on the paired bootstrap's standard error (`student`): between equal models
it claims a difference about as often as its level says, or less (docs/statistics.md). Interval and
p-value are of the same t, so they agree, also where both models are nearly perfect.

The best baseline must have been chosen by its validation scores, not on the test set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare.bootstrap import difference_interval, mean_score
from geno_hpo.compare.detectable import smallest_detectable
from geno_hpo.metrics import Metric

__all__ = ["FEWEST", "MARGINS", "Comparison", "Verdict", "compare_models", "lack_of_data"]

Array = NDArray[Any]
Verdict = Literal["better", "worse", "no difference shown", "too little data to tell"]

FEWEST = 10
UNDEFINED_SHARE = 0.05
# Differences worth having, in units of the metric.
MARGINS = {
    "auc": 0.05,
    "average_precision": 0.1,
    "accuracy": 0.05,
    "balanced_accuracy": 0.05,
    "mcc": 0.1,
    "r2": 0.1,
    "pearson": 0.1,
    "d2": 0.1,
}
# For metrics whose scale depends on the data: a share of the baseline's score.
RELATIVE_MARGIN = 0.1


@dataclass(frozen=True)
class Comparison:
    """A network against a baseline on the same samples.

    Parameters
    ----------
    network, baseline
        Their names.
    metric
        Name of the metric.
    network_score, baseline_score
        Mean over seeds.
    difference
        Network − baseline in units of the metric (for a loss, negative is good).
    ci
        Its bootstrap interval.
    p_value
        Two-sided; below 1 − level just when the interval does not hold 0.
    error
        Standard error of the difference.
    detectable
        The smallest true difference that would be shown with 80 % power.
    margin
        The smallest difference worth having.
    level
        Coverage aimed at.
    verdict, sentence
        By the module's rule, from the network's point of view; and in words.
    resamples, undefined
        Resamples drawn, and those without a score.
    """

    network: str
    baseline: str
    metric: str
    network_score: float
    baseline_score: float
    difference: float
    ci: tuple[float, float]
    p_value: float
    error: float
    detectable: float
    margin: float
    level: float
    verdict: Verdict
    sentence: str
    resamples: int
    undefined: int


def compare_models(
    truth: Array,
    network: Array,
    baseline: Array,
    metric: Metric,
    *,
    names: tuple[str, str] = ("the network", "the baseline"),
    resamples: int = 2000,
    seed: int = 1,
    level: float = 0.95,
    groups: Array | None = None,
    margin: float | None = None,
) -> Comparison:
    """Compare two models on a test set, paired over samples and averaged over seeds.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    network, baseline
        ``(seeds, samples, units)``; the numbers of seeds may differ.
    metric
        What is scored.
    names
        How the sentence calls them.
    resamples, seed, level
        Bootstrap resamples, their seed, coverage aimed at.
    groups
        ``(samples,)``: resample whole groups (when the split is grouped).
    margin
        A difference worth having; None takes the metric's from `MARGINS`.

    Raises
    ------
    ValueError
        Shapes that do not belong together, or a level outside (0, 1).
    """
    found = difference_interval(
        truth,
        network,
        baseline,
        metric,
        resamples=resamples,
        seed=seed,
        level=level,
        groups=groups,
    )
    scores = mean_score(metric, truth, network), mean_score(metric, truth, baseline)
    if margin is None:
        margin = MARGINS.get(metric.name, RELATIVE_MARGIN * abs(scores[1]))
    lack = lack_of_data(truth, metric, groups, found.undefined / found.resamples)
    detectable = smallest_detectable(found.error, level=level)
    verdict: Verdict
    if lack or np.isnan(found.low):
        verdict = "too little data to tell"
        lack = lack or "a score is not defined"
    elif found.low > 0 or found.high < 0:
        verdict = "better" if (found.value > 0) == metric.maximise else "worse"
    elif detectable > margin:
        verdict = "too little data to tell"
        lack = f"only differences of about {_plain(detectable)} or more could be seen"
    else:
        verdict = "no difference shown"
    effect = (
        f"{metric.label} {_plain(scores[0])} against {_plain(scores[1])}, a difference of "
        f"{_signed(found.value)} ({100 * level:g} % interval {_signed(found.low)} to "
        f"{_signed(found.high)}, {_p(found.p_value)})"
    )
    return Comparison(
        network=names[0],
        baseline=names[1],
        metric=metric.name,
        network_score=scores[0],
        baseline_score=scores[1],
        difference=found.value,
        ci=(found.low, found.high),
        p_value=found.p_value,
        error=found.error,
        detectable=detectable,
        margin=margin,
        level=level,
        verdict=verdict,
        sentence=_sentence(verdict, names, effect, lack),
        resamples=resamples,
        undefined=found.undefined,
    )


def lack_of_data(
    truth: Array, metric: Metric, groups: Array | None = None, undefined: float = 0.0
) -> str:
    """Tell why there is too little data to judge, by rule 1; nothing where there is enough.

    Parameters
    ----------
    truth
        ``(samples, outputs)``, NaN where the label is missing.
    metric
        What is scored.
    groups
        ``(samples,)`` where whole groups are resampled.
    undefined
        Share of the resamples without a score.
    """
    if groups is not None and (count := len(np.unique(groups))) < FEWEST:
        return f"the test set has {count} groups, fewer than {FEWEST}"
    sizes = [_fewest(column[~np.isnan(column)], metric) for column in truth.T]
    if np.mean([size < FEWEST for size in sizes]) > 0.5:
        what = "samples" if metric.tasks == ("regression",) else "samples of a class"
        share = "" if len(sizes) == 1 else " in most outputs"
        return f"the test set has {min(sizes)} {what}, fewer than {FEWEST}{share}"
    if undefined > UNDEFINED_SHARE:
        return f"{100 * undefined:.0f} % of the resamples have no score"
    return ""


def _fewest(known: Array, metric: Metric) -> int:
    """Count the rarer class, or all samples of a trait, among an output's known labels."""
    if metric.tasks == ("regression",):
        return len(known)
    classes, sizes = np.unique(known, return_counts=True)
    return int(sizes.min()) if len(classes) > 1 else 0


def _sentence(verdict: Verdict, names: tuple[str, str], effect: str, lack: str) -> str:
    network, baseline = names
    head = {
        "better": f"On the test set {network} does better than {baseline}",
        "worse": f"On the test set {network} does worse than {baseline}",
        "no difference shown": f"No difference between {network} and {baseline} is shown",
        "too little data to tell": (
            f"Too little data to tell whether {network} or {baseline} is better ({lack})"
        ),
    }[verdict]
    return f"{head}: {effect}."


def _plain(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.4g}"


def _signed(value: float) -> str:
    text = f"{value:+.3f}" if abs(value) < 10 else f"{value:+.4g}"
    return text.replace("-", "−")


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
