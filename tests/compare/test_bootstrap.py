from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geno_hpo.compare import difference_interval, mean_score, score_interval, statistic_interval
from geno_hpo.compare.bca import bca
from geno_hpo.metrics import METRICS

from .cases import guesses, labels

AUC = METRICS["auc"]

# Spatial test data, Efron and Tibshirani (1993), table 14.1.
SPATIAL = np.array(
    [
        [48, 36, 20, 29, 42, 42, 20, 42, 22, 41, 45, 14, 6],
        [0, 33, 28, 34, 4, 32, 24, 47, 41, 24, 26, 30, 41],
    ]
).ravel()


def test_bca_is_scipys_on_scipys_resamples() -> None:
    x = np.random.default_rng(1).exponential(size=40)
    reference = stats.bootstrap((x,), np.mean, n_resamples=1999, method="BCa", rng=2)
    left_out = (x.sum() - x) / (len(x) - 1)
    low, high, _ = bca(x.mean(), reference.bootstrap_distribution, left_out, 0.95)
    assert (low, high) == pytest.approx(tuple(reference.confidence_interval), rel=1e-9)


def test_the_spatial_test_data_have_the_published_interval() -> None:
    """Efron and Tibshirani (1993), table 14.2: 90 % BCa interval of the variance."""

    def variance(counts: np.ndarray) -> np.ndarray:
        total = counts.sum(axis=1)
        return counts @ SPATIAL**2 / total - (counts @ SPATIAL / total) ** 2

    found = statistic_interval(variance, 26, resamples=20_000, seed=1, level=0.9)
    assert found.value == pytest.approx(171.5, abs=0.1)
    assert found.low == pytest.approx(115.8, abs=3)
    assert found.high == pytest.approx(259.6, abs=6)


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-1.5, 1.5),
    st.floats(0, 0.9),
    st.sampled_from([0.5, 0.8, 0.95, 0.99]),
)
def test_p_value_and_interval_always_agree(
    seed: int, centre: float, zeros: float, level: float
) -> None:
    """Also where many resamples are exactly 0, as of two models that are perfect on them."""
    rng = np.random.default_rng(seed)
    resampled = (rng.normal(centre, 1, 400)).clip(0 if zeros > 0.5 else None)
    resampled[rng.random(400) < zeros] = 0
    value = float(np.median(resampled))
    low, high, p_value = bca(value, resampled, rng.exponential(size=30), level)
    assert (low > 0 or high < 0) == (p_value < 1 - level)


@pytest.mark.parametrize(("swapped", "claim"), [(1, False), (2, False), (8, True)])
def test_of_saturated_models_interval_and_p_value_agree(swapped: int, claim: bool) -> None:
    """One model ranks all perfectly: many resamples show no difference at all."""
    truth = np.repeat([0.0, 1.0], 30)[:, None]
    perfect = truth[None].copy()
    nearly = perfect.copy()
    nearly[0, 30 : 30 + swapped] = -1.0
    found = difference_interval(truth, perfect, nearly, AUC, resamples=1000)
    assert found.value == pytest.approx(swapped / 30)
    assert found.low < found.value < found.high
    assert (found.low > 0) == (found.p_value < 0.05) == claim


def test_a_difference_of_means_is_students() -> None:
    """Accuracies differ by a mean over samples: scipy's paired t-test has its interval."""
    rng = np.random.default_rng(3)
    truth = labels(40)
    first, second = ((rng.random((1, 40, 1)) < 0.6).astype(float) for _ in range(2))
    found = difference_interval(truth, first, second, METRICS["accuracy"], resamples=20_000)
    right = [((one[0] >= 0.5) == truth)[:, 0].astype(float) for one in (first, second)]
    reference = stats.ttest_rel(*right)
    assert found.p_value == pytest.approx(reference.pvalue, rel=0.05)
    ends = reference.confidence_interval()
    assert (found.low, found.high) == pytest.approx((ends.low, ends.high), abs=0.01)


def test_the_error_is_the_known_one_of_a_mean() -> None:
    x = np.random.default_rng(1).normal(size=200)
    found = statistic_interval(lambda counts: counts @ x / 200, 200, resamples=4000)
    assert found.error == pytest.approx(x.std() / np.sqrt(200), rel=0.04)


def test_a_score_interval_covers_the_true_score() -> None:
    skill, sizes = 1.0, 120
    true = stats.norm.cdf(skill / np.sqrt(2) / np.sqrt(1.04))
    held = 0
    for seed in range(150):
        truth = labels(sizes, seed)
        found = score_interval(truth, guesses(truth, skill, seed=1000 + seed), AUC, resamples=300)
        assert found.low <= found.value <= found.high
        held += found.low <= true <= found.high
    assert 0.89 <= held / 150 <= 0.99


def test_the_score_of_a_model_is_the_mean_over_its_seeds() -> None:
    truth = labels(80)
    model = guesses(truth, 1.0, seeds=3)
    expected = np.mean([AUC.score(truth, one) for one in model])
    assert mean_score(AUC, truth, model) == pytest.approx(expected)
    assert score_interval(truth, model, AUC, resamples=50).value == pytest.approx(expected)


def test_pairing_narrows_the_interval() -> None:
    truth = labels(200)
    first = guesses(truth, 1.0, seed=5)
    second = first + 0.3 * np.random.default_rng(0).normal(size=first.shape)
    paired = difference_interval(truth, first, second, AUC, resamples=400)
    alone = score_interval(truth, first, AUC, resamples=400)
    assert paired.high - paired.low < 0.6 * (alone.high - alone.low)


def test_groups_are_drawn_whole() -> None:
    """Each sample five times over: as groups they say what the single samples say."""
    truth = labels(60)
    model = guesses(truth, 1.0)
    group = np.repeat(np.arange(60), 5)
    many = np.repeat(truth, 5, axis=0), np.repeat(model, 5, axis=1)
    single, grouped, naive = (
        score_interval(*data, AUC, resamples=1000, groups=groups)
        for data, groups in (((truth, model), None), (many, group), (many, None))
    )
    width = single.high - single.low
    assert grouped.high - grouped.low == pytest.approx(width, rel=0.1)
    assert naive.high - naive.low < 0.6 * width


def test_the_same_model_twice_does_not_differ() -> None:
    truth = labels(60)
    model = guesses(truth, 1.0)
    found = difference_interval(truth, model, model, AUC, resamples=100)
    assert (found.value, found.low, found.high, found.p_value) == (0, 0, 0, 1)


def test_resamples_without_a_score_are_counted() -> None:
    truth = np.zeros((30, 1), np.float32)
    truth[0] = 1
    found = score_interval(truth, guesses(truth, 1.0), AUC, resamples=500)
    assert found.undefined / 500 == pytest.approx((1 - 1 / 30) ** 30, abs=0.07)
    nothing = score_interval(truth * 0, guesses(truth, 1.0), AUC, resamples=20)
    assert nothing.undefined == 20
    assert np.isnan([nothing.value, nothing.low, nothing.high, nothing.p_value]).all()


def test_same_seed_same_interval_whatever_the_block(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = labels(50)
    model = guesses(truth, 1.0)
    first = score_interval(truth, model, AUC, resamples=200, seed=3)
    assert first != score_interval(truth, model, AUC, resamples=200, seed=4)
    monkeypatch.setattr("geno_hpo.compare.bootstrap.BLOCK", 50 * 7)
    assert first == score_interval(truth, model, AUC, resamples=200, seed=3)


def test_many_samples_leave_out_parts_for_the_skew(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = labels(400)
    model = guesses(truth, 1.5)
    whole = score_interval(truth, model, AUC, resamples=500)
    monkeypatch.setattr("geno_hpo.compare.bootstrap.JACKKNIFE_PARTS", 50)
    parts = score_interval(truth, model, AUC, resamples=500)
    assert (parts.low, parts.high) == pytest.approx((whole.low, whole.high), abs=0.003)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"level": 1.0}, r"level must lie in \(0, 1\), got 1.0"),
        ({"resamples": 0}, "resamples must be at least 1, got 0"),
        ({"groups": np.zeros(3)}, r"groups must be \(20,\), got \(3,\)"),
    ],
)
def test_bad_arguments_are_told(options: dict, message: str) -> None:
    truth = labels(20)
    with pytest.raises(ValueError, match=message):
        score_interval(truth, guesses(truth, 1.0), AUC, **options)
