"""How often the verdict errs, and what it can see, over hundreds of made-up studies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from geno_hpo.compare import compare_all, compare_models
from geno_hpo.metrics import METRICS

RUNS = 300
CLAIMS = ("better", "worse")
# A binomial count at the nominal 5 % exceeds this once in a thousand times.
MOST = int(stats.binom.ppf(0.999, RUNS, 0.05))

pytestmark = pytest.mark.slow


def study(
    seed: int, task: str, skills: tuple[float, ...], samples: int = 160, kin: int = 1
) -> tuple[np.ndarray, list[np.ndarray], np.ndarray | None]:
    """Truth, a prediction a skill, and groups of `kin` samples that share half their noise.

    All models err alike to a degree (shared noise), as real ones do.
    """
    rng = np.random.default_rng([seed, samples, kin])
    family = np.arange(samples) // kin

    def noise() -> np.ndarray:
        own, common = rng.normal(size=samples), rng.normal(size=family.max() + 1)[family]
        return (own + common) / np.sqrt(2) if kin > 1 else own

    latent = noise()
    truth = latent if task == "trait" else (latent > 0).astype(float)
    shared = noise()
    scores = [skill * latent + 0.7 * shared + 0.7 * noise() for skill in skills]
    if task == "class":
        scores = [stats.norm.cdf(score) for score in scores]
    predictions = [score[None, :, None] for score in scores]
    return truth[:, None], predictions, family if kin > 1 else None


@pytest.mark.parametrize("kin", [1, 4])
@pytest.mark.parametrize(
    ("metric", "task"), [("auc", "class"), ("accuracy", "class"), ("pearson", "trait")]
)
def test_between_equal_models_the_verdict_errs_within_its_level(
    metric: str, task: str, kin: int
) -> None:
    wrong = 0
    for seed in range(RUNS):
        truth, (first, second), groups = study(seed, task, (1.0, 1.0), kin=kin)
        found = compare_models(
            truth, first, second, METRICS[metric], resamples=300, seed=seed, groups=groups
        )
        wrong += found.verdict in CLAIMS
    assert wrong <= MOST


def test_over_several_equal_baselines_a_wrong_claim_is_as_rare() -> None:
    wrong = alone = 0
    for seed in range(RUNS):
        truth, predictions, _ = study(seed, "class", (1.0,) * 5)
        models = dict(zip("abcde", predictions, strict=True))
        rows = compare_all(truth, models, METRICS["auc"], network="a", resamples=300, seed=seed)
        wrong += any(row.verdict in CLAIMS for row in rows)
        alone += any(row.comparison.verdict in CLAIMS for row in rows)
    assert wrong <= MOST
    assert alone > wrong  # without the correction


def test_larger_differences_are_seen_more_often() -> None:
    shares = []
    for skill in (1.0, 1.15, 1.35, 1.7):
        seen = 0
        for seed in range(100):
            truth, (first, second), _ = study(seed, "class", (skill, 1.0), samples=300)
            found = compare_models(truth, first, second, METRICS["auc"], resamples=300, seed=seed)
            seen += found.verdict == "better"
        shares.append(seen / 100)
    assert shares == sorted(shares)
    assert shares[0] <= 0.1
    assert shares[-1] >= 0.95


def test_the_smallest_detectable_difference_is_seen_four_times_in_five() -> None:
    """Where the true difference is as large as the studies say they can see, 80 % see it."""
    seen, detectable, differences = 0, [], []
    for seed in range(RUNS):
        truth, (first, second), _ = study(seed, "trait", (1.3, 1.0), samples=200)
        found = compare_models(truth, first, second, METRICS["pearson"], resamples=300, seed=seed)
        seen += found.verdict == "better"
        detectable.append(found.detectable)
        differences.append(found.difference)
    # What the formula promises for the true difference, at the studies' mean error.
    ratio = np.mean(differences) / (np.mean(detectable) / 2.8016)
    promised = stats.norm.sf(stats.norm.ppf(0.975) - ratio)
    assert seen / RUNS == pytest.approx(promised, abs=0.07)
    assert 0.6 < promised < 0.95
