"""Two procedures over the outer folds of a nested cross-validation: effect, interval, verdict.

Each outer fold gives one score of each whole procedure (search, choice, final fit) on samples that
had no part in it. The differences are tested by the corrected resampled t-test (`folds`), because
the folds' training samples overlap. The verdict's rule, in this order:

1. *too little data to tell*: a fold has no score, or all differences are equal but not 0.
2. *better* or *worse*: the interval does not hold 0.
3. *too little data to tell*: the interval reaches further than a difference worth having
   (`verdict.MARGINS`) to either side of its middle.
4. *no difference shown*: everything else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geno_hpo.compare.folds import FoldTest, corrected_t_test
from geno_hpo.compare.verdict import MARGINS, RELATIVE_MARGIN, Verdict, _p, _plain, _signed
from geno_hpo.metrics import Metric

__all__ = ["OuterComparison", "compare_outer", "mean_and_spread"]


@dataclass(frozen=True)
class OuterComparison:
    """The network against a rival over the outer folds.

    Parameters
    ----------
    test
        The corrected resampled t-test, network − rival.
    differences
        Network − rival in each outer fold, in units of the metric.
    verdict, sentence
        By the module's rule, from the network's point of view; and in words.
    """

    test: FoldTest
    differences: tuple[float, ...]
    verdict: Verdict
    sentence: str


def mean_and_spread(scores: Sequence[float]) -> tuple[float, float]:
    """Mean and standard deviation (n − 1) over the outer folds.

    Raises
    ------
    ValueError
        Fewer than two folds.
    """
    if len(scores) < 2:
        raise ValueError(f"nested folds are pooled from 2 on, got {len(scores)}")
    values = np.asarray(scores, np.float64)
    return float(values.mean()), float(values.std(ddof=1))


def compare_outer(
    network: Sequence[float],
    rival: Sequence[float],
    metric: Metric,
    *,
    train: float,
    test: float,
    name: str,
) -> OuterComparison:
    """Compare the network's outer test scores with a rival's.

    Parameters
    ----------
    network, rival
        Score of each outer fold, in the same order.
    metric
        What is scored.
    train, test
        Mean number of development and test samples of an outer fold.
    name
        How the sentence calls the rival.

    Raises
    ------
    ValueError
        Fewer than two folds, different numbers of folds, or empty parts.
    """
    found = corrected_t_test(network, rival, train=train, valid=test)
    first, second = float(np.mean(network)), float(np.mean(rival))
    margin = MARGINS.get(metric.name, RELATIVE_MARGIN * abs(second))
    reach = (found.high - found.low) / 2
    verdict: Verdict
    if not np.isfinite(found.difference):
        verdict, lack = "too little data to tell", "an outer fold has no score"
    elif not np.isfinite(found.p_value) and found.difference:
        verdict, lack = "too little data to tell", "all outer folds differ by the same"
    elif found.low > 0 or found.high < 0:
        verdict = "better" if (found.difference > 0) == metric.maximise else "worse"
        lack = ""
    elif reach > margin:
        verdict = "too little data to tell"
        lack = f"only differences of about {_plain(reach)} or more could be seen"
    else:
        verdict, lack = "no difference shown", ""
    p = f", {_p(found.p_value)}" if np.isfinite(found.p_value) else ""
    folds = len(network)
    effect = (
        f"mean {metric.label} {_plain(first)} against {_plain(second)} over {folds} outer folds, "
        f"a difference of {_signed(found.difference)} ({100 * found.level:g} % interval "
        f"{_signed(found.low)} to {_signed(found.high)}{p}, corrected resampled t-test)"
    )
    head = {
        "better": f"As whole procedures, the network does better than {name}",
        "worse": f"As whole procedures, the network does worse than {name}",
        "no difference shown": (
            f"As whole procedures, no difference between the network and {name} is shown"
        ),
        "too little data to tell": (
            f"Too little data to tell whether the network or {name} is the better procedure "
            f"({lack})"
        ),
    }[verdict]
    gaps = np.asarray(network, np.float64) - np.asarray(rival, np.float64)
    return OuterComparison(found, tuple(map(float, gaps)), verdict, f"{head}: {effect}.")
