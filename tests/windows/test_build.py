"""The dictionary holds what every sample's windows hold, and each window once."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geno_hpo.errors import InputError
from geno_hpo.windows import (
    Dictionary,
    Geometry,
    Reach,
    build_dictionary,
    causal,
    difference_share,
    differences_pay,
    join,
    same,
    stretches,
    valid,
    windows_cost,
)
from geno_hpo.windows.cost import expected_rows

from .cohorts import clones, strangers


@pytest.mark.parametrize(
    ("reach", "length", "first", "last"),
    [
        (same(0, 10, 3), 10, [-1, 0, 1], [8, 9, 10]),
        (same(0, 10, 4), 10, [-1, 0, 1, 2], [8, 9, 10, 11]),
        (same(0, 10, 3, stride=3), 4, [-1, 0, 1], [8, 9, 10]),
        (same(0, 9, 3, stride=3), 3, [0, 1, 2], [6, 7, 8]),
        (same(0, 10, 3, dilation=2), 10, [-2, 0, 2], [7, 9, 11]),
        (valid(0, 10, 3), 8, [0, 1, 2], [7, 8, 9]),
        (valid(0, 10, 3, stride=4), 2, [0, 1, 2], [4, 5, 6]),
        (valid(0, 10, 3, dilation=3), 4, [0, 3, 6], [3, 6, 9]),
        (causal(0, 10, 3, dilation=2), 10, [-4, -2, 0], [5, 7, 9]),
        (causal(0, 10, 2, stride=4), 3, [-1, 0], [7, 8]),
        (join((0, 0), 10), 10, [0, 0], [9, 9]),
    ],
)
def test_what_a_window_reads(reach: Reach, length: int, first: list[int], last: list[int]) -> None:
    shifts = np.array([shift for _, shift in reach.taps])
    assert reach.length == length
    assert list(shifts) == first
    assert list((length - 1) * reach.stride + shifts) == last


def agree(codes: np.ndarray, dictionary: Dictionary) -> None:
    """Every window of every sample is found again in the table, where none stands twice."""
    samples = np.arange(len(codes))
    letters = dictionary.levels[0]
    alike = np.concatenate([[-9], dictionary.reference, letters.table[:, 0]])
    np.testing.assert_array_equal(alike[letters.ids(samples)], codes)
    ids = [rows.ids(samples) for rows in dictionary.levels]
    for reach, rows, own in zip(dictionary.geometry, dictionary.levels[1:], ids[1:], strict=True):
        reference = np.zeros((rows.length, len(reach.taps)), np.int32)
        held = np.zeros((*own.shape, len(reach.taps)), np.int32)
        for tap, (source, shift) in enumerate(reach.taps):
            at = np.arange(rows.length) * reach.stride + shift
            inside = (at >= 0) & (at < dictionary.levels[source].length)
            reference[inside, tap] = at[inside] + 1
            held[:, inside, tap] = ids[source][:, at[inside]]
        whole = np.concatenate([reference, rows.table])
        np.testing.assert_array_equal(whole[own - 1], held)
        placed = np.column_stack([np.r_[np.arange(rows.length), rows.place], whole])
        assert len(np.unique(placed, axis=0)) == len(placed)
        assert (np.diff(rows.place) >= 0).all()
        np.testing.assert_array_equal(rows.carriers, np.bincount(rows.found, minlength=rows.size))


@st.composite
def geometries(draw: st.DrawFn, length: int) -> Geometry:
    """One to four levels over `length` positions, the last one perhaps a join."""
    levels: list[Reach] = []
    for level in range(draw(st.integers(1, 3))):
        kernel = draw(st.integers(1, 5))
        dilation = draw(st.integers(1, 3))
        make = draw(st.sampled_from([same, valid, causal]))
        if make is valid and (kernel - 1) * dilation >= length:
            make = same
        levels.append(make(level, length, kernel, draw(st.integers(1, 3)), dilation))
        length = levels[-1].length
    if len(levels) > 1 and levels[-1].length == levels[-2].length:
        levels.append(join((len(levels) - 1, len(levels)), length))
    return tuple(levels)


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_every_window_is_found_again(data: st.DataObject) -> None:
    length = data.draw(st.integers(6, 40))
    codes = clones(
        data.draw(st.integers(1, 30)),
        length,
        data.draw(st.sampled_from([0.0, 0.05, 0.6])),
        data.draw(st.integers(0, 99)),
    )
    agree(codes, build_dictionary(codes, data.draw(geometries(length))))


def alike(one: Dictionary, other: Dictionary) -> None:
    for own, its in zip(one.levels, other.levels, strict=True):
        np.testing.assert_array_equal(own.table, its.table)
        np.testing.assert_array_equal(own.found, its.found)


@pytest.mark.parametrize(("wide", "cells"), [(1, 1), (7, 1000), (50, 2**22)])
def test_how_much_is_looked_at_together_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, wide: int, cells: int
) -> None:
    codes, geometry = clones(70), (same(0, 60, 5), same(1, 60, 3, 3), valid(2, 20, 4, 1, 2))
    whole = build_dictionary(codes, geometry)
    monkeypatch.setattr(stretches, "WIDE", wide)
    monkeypatch.setattr(stretches, "_CELLS", cells)
    alike(whole, build_dictionary(codes, geometry))


def test_stretches_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, geometry = clones(70), (same(0, 60, 5),)
    expected = build_dictionary(codes, geometry)
    real, tried = pd.factorize, []

    def clumsy(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        tried.append(hashes)
        return real(hashes % np.uint64(3) if len(tried) == 1 else hashes)

    monkeypatch.setattr(pd, "factorize", clumsy)
    alike(expected, build_dictionary(codes, geometry))
    assert len(tried) == 3


def test_windows_of_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, geometry = clones(), (same(0, 60, 5),)
    expected = build_dictionary(codes, geometry)
    real, tried = stretches.Within.hashes, []

    def clumsy(block: stretches.Within, factors: np.ndarray) -> np.ndarray:
        tried.append(factors)
        return real(block, factors) % np.uint64(8 if len(tried) == 1 else 2**63)

    monkeypatch.setattr(stretches.Within, "hashes", clumsy)
    found = build_dictionary(codes, geometry)
    assert len(tried) == 2
    assert not np.array_equal(tried[0], tried[1])
    np.testing.assert_array_equal(found.levels[1].table, expected.levels[1].table)


def test_clones_are_told_from_strangers() -> None:
    assert difference_share(np.zeros((50, 9), np.int8)) == 0.0
    assert difference_share(clones(500)) < 0.12
    assert difference_share(strangers()) > 0.6


def test_differences_alone_take_memory() -> None:
    geometry = (same(0, 500, 7), same(1, 500, 3, 3))
    few, many = (build_dictionary(clones(n, 500, 0.005), geometry) for n in (100, 200))
    assert many.bytes < 0.25 * 200 * 500 * 4 * 3
    assert few.bytes < many.bytes < 2 * few.bytes


WORK = ((1, 12 * 5 * 64, 64), (1, 0, 64), (2, 192, 64))


def test_work_falls_with_what_samples_have_in_common() -> None:
    geometry = (same(0, 2000, 12), same(1, 2000, 3, 3))
    cost = partial(windows_cost, work=WORK)
    near = build_dictionary(clones(300, 2000, 0.001), geometry)
    far = build_dictionary(clones(300, 2000, 0.05), geometry)
    apart = build_dictionary(strangers(300, 2000), geometry)
    ratios = [cost(each, batch=64).ratio for each in (near, far, apart)]
    assert ratios[0] > ratios[1] > 1.0 > ratios[2]
    assert cost(near, batch=256).ratio > ratios[0] > cost(near, batch=4).ratio
    assert cost(near, batch=10**6).ratio == cost(near, batch=300).ratio


def test_differences_pay_in_large_batches_of_clones() -> None:
    near = build_dictionary(clones(300, 2000, 0.0005), (same(0, 2000, 12),))
    assert [differences_pay(near, batch) for batch in (8, 256)] == [False, True]
    apart = build_dictionary(strangers(300, 2000), (same(0, 2000, 12),))
    assert not differences_pay(apart, 256)


def test_a_batch_of_all_samples_holds_every_window() -> None:
    dictionary = build_dictionary(clones(), (same(0, 60, 3),))
    rows = dictionary.levels[1]
    assert expected_rows(rows, 1) == pytest.approx(len(rows.found) / 40)
    assert expected_rows(rows, 10**4) == pytest.approx(rows.size)


@pytest.mark.parametrize(
    ("codes", "geometry", "message"),
    [
        (np.zeros((3, 4)), (same(0, 4, 2),), r"codes must be 2-d int8, got float64 of shape"),
        (np.zeros((0, 4), np.int8), (same(0, 4, 2),), r"got int8 of shape \(0, 4\)"),
        (np.zeros((3, 4), np.int8), (), "at least one level, got none"),
    ],
)
def test_bad_input_is_told(codes: np.ndarray, geometry: Geometry, message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_dictionary(codes, geometry)


def test_a_level_that_reads_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="got 0 taps, stride 1, length 5"):
        Reach((), 1, 5)
