"""A network on principal components: trained, explained and exported in terms of variants."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.evaluation.baseline import BaselineEvaluation
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.splits import make_split
from tests.test_preprocess import dosages

PARAMS = {
    "family": "mlp",
    "layers": 1,
    "neurons": 4,
    "batch_size": 16,
    "learning_rate": 0.01,
}


@pytest.mark.slow
def test_a_network_of_components_speaks_of_variants() -> None:
    codes = dosages(90, 50, seed=2)
    trait = codes[:, :5].sum(axis=1, keepdims=True).astype(np.float32)
    data = Dataset(
        "toy",
        "variants",
        tuple(map(str, range(90))),
        codes,
        tuple(f"v{i}" for i in range(50)),
        Target("regression", trait, ("y",)),
        Origin("test"),
    )
    split = make_split(data, kind="holdout")
    rule = PreprocessConfig(select=30, components=4)
    evaluation = NetworkEvaluation(data, split, rule, "pearson")
    assert evaluation.shape.length == 4
    result = evaluation.trial(PARAMS, epochs=2, patience=None, seed=1, report=lambda _: False)
    assert len(result.weights) == 1
    weights = evaluation.refit(PARAMS, epochs=2, seed=1)
    told = evaluation.predict(PARAMS, weights, split.test)
    scaled = evaluation.variant_inputs(PARAMS, split.test)
    assert scaled is not None
    assert scaled.shape == (len(split.test), 30)
    gradients = evaluation.gradients(PARAMS, weights, split.test)
    assert gradients.shape == scaled.shape
    model = evaluation.export(PARAMS, weights)
    alone = np.asarray(model(scaled))
    # The exported model tells the scaled trait; both lie on one line.
    assert np.corrcoef(alone[:, 0], told[:, 0])[0, 1] == pytest.approx(1, abs=1e-5)
    step = 1e-2 * gradients[:1]
    rise = np.asarray(model(scaled[:1] + step)) - alone[:1]
    assert rise[0, 0] == pytest.approx(float((step * gradients[:1]).sum()), rel=0.05)
    found = BaselineEvaluation(data, split, rule, "pearson").folds
    assert found[0].x_train.shape[1] == 4
