"""Genotype histograms: counts by hand, missing values, and no look beyond the training part."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.models import ModelShape
from geno_hpo.preprocess import genotype_histograms
from geno_hpo.preprocess.histograms import label_groups

UNITS = {"binary": 1, "multiclass": 3, "multilabel": 2, "regression": 2}


def data(task: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, (60, 11)).astype(np.int8)
    if task == "regression":
        values = rng.normal(size=(60, 2))
    elif task == "multiclass":
        values = rng.integers(0, 3, (60, 1))
    else:
        values = rng.integers(0, 2, (60, UNITS[task]))
    values = values.astype(np.float32)
    if task in ("multilabel", "regression"):
        values[::7, 0] = np.nan
    return codes, values


@pytest.mark.parametrize("task", UNITS)
def test_shares_are_those_of_a_count_by_hand(task: str) -> None:
    codes, values = data(task)
    train, columns = np.arange(5, 50), np.int32([1, 4, 9])
    told = genotype_histograms(codes, values, train, columns, UNITS[task], task)
    members = label_groups(values, train, UNITS[task], task).astype(bool)
    raw = np.empty((3, members.shape[1], 3))
    for row, column in enumerate(columns):
        for group in range(members.shape[1]):
            given = codes[train, column][members[:, group]]
            for dosage in range(3):
                raw[row, group, dosage] = np.mean(given[given >= 0] == dosage)
    flat = raw.reshape(3, -1) - raw.reshape(3, -1).mean(axis=0)
    np.testing.assert_allclose(told, flat / flat.std(), atol=1e-5)
    shape = ModelShape("variants", 3, 1, UNITS[task], task)
    assert members.shape[1] == shape.label_groups


def test_groups_of_a_trait_are_its_thirds() -> None:
    values = np.float32(np.arange(9))[:, None]
    values[4] = np.nan
    groups = label_groups(values, np.arange(9), 1, "regression")
    assert groups.sum(axis=0).tolist() == [3, 2, 3]
    assert groups[4].sum() == 0


@pytest.mark.parametrize("task", UNITS)
def test_nothing_outside_the_training_part_counts(task: str) -> None:
    codes, values = data(task)
    other_codes, other_values = data(task, seed=1)
    train = np.arange(0, 60, 2)
    other_codes[train], other_values[train] = codes[train], values[train]
    columns = np.arange(11, dtype=np.int32)
    one = genotype_histograms(codes, values, train, columns, UNITS[task], task)
    other = genotype_histograms(other_codes, other_values, train, columns, UNITS[task], task)
    np.testing.assert_array_equal(one, other)
    moved = values.copy()
    moved[train] = values[train[::-1]]
    again = genotype_histograms(codes, moved, train, columns, UNITS[task], task)
    assert not np.array_equal(one, again)


def test_variants_that_nobody_is_called_for_say_nothing() -> None:
    codes, values = data("binary")
    codes[:, 3] = -1
    codes[values[:, 0] == 1, 5] = -1
    columns = np.arange(11, dtype=np.int32)
    told = genotype_histograms(codes, values, np.arange(60), columns, 1, "binary")
    assert np.isfinite(told).all()
    np.testing.assert_array_equal(told[3], np.zeros(6))
