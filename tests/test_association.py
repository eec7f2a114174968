"""Tests of variants against scipy, filters by call rate, and pruning of linked variants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geno_hpo.errors import InputError
from geno_hpo.preprocess import association_tests, fit_variants
from geno_hpo.preprocess.linkage import prune
from tests.test_preprocess import Settings, dosages


def one_by_one(x: np.ndarray, y: np.ndarray, task: str) -> float:
    """p-value of one variant by scipy, over samples that are called and labelled."""
    known = (x >= 0) & ~np.isnan(y)
    x, y = x[known].astype(float), y[known].astype(float)
    if task == "regression":
        return float(stats.pearsonr(x, y).pvalue)
    return float(stats.f_oneway(*(x[y == value] for value in np.unique(y))).pvalue)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "multilabel"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_p_values_are_those_of_scipy(
    task: str, missing: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geno_hpo.preprocess.association.BLOCK", 32)
    rng = np.random.default_rng(11)
    codes = dosages(150, 90, seed=6, missing=missing)
    labels = {
        "binary": rng.random((150, 1)) < 0.3,
        "multiclass": rng.integers(0, 4, (150, 1)),
        "regression": rng.normal(700, 3, (150, 1)) + codes[:, :1],
        "multilabel": rng.random((150, 2)) < 0.4,
    }[task].astype(np.float32)
    labels[:20, -1] = np.nan
    samples = np.sort(rng.permutation(150)[:120])
    found = association_tests(codes, labels, samples, task)
    wanted = [
        min(one_by_one(codes[samples, j], y[samples], task) for y in labels.T) for j in range(90)
    ]
    np.testing.assert_allclose(found.p_value, wanted, rtol=2e-4)


def test_a_trait_far_from_zero_loses_no_digits() -> None:
    rng = np.random.default_rng(0)
    codes = dosages(3000, 40, seed=1, missing=0.1)
    trait = (1e4 + rng.normal(size=(3000, 1)) + 0.2 * np.maximum(codes[:, :1], 0)).astype(
        np.float32
    )
    found = association_tests(codes, trait, np.arange(3000), "regression")
    wanted = [one_by_one(codes[:, j], trait[:, 0], "regression") for j in range(40)]
    np.testing.assert_allclose(np.log(found.p_value), np.log(wanted), rtol=2e-3)


@pytest.mark.parametrize(
    ("column", "label", "p", "f"),
    [
        ([1, 1, 1, 1, -1, 1], [0, 0, 0, 1, 1, 1], 1.0, 0.0),  # does not vary
        ([-1] * 6, [0, 0, 0, 1, 1, 1], 1.0, 0.0),  # never called
        ([0, 0, 0, 2, 2, 2], [0, 0, 0, 1, 1, 1], 0.0, np.inf),  # tells the classes apart
        ([0, 1, 2, -1, -1, -1], [0, 0, 0, 1, 1, 1], 1.0, 0.0),  # called in one class only
        ([0, 1, -1, -1, -1, -1], [0, 1, 0, 1, 0, 1], 1.0, 0.0),  # no degree of freedom
    ],
)
def test_variants_that_cannot_be_tested_come_last(
    column: list[int], label: list[int], p: float, f: float
) -> None:
    codes = np.array(column, np.int8)[:, None]
    labels = np.array(label, np.float32)[:, None]
    for task in ("binary", "regression"):
        found = association_tests(codes, labels, np.arange(6), task)
        assert found.p_value[0] == pytest.approx(p, abs=1e-6)
        assert found.f[0] == f


def test_seldom_called_variants_are_silent_counted_and_no_candidates() -> None:
    codes = dosages(100, 10, missing=0)
    codes[:40, 3] = -1
    labels = (np.arange(100) % 2)[:, None].astype(np.float32)
    rule = Settings(min_call_rate=0.7)
    fitted = fit_variants(codes, labels, np.arange(100), rule, "binary")
    assert (fitted.uncalled, fitted.monomorphic, fitted.rare) == (1, 0, 0)
    assert not fitted.transform(codes)[:, 3].any()
    chosen = fit_variants(codes, labels, np.arange(100), replace(rule, select=9), "binary")
    assert 3 not in chosen.columns
    with pytest.raises(InputError, match=r"only 9 of 10 vary .* and min_call_rate 0.7"):
        fit_variants(codes, labels, np.arange(100), replace(rule, select=10), "binary")


def linked(seed: int = 0, n: int = 90, variants: int = 60) -> np.ndarray:
    """Dosages whose neighbours are alike."""
    rng = np.random.default_rng(seed)
    codes = np.empty((n, variants), np.int8)
    codes[:, 0] = rng.binomial(2, 0.4, n)
    for j in range(1, variants):
        fresh = rng.random(n) < 0.25
        codes[:, j] = np.where(fresh, rng.binomial(2, 0.4, n), codes[:, j - 1])
    codes[rng.random(codes.shape) < 0.03] = -1
    return codes


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 99), window=st.integers(1, 70), r2=st.floats(0.05, 0.9))
def test_pruning_is_the_greedy_rule(seed: int, window: int, r2: float) -> None:
    codes = linked(seed)
    rng = np.random.default_rng(seed)
    train, order = np.sort(rng.permutation(90)[:70]), rng.permutation(60)[:50]
    x = np.where(codes[train] < 0, np.nan, codes[train].astype(float))
    fill = np.nanmean(x, axis=0)
    squared = np.corrcoef(np.where(np.isnan(x), fill, x), rowvar=False) ** 2
    wanted: list[int] = []
    for i in order:
        if all(abs(i - j) > window or squared[i, j] <= r2 for j in wanted):
            wanted.append(int(i))
    found = prune(codes, train, order, fill, r2=r2, window=window)
    assert found.tolist() == wanted
    assert prune(codes, train, order, fill, r2=r2, window=window, keep=5).tolist() == wanted[:5]


def test_linked_variants_are_silent_or_no_candidates() -> None:
    codes = linked()
    labels = (codes[:, :1] > 0).astype(np.float32)
    rule = Settings(prune_r2=0.3, prune_window=10)
    fitted = fit_variants(codes, labels, np.arange(80), rule, "binary")
    silent = np.isinf(fitted.scale)
    assert fitted.linked == silent.sum() > 5
    assert not silent[0]  # the first of a linked pair in the table stays
    plain = fit_variants(codes, labels, np.arange(80), Settings(select=8), "binary")
    pruned = fit_variants(codes, labels, np.arange(80), replace(rule, select=8), "binary")
    assert plain.columns[1] == 1
    assert pruned.columns.tolist() != plain.columns.tolist()
    x = pruned.transform(codes[:80])
    near = np.abs(np.subtract.outer(pruned.columns, pruned.columns)) <= 10
    squared = np.corrcoef(x, rowvar=False) ** 2
    assert squared[near & ~np.eye(8, dtype=bool)].max() <= 0.3
    with pytest.raises(InputError, match=r"only \d+ of 60 candidates are left with prune_r2 0.3"):
        fit_variants(codes, labels, np.arange(80), replace(rule, select=50), "binary")
