from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.feature_selection import f_classif, f_regression

from geno_hpo.encoding import encode_alignment, one_hot
from geno_hpo.errors import InputError
from geno_hpo.metrics import METRICS
from geno_hpo.preprocess import fit_target, fit_variants, sequence_features, sequence_mean


@dataclass(frozen=True)
class Settings:
    impute: str = "mean"
    neighbours: int = 5
    neighbour_weights: str = "uniform"
    scale: str = "standard"
    select: int | None = None
    min_maf: float = 0.0
    min_call_rate: float = 0.0
    prune_r2: float | None = None
    prune_window: int = 50
    components: int | None = None


NO_LABELS = np.zeros((0, 1), np.float32)


def dosages(n: int, variants: int, seed: int = 0, missing: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(seed)
    codes = rng.binomial(2, rng.uniform(0.1, 0.5, variants), (n, variants)).astype(np.int8)
    codes[rng.random(codes.shape) < missing] = -1
    return codes


def test_training_inputs_have_zero_mean_and_unit_variance() -> None:
    codes, train = dosages(80, 30), np.arange(0, 80, 2)
    fitted = fit_variants(codes, np.zeros((80, 1), np.float32), train, Settings(), "binary")
    x = fitted.transform(codes)
    assert x.dtype == np.float32
    np.testing.assert_allclose(x[train].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x[train].std(axis=0), 1, rtol=1e-5)
    np.testing.assert_allclose(x[codes < 0], 0, atol=1e-6)


def test_mode_imputation_takes_the_most_frequent_training_dosage() -> None:
    codes = np.array([[2], [2], [0], [-1], [0], [0]], np.int8)
    labels = np.zeros((6, 1), np.float32)
    fitted = fit_variants(
        codes, labels, np.arange(4), Settings(impute="mode", scale="none"), "regression"
    )
    np.testing.assert_array_equal(fitted.transform(codes)[:, 0], [2, 2, 0, 2, 0, 0])


def test_what_does_not_vary_in_training_is_silent_and_counted() -> None:
    codes = np.array([[0, 1, 0, -1], [0, 1, 1, -1], [0, 0, 0, -1], [2, 1, 2, 1]], np.int8)
    labels = np.zeros((4, 1), np.float32)
    for scale in ("standard", "none"):
        fitted = fit_variants(codes, labels, np.arange(3), Settings(scale=scale), "binary")
        assert (fitted.monomorphic, fitted.rare) == (2, 0)
        x = fitted.transform(codes)
        assert x.shape == (4, 4)
        assert not x[:, [0, 3]].any()
        assert x[:, 1].any()


@pytest.mark.parametrize(("top", "rare"), [(2, 1), (1, 0)])
def test_rare_variants_are_silenced_by_their_training_frequency(top: int, rare: int) -> None:
    codes = np.zeros((50, 2), np.int8)
    codes[:5, 0] = 1  # 5 alleles of 100 in diploids, 5 of 50 in haploids
    codes[:25, 1] = top
    settings = Settings(min_maf=0.07)
    fitted = fit_variants(codes, np.zeros((50, 1), np.float32), np.arange(50), settings, "binary")
    assert fitted.rare == rare
    assert fitted.transform(codes)[:, 0].any() == (rare == 0)


def test_selection_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(1)
    codes = dosages(120, 300, missing=0)
    train = np.sort(rng.permutation(120)[:90])
    x = codes[train].astype(float)
    labels = {
        "binary": rng.integers(0, 2, 120),
        "multiclass": rng.integers(0, 3, 120),
        "regression": rng.normal(size=120),
    }
    for task, y in labels.items():
        test = f_regression if task == "regression" else f_classif
        best = np.sort(np.argsort(test(x, y[train])[1])[:20])
        values = y[:, None].astype(np.float32)
        fitted = fit_variants(codes, values, train, Settings(select=20), task)
        np.testing.assert_array_equal(fitted.columns, best)


def test_selection_over_outputs_takes_the_smallest_p_of_known_labels() -> None:
    rng = np.random.default_rng(2)
    codes = dosages(200, 50, missing=0)
    labels = rng.integers(0, 2, (200, 2)).astype(np.float32)
    labels[:, 0] = codes[:, 7] > 0
    labels[:120, 1] = codes[:120, 31] > 0
    labels[120:, 1] = np.nan
    fitted = fit_variants(codes, labels, np.arange(200), Settings(select=2), "multilabel")
    np.testing.assert_array_equal(fitted.columns, [7, 31])


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    codes = dosages(60, 100)
    labels = np.random.default_rng(3).normal(size=(60, 1)).astype(np.float32)
    whole = fit_variants(codes, labels, np.arange(40), Settings(select=10), "regression")
    monkeypatch.setattr("geno_hpo.preprocess.cells.WIDTH", 7)
    parts = fit_variants(codes, labels, np.arange(40), Settings(select=10), "regression")
    for name in ("columns", "fill", "mean", "scale"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_too_few_candidates_are_told() -> None:
    codes = dosages(40, 10)
    with pytest.raises(InputError, match="keeps 20 variants, but only 10 of 10 vary"):
        fit_variants(
            codes, np.arange(40)[:, None] % 2.0, np.arange(40), Settings(select=20), "binary"
        )


def test_a_planted_leak_shows_and_the_honest_pipeline_does_not() -> None:
    """Labels are noise: selection on all samples finds a signal, selection on train does not."""
    rng = np.random.default_rng(4)
    codes, labels = dosages(120, 4000, seed=5), rng.integers(0, 2, (120, 1)).astype(np.float32)
    honest, leaky = [], []
    for start in range(4):
        valid = np.arange(start, 120, 4)
        train = np.setdiff1d(np.arange(120), valid)
        for scores, seen in ((honest, train), (leaky, np.arange(120))):
            fitted = fit_variants(codes, labels, seen, Settings(select=20), "binary")
            x = fitted.transform(codes)
            weights = x[train].T @ (labels[train, 0] - labels[train].mean())
            scores.append(METRICS["auc"].score(labels[valid], (x[valid] @ weights)[:, None]))
    assert np.mean(leaky) > 0.8
    assert abs(np.mean(honest) - 0.5) < 0.12


@pytest.mark.parametrize("select", [None, 5])
def test_nothing_outside_the_training_part_is_read(select: int | None) -> None:
    codes, labels = dosages(60, 20), np.random.default_rng(0).normal(size=(60, 1))
    train = np.arange(0, 60, 2)
    other_codes, other_labels = codes.copy(), labels.copy()
    other_codes[1::2], other_labels[1::2] = 1, 99
    settings = Settings(select=select)
    first = fit_variants(codes, labels.astype(np.float32), train, settings, "regression")
    second = fit_variants(
        other_codes, other_labels.astype(np.float32), train, settings, "regression"
    )
    np.testing.assert_array_equal(first.transform(codes), second.transform(codes))
    sites = sequence_features(codes, train)
    np.testing.assert_array_equal(sites.columns, sequence_features(other_codes, train).columns)
    np.testing.assert_array_equal(
        fit_target(labels.astype(np.float32), train, "regression").scale,
        fit_target(other_labels.astype(np.float32), train, "regression").scale,
    )


@settings(deadline=None, max_examples=40)
@given(arrays(np.float32, (12, 2), elements=st.integers(-9999, 9999).map(float)))
def test_target_scale_is_undone(values: np.ndarray) -> None:
    scale = fit_target(values, np.arange(6), "regression")
    size = np.abs(values).max() + scale.scale.max()
    np.testing.assert_allclose(scale.inverse(scale.forward(values)), values, atol=1e-5 * size)


@pytest.mark.parametrize(("task", "enabled"), [("binary", True), ("regression", False)])
def test_labels_are_not_scaled(task: str, enabled: bool) -> None:
    values = np.array([[1.0], [0.0], [1.0]], np.float32)
    scale = fit_target(values, np.arange(3), task, enabled)
    np.testing.assert_array_equal(scale.forward(values), values)
    np.testing.assert_array_equal(scale.inverse(values), values)


def test_target_scale_skips_missing_and_survives_a_constant() -> None:
    values = np.array([[1, 5], [3, 5], [np.nan, 5]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scale = fit_target(values, np.arange(3), "regression")
    np.testing.assert_array_equal(scale.mean, [2, 5])
    np.testing.assert_array_equal(scale.scale, [1, 1])


def test_sites_are_the_rarer_symbols_of_varying_positions() -> None:
    codes = np.array(
        [
            [0, 1, 2, -1, 4],
            [0, 1, 3, 1, 4],
            [0, 2, 3, 1, 0],
            [0, 1, 3, 0, 4],
            [3, 3, 0, 2, 1],  # outside the training part
        ],
        np.int8,
    )
    sites = sequence_features(codes, np.arange(4))
    # Position 4 varies in the very samples position 1 does: one feature.
    np.testing.assert_array_equal(sites.columns, [1, 2, 3])
    np.testing.assert_array_equal(sites.symbols, [2, 2, 0])
    assert sites.merged == 1
    x = sites.transform(codes)
    assert x.dtype == np.uint8
    np.testing.assert_array_equal(x, [[0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0]])


def test_baselines_read_iupac_codes_as_networks_do() -> None:
    texts = ["ACA", "ACA", "GYA", "RTA", "ABR", "NTG"]
    codes = encode_alignment(texts, list("abcdef"), ambiguous=True, keep=True).codes
    train = np.arange(5)
    sites = sequence_features(codes, train)
    shown = [(int(c), int(s)) for c, s in zip(sites.columns, sites.symbols, strict=True)]
    assert shown == [(0, 2), (1, 3)], "G at the third position was never read outright in training"
    x = sites.transform(codes, np.arange(6))
    assert x.dtype == np.float32
    for feature, (column, symbol) in enumerate(shown):
        np.testing.assert_array_equal(x[:, feature], one_hot(codes)[:, column, symbol])
    mean = sequence_mean(codes, train, 4)
    np.testing.assert_allclose(mean, one_hot(codes[train]).mean(axis=0), rtol=1e-6)


def test_no_varying_position_is_told() -> None:
    with pytest.raises(InputError, match="none of the 3 positions varies among 2 training samples"):
        sequence_features(np.array([[0, 1, -1], [0, 1, 2], [1, 1, 1]], np.int8), np.arange(2))


def test_the_mean_of_sequences_is_that_of_the_training_part_without_unknown_bases() -> None:
    codes = np.array([[0, -1], [0, -1], [1, -1], [3, 2]], dtype=np.int8)
    mean = sequence_mean(codes, np.array([0, 1, 2]), 4)
    np.testing.assert_allclose(mean[0], [2 / 3, 1 / 3, 0, 0], rtol=1e-6)
    np.testing.assert_array_equal(mean[1], np.zeros(4))
