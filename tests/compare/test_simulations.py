"""How often the verdict errs, and what it can see, over hundreds of made-up studies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import LogisticRegression

from benchmarks.verdict import CASES, Case, claims, made_up
from geno_hpo.compare import compare_all, compare_models
from geno_hpo.metrics import METRICS

RUNS = 200
CLAIMS = ("better", "worse")


def most(runs: int) -> int:
    """A binomial count at the nominal 5 % exceeds this once in a thousand times."""
    return int(stats.binom.ppf(0.999, runs, 0.05))


@pytest.mark.slow
def test_between_equal_models_the_verdict_errs_within_its_level() -> None:
    """Each case alone, and all together: pooled, a rate of 6.8 % would be seen."""
    wrong = {case: claims(case, RUNS, 300) for case in CASES}
    assert {case.title: n for case, n in wrong.items() if n > most(RUNS)} == {}
    assert sum(wrong.values()) <= most(RUNS * len(CASES))
    assert stats.binom.sf(most(RUNS * len(CASES)), RUNS * len(CASES), 0.068) > 0.5
    assert sum(wrong.values()) >= 0.02 * RUNS * len(CASES)  # nor is it silent


@pytest.mark.slow
@pytest.mark.parametrize("signal", [0.0, 1.0], ids=["labels at random", "both halves tell as much"])
def test_between_fitted_models_the_verdict_errs_within_its_level(signal: float) -> None:
    """200 studies that fit two cheap models on features that are exchangeable between them."""
    wrong = 0
    for seed in range(RUNS):
        rng = np.random.default_rng([seed, 77])
        halves = rng.normal(size=(2, 360, 4))
        odds = signal * halves[:, :, 0].sum(axis=0)
        labels = (rng.random(360) < 1 / (1 + np.exp(-odds))).astype(np.float64)
        told = [
            LogisticRegression().fit(half[:200], labels[:200]).predict_proba(half[200:])[:, 1]
            for half in halves
        ]
        first, second = (one[None, :, None] for one in told)
        found = compare_models(
            labels[200:, None], first, second, METRICS["auc"], resamples=300, seed=seed
        )
        wrong += found.verdict in CLAIMS
    assert wrong <= most(RUNS)


@pytest.mark.slow
def test_over_several_equal_baselines_a_wrong_claim_is_as_rare() -> None:
    wrong = alone = 0
    for seed in range(RUNS):
        truth, predictions, _ = made_up(seed, Case("auc", 160), (1.0,) * 5)
        models = dict(zip("abcde", predictions, strict=True))
        rows = compare_all(truth, models, METRICS["auc"], network="a", resamples=300, seed=seed)
        wrong += any(row.verdict in CLAIMS for row in rows)
        alone += any(row.comparison.verdict in CLAIMS for row in rows)
    assert wrong <= most(RUNS)
    assert alone > wrong  # without the correction


@pytest.mark.slow
@pytest.mark.parametrize("kin", [1, 4])
def test_larger_differences_are_seen_more_often(kin: int) -> None:
    case = Case("auc", 300, kin)
    shares = [claims(case, 100, 300, (skill, 1.0)) / 100 for skill in (1.0, 1.3, 1.7, 2.2)]
    assert shares == sorted(shares)
    assert shares[0] <= 0.12
    assert shares[-1] >= 0.95


@pytest.mark.slow
def test_the_smallest_detectable_difference_is_seen_four_times_in_five() -> None:
    """Where the true difference is as large as the studies say they can see, 80 % see it."""
    seen, detectable, differences = 0, [], []
    for seed in range(RUNS):
        truth, (first, second), _ = made_up(seed, Case("pearson", 200), (1.3, 1.0))
        found = compare_models(truth, first, second, METRICS["pearson"], resamples=300, seed=seed)
        seen += found.verdict == "better"
        detectable.append(found.detectable)
        differences.append(found.difference)
    # What the formula promises for the true difference, at the studies' mean error.
    ratio = np.mean(differences) / (np.mean(detectable) / 2.8016)
    promised = stats.norm.sf(stats.norm.ppf(0.975) - ratio)
    assert seen / RUNS == pytest.approx(promised, abs=0.08)
    assert 0.6 < promised < 0.95
