from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.encoding import one_hot
from geno_hpo.errors import InputError
from geno_hpo.training.one_hot import CentredCoding, OneHotCoding, taking_one_hot


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


def test_rules_of_sequences():
    with pytest.raises(InputError, match="codes must be below 4 symbols, got 4"):
        OneHotCoding(np.array([[0, 4]], np.int8))
