from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.preprocess import fit_variants
from geno_hpo.training.dosages import DosageCoding


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


def test_rules_of_variants():
    codes = np.array([[0, 4]], np.int8)
    with pytest.raises(InputError, match="codes must be 2-d int8, got 2-d int64"):
        DosageCoding(codes.astype(np.int64), 1)
    with pytest.raises(InputError, match=r"selected must lie in \[1, 2\] variants, got 3"):
        DosageCoding(codes, 3)
