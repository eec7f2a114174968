"""Tests of variants against scipy, filters by call rate, and pruning of linked variants."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from geno_hpo.errors import InputError
from geno_hpo.preprocess import RankedVariants, cells, fit_variants, rank_variants
from geno_hpo.preprocess.association import blocks
from geno_hpo.preprocess.linkage import prune
from tests.test_preprocess import Settings, dosages


def ranked(codes: np.ndarray, labels: np.ndarray, samples: np.ndarray, task: str) -> RankedVariants:
    return rank_variants(codes, labels, [samples], Settings(), task, most=1)[0]


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
    monkeypatch.setattr(cells, "WIDTH", 32)
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
    found = ranked(codes, labels, samples, task)
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
    found = ranked(codes, trait, np.arange(3000), "regression")
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
        found = ranked(codes, labels, np.arange(6), task)
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


def folds_of(n: int, k: int, seed: int) -> list[np.ndarray]:
    """Training parts of k folds over the first nine tenths, and all of these."""
    order = np.random.default_rng(seed).permutation(n * 9 // 10)
    return [*(np.sort(np.delete(order, np.s_[i::k])) for i in range(k)), np.sort(order)]


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression", "multilabel"])
@pytest.mark.parametrize(("rows", "width", "most_cells"), [(256, 4096, 32), (7, 13, 3)])
def test_parts_learned_in_one_pass_are_those_learned_alone(
    task: str, rows: int, width: int, most_cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("ROWS", rows), ("WIDTH", width), ("MOST_CELLS", most_cells)):
        monkeypatch.setattr(cells, name, value)
    rng = np.random.default_rng(3)
    codes = dosages(130, 60, seed=8, missing=0.1)
    labels = {
        "binary": rng.random((130, 1)) < 0.3,
        "multiclass": rng.integers(0, 4, (130, 1)),
        "regression": rng.normal(700, 3, (130, 1)) + codes[:, :1],
        "multilabel": rng.random((130, 2)) < 0.4,
    }[task].astype(np.float32)
    labels[:20, -1] = np.nan
    parts = [*folds_of(130, 5, 1), *folds_of(130, 5, 2)]
    rule = Settings(min_maf=0.1, min_call_rate=0.85, prune_r2=0.9)
    together = rank_variants(codes, labels, parts, rule, task, most=10, threads=2)
    for part, found in zip(parts, together, strict=True):
        (alone,) = rank_variants(codes, labels, [part], rule, task, most=10)
        for name in ("fill", "mean", "spread", "usable", "monomorphic", "rare", "uncalled"):
            np.testing.assert_array_equal(getattr(found, name), getattr(alone, name))
        np.testing.assert_allclose(found.p_value, alone.p_value, rtol=1e-3)
        np.testing.assert_array_equal(found.order, alone.order)


def test_samples_outside_every_part_are_never_read() -> None:
    codes, parts = dosages(100, 30, seed=4), folds_of(100, 4, 0)
    labels = np.random.default_rng(0).normal(size=(100, 1)).astype(np.float32)
    sealed = np.setdiff1d(np.arange(100), parts[-1])
    other, told = codes.copy(), labels.copy()
    other[sealed], told[sealed] = 2, 1e6
    ways = [
        rank_variants(c, y, parts, Settings(), "regression", most=5)
        for c, y in ((codes, labels), (other, told))
    ]
    for first, second in zip(*ways, strict=True):
        np.testing.assert_array_equal(first.p_value, second.p_value)
        np.testing.assert_array_equal(first.mean, second.mean)


def test_a_pass_holds_the_folds_of_a_division_and_few_repeats() -> None:
    repeats = [part for seed in range(6) for part in folds_of(300, 5, seed)]
    groups = list(cells.passes(repeats, 300))
    assert [i for group in groups for i in group] == list(range(36))
    assert len(groups[0]) >= 6
    assert 1 < len(groups) < 12
    assert list(cells.passes(folds_of(300, 10, 0), 300)) == [list(range(11))]


def test_memory_of_a_block_is_bounded_by_bytes() -> None:
    assert max(s.stop - s.start for s in blocks(315_000, 500_000)) * 500_000 * 4 <= 8 * 2**20
    assert [s.stop for s in blocks(3, 10**9)] == [1, 2, 3]
    many = cells.Cells(np.arange(64), np.arange(65), np.ones((64, 64)))
    assert many.width(200) * 200 * 3 * 8 * 128 <= cells.SUM_BYTES


@pytest.mark.parametrize("prune_r2", [None, 0.3])
def test_any_number_of_best_variants_is_a_prefix_of_one_ranking(prune_r2: float | None) -> None:
    codes = linked()
    labels = (codes[:, :1] > 0).astype(np.float32)
    rule = Settings(prune_r2=prune_r2, prune_window=10)
    (whole,) = rank_variants(codes, labels, [np.arange(80)], rule, "binary", most=9)
    for select in (1, 4, 9):
        chosen = replace(rule, select=select)
        wanted = fit_variants(codes, labels, np.arange(80), chosen, "binary")
        for one, two in zip(whole.fitted(chosen).constants, wanted.constants, strict=True):
            np.testing.assert_array_equal(one, two)
