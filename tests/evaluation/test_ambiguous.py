"""Kept IUPAC codes reach networks as shares of bases, and leave them so in exported models."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.encoding import one_hot
from geno_hpo.evaluation.network import NetworkEvaluation
from tests.evaluation.test_select import MLP, split_of


@pytest.mark.slow
@pytest.mark.parametrize("centre", [True, False])
def test_networks_read_the_shares(centre: bool) -> None:
    rng = np.random.default_rng(1)
    codes = rng.choice(np.array([-1, 0, 1, 2, 3, 5, 9, 12], np.int8), (90, 12))
    data = Dataset(
        name="toy",
        kind="sequence",
        ids=tuple(map(str, range(90))),
        codes=codes,
        axis=tuple(map(str, range(12))),
        target=Target("binary", (codes[:, :1] % 2).astype(np.float32), ("y",), ("no", "yes")),
        origin=Origin("made up"),
    )
    split = split_of(data)
    evaluation = NetworkEvaluation(data, split, PreprocessConfig(centre=centre), "auc")
    weights = evaluation.refit(MLP, epochs=2, seed=1)
    told = evaluation.predict(MLP, weights, split.test)
    model = evaluation.export(MLP, weights)
    np.testing.assert_allclose(np.asarray(model(one_hot(codes[split.test]))), told, atol=1e-5)
