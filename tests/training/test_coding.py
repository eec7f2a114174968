from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.training.coding import DosageCoding, OneHotCoding


@pytest.mark.parametrize("symbols", [4, 5])
def test_one_hot(symbols):
    codes = np.arange(-1, symbols, dtype=np.int8)[None]
    coding = OneHotCoding(codes, symbols)
    given = np.array(coding.inputs(codes))
    expected = np.vstack([np.zeros(symbols), np.eye(symbols)])[None]
    np.testing.assert_array_equal(given, expected)
    assert given.dtype == np.float32
    assert coding.input_shape == given.shape[1:]


def test_dosage():
    codes = np.array([[0, 1, 2, -1], [2, -1, 0, 1]], np.int8)
    coding = DosageCoding(codes, 2)
    columns, mean, scale = np.int32([3, 1]), np.float32([0.5, 1.5]), np.float32([2.0, 0.5])
    given = np.array(coding.inputs(codes, columns, mean, scale))
    np.testing.assert_allclose(given, [[0.0, -1.0], [0.25, 0.0]])
    assert (given.dtype, coding.input_shape) == (np.float32, (2,))


def test_rules():
    codes = np.array([[0, 4]], np.int8)
    with pytest.raises(InputError, match="codes must be below 4 symbols, got 4"):
        OneHotCoding(codes)
    with pytest.raises(InputError, match="codes must be 2-d int8, got 2-d int64"):
        DosageCoding(codes.astype(np.int64), 1)
    with pytest.raises(InputError, match=r"selected must lie in \[1, 2\] variants, got 3"):
        DosageCoding(codes, 3)
