from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from geno_hpo.encoding import one_hot
from geno_hpo.errors import InputError
from geno_hpo.preprocess import fit_variants
from geno_hpo.training.coding import (
    CentredCoding,
    DosageCoding,
    OneHotCoding,
    mutated,
    taking_one_hot,
)


@pytest.mark.parametrize("symbols", [4, 5])
def test_one_hot(symbols):
    codes = np.arange(-1, symbols, dtype=np.int8)[None]
    coding = OneHotCoding(codes, symbols)
    given = np.array(coding.inputs(codes))
    expected = np.vstack([np.zeros(symbols), np.eye(symbols)])[None]
    np.testing.assert_array_equal(given, expected)
    assert given.dtype == np.float32
    assert coding.input_shape == given.shape[1:]


@pytest.mark.parametrize("symbols", [4, 5])
def test_iupac_codes_are_looked_up(symbols):
    codes = np.array([[0, 5, -1, 14], [3, 2, 8, 1]], np.int8)
    expected = one_hot(codes, symbols)
    np.testing.assert_array_equal(np.array(OneHotCoding(codes, symbols).inputs(codes)), expected)
    mean = np.full((4, symbols), 0.25, np.float32)
    given = np.array(CentredCoding(codes, symbols).inputs(codes, mean))
    known = (codes >= 0)[..., None]
    np.testing.assert_allclose(given, np.where(known, expected - mean, 0), atol=1e-7)
    with pytest.raises(InputError, match=f"below {symbols} symbols, got 15"):
        OneHotCoding(np.full((1, 4), 15, np.int8), symbols)


def test_dosage():
    codes = np.array([[0, 1, 2, -1], [2, -1, 0, 1]], np.int8)
    coding = DosageCoding(codes, 2)
    columns, fill = np.int32([3, 1]), np.float32([1.5, 1.0])
    mean, scale = np.float32([0.5, 1.5]), np.float32([2.0, 0.5])
    given = np.array(coding.inputs(codes, columns, fill, mean, scale))
    np.testing.assert_allclose(given, [[0.5, -1.0], [0.25, -1.0]])
    assert (given.dtype, coding.input_shape) == (np.float32, (2,))


def test_an_infinite_scale_silences_a_column():
    codes = np.array([[0, 2], [-1, -1], [2, 1]], np.int8)
    one = np.ones(2, np.float32)
    given = np.array(
        DosageCoding(codes, 2).inputs(codes, np.int32([0, 1]), one, one, np.float32([np.inf, 1.0]))
    )
    np.testing.assert_array_equal(given, [[0, 1], [0, 0], [0, 0]])


@pytest.mark.parametrize("impute", ["mean", "mode"])
@pytest.mark.parametrize("scale", ["standard", "none"])
@pytest.mark.parametrize("select", [None, 4])
def test_dosage_equals_the_preprocessing(impute, scale, select):
    rng = np.random.default_rng(5)
    codes = rng.integers(-1, 3, (40, 9)).astype(np.int8)
    codes[:, 2] = 1
    labels = rng.integers(0, 2, (40, 1)).astype(np.float32)
    settings = SimpleNamespace(
        impute=impute,
        scale=scale,
        select=select,
        min_maf=0.0,
        min_call_rate=0.0,
        prune_r2=None,
        prune_window=50,
        components=None,
    )
    fitted = fit_variants(codes, labels, np.arange(30), settings, "binary")
    coding = DosageCoding(codes, len(fitted.columns))
    constants = (fitted.columns, fitted.fill, fitted.mean, fitted.scale)
    assert [(a.dtype.name, a.shape) for a in constants] == list(coding.constants)
    given = np.array(coding.inputs(codes, *constants))
    np.testing.assert_allclose(given, fitted.transform(codes), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_mutations_replace_known_bases_evenly(rate):
    rng = np.random.default_rng(0)
    codes = rng.integers(-1, 5, (300, 200)).astype(np.int8)
    given = np.array(mutated(codes, np.float32(rate), rng.random(codes.shape, np.float32)))
    base = (codes >= 0) & (codes < 4)
    np.testing.assert_array_equal(given[~base], codes[~base])
    assert given.dtype == np.int8
    assert np.mean(given[base] != codes[base]) == pytest.approx(rate, abs=0.01)
    moved = (given[base] - codes[base]) % 4
    if rate:
        np.testing.assert_allclose(np.bincount(moved)[1:] / np.sum(moved > 0), 1 / 3, atol=0.02)


def test_rules():
    codes = np.array([[0, 4]], np.int8)
    with pytest.raises(InputError, match="codes must be below 4 symbols, got 4"):
        OneHotCoding(codes)
    with pytest.raises(InputError, match="codes must be 2-d int8, got 2-d int64"):
        DosageCoding(codes.astype(np.int64), 1)
    with pytest.raises(InputError, match=r"selected must lie in \[1, 2\] variants, got 3"):
        DosageCoding(codes, 3)


def test_centred_codes_are_one_hot_less_the_mean_and_unknown_is_zero() -> None:
    codes = np.array([[0, 3, -1], [0, 1, 2]], dtype=np.int8)
    mean = np.full((3, 4), 0.25, dtype=np.float32)
    coding = CentredCoding(codes, 4)
    given = np.asarray(coding.inputs(codes, mean))
    expected = np.eye(4, dtype=np.float32)[np.maximum(codes, 0)] - 0.25
    expected[0, 2] = 0
    np.testing.assert_array_equal(given, expected)
    assert coding.constants == (("float32", (3, 4)),)
    assert coding.signature != OneHotCoding(codes, 4).signature


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_a_centred_model_can_be_saved_to_take_plain_one_hot(tmp_path: Path) -> None:
    import keras

    rng = np.random.default_rng(3)
    codes = rng.integers(-1, 4, (20, 7)).astype(np.int8)
    mean = rng.random((7, 4)).astype(np.float32)
    inner = keras.Sequential([keras.Input((7, 4)), keras.layers.Flatten(), keras.layers.Dense(2)])
    wrapped = taking_one_hot(inner, mean)
    wrapped.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    one_hot = np.asarray(OneHotCoding(codes, 4).inputs(codes))
    centred = np.asarray(CentredCoding(codes, 4).inputs(codes, mean))
    expected = inner.predict(centred, verbose=0)
    np.testing.assert_allclose(loaded.predict(one_hot, verbose=0), expected, atol=1e-6)
