"""Outer folds pooled and compared: against numpy and SciPy by hand, and every verdict."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from geno_hpo.compare import compare_outer, mean_and_spread
from geno_hpo.metrics import METRICS

NETWORK = [0.91, 0.93, 0.88, 0.95, 0.90]
RIDGE = [0.89, 0.90, 0.89, 0.91, 0.87]


def test_mean_and_spread_are_numpys() -> None:
    assert mean_and_spread(NETWORK) == pytest.approx((np.mean(NETWORK), np.std(NETWORK, ddof=1)))
    with pytest.raises(ValueError, match="from 2 on, got 1"):
        mean_and_spread([0.5])


def test_the_difference_is_tested_as_nadeau_and_bengio_say() -> None:
    found = compare_outer(NETWORK, RIDGE, METRICS["auc"], train=80, test=20, name="ridge")
    gaps = np.subtract(NETWORK, RIDGE)
    error = np.sqrt((1 / 5 + 20 / 80) * gaps.var(ddof=1))
    assert found.differences == pytest.approx(gaps)
    assert found.test.difference == pytest.approx(gaps.mean())
    assert found.test.p_value == pytest.approx(2 * stats.t.sf(abs(gaps.mean()) / error, 4))
    reach = stats.t.ppf(0.975, 4) * error
    assert (found.test.low, found.test.high) == pytest.approx(
        (gaps.mean() - reach, gaps.mean() + reach)
    )
    assert "over 5 outer folds, a difference of +0.022" in found.sentence
    plain = stats.ttest_rel(NETWORK, RIDGE)
    assert found.test.p_value > plain.pvalue, "shared training samples make it less sure"


@pytest.mark.parametrize(
    ("network", "rival", "metric", "verdict"),
    [
        ([0.90, 0.91, 0.92, 0.91], [0.80, 0.80, 0.83, 0.81], "auc", "better"),
        ([0.80, 0.80, 0.83, 0.81], [0.90, 0.91, 0.92, 0.91], "auc", "worse"),
        ([0.20, 0.21, 0.22, 0.21], [0.30, 0.30, 0.33, 0.31], "log_loss", "better"),
        ([0.900, 0.91, 0.92], [0.901, 0.91, 0.92], "auc", "no difference shown"),
        ([1.0, 1.0], [1.0, 1.0], "auc", "no difference shown"),
        ([0.95, 0.70], [0.80, 0.81], "auc", "too little data to tell"),
        ([0.75, 0.75], [0.50, 0.50], "auc", "too little data to tell"),
        ([0.75, float("nan")], [0.50, 0.51], "auc", "too little data to tell"),
    ],
)
def test_verdicts(network: list[float], rival: list[float], metric: str, verdict: str) -> None:
    found = compare_outer(network, rival, METRICS[metric], train=2, test=1, name="ridge")
    assert found.verdict == verdict
    assert "ridge" in found.sentence
