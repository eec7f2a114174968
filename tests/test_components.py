"""Principal components against scikit-learn, and that they learn from the training part alone."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.decomposition import PCA

from geno_hpo.errors import InputError
from geno_hpo.preprocess import fit_variants, input_width
from tests.test_preprocess import Settings, dosages

NO_LABELS = np.zeros((90, 1), np.float32)


@pytest.mark.parametrize("scale", ["standard", "none"])
@pytest.mark.parametrize("select", [None, 25])
def test_components_are_those_of_scikit_learn(
    scale: str, select: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geno_hpo.preprocess.association.BLOCK_BYTES", 3000)
    codes, train = dosages(90, 70, seed=3), np.arange(0, 90, 2)
    codes[:, 5] = 1
    labels = np.random.default_rng(1).normal(size=(90, 1)).astype(np.float32)
    rule = Settings(scale=scale, select=select, components=4)
    fitted = fit_variants(codes, labels, train, rule, "regression")
    x = fitted.scaled(codes)
    model = PCA(4, svd_solver="full").fit(x[train].astype(np.float64))
    wanted = model.transform(x)
    found = fitted.transform(codes)
    assert found.shape == (90, 4)
    assert input_width(70, rule) == 4
    assert found[train].std(axis=0)[0] == pytest.approx(1, rel=1e-3)
    for ours, theirs in zip(found.T, (wanted / wanted[train].std(axis=0)[0]).T, strict=True):
        sign = np.sign(ours @ theirs)
        np.testing.assert_allclose(ours, sign * theirs, atol=2e-3)


def test_components_look_at_the_training_part_alone() -> None:
    codes, train = dosages(90, 40, seed=3), np.arange(60)
    other = codes.copy()
    other[60:] = 2 - np.maximum(other[60:], 0)
    rule = Settings(components=3)
    first, second = (fit_variants(c, NO_LABELS, train, rule, "binary") for c in (codes, other))
    np.testing.assert_array_equal(first.axes, second.axes)


def test_more_components_than_directions_are_told() -> None:
    with pytest.raises(InputError, match=r"at most the 9 directions .* got 12"):
        fit_variants(dosages(90, 40), NO_LABELS, np.arange(10), Settings(components=12), "binary")
    with pytest.raises(InputError, match="at most the 9 directions"):
        fit_variants(dosages(90, 40), NO_LABELS, np.arange(10), Settings(components=10), "binary")
