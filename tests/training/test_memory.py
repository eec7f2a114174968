"""What was compiled goes away with its function, for every activation, optimizer and kind."""

from __future__ import annotations

import gc

import pytest
from tensorflow.python.framework import ops
from tensorflow.python.framework.func_graph import FuncGraph

from geno_hpo.training import tensorflow
from geno_hpo.training.memory import sweep

from . import problems
from .problems import CNN, MLP, go_on


def graphs():
    gc.collect()
    return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())


@pytest.mark.parametrize(
    "params",
    [
        {**CNN, "activation": "silu", "conv_layers": 2, "batch_norm": True, "dropout": 0.1},
        {**MLP, "activation": "gelu", "optimizer": "nadam", "weight_decay": 0.1, "l2": 0.1},
    ],
    ids=["cnn", "mlp"],
)
def test_nothing_of_a_graph_stays(params):
    gradients = set(ops.gradient_registry._registry)
    engine = problems.engine(cache_size=1)
    before = graphs()
    one = problems.replica()
    for neurons in (3, 4, 5):
        sized = {**params, "neurons": neurons}
        result = engine.fit(problems.plan(sized), go_on)
        engine.predict(sized, result.weights[0], one.valid)
        engine.input_gradients(sized, result.weights[0], one.valid)
    engine._cache.drop(engine._key(sized))
    assert graphs() == before
    assert set(ops.gradient_registry._registry) == gradients


def test_compiled_functions_survive_a_sweep(monkeypatch):
    engine = problems.engine(cache_size=2)
    first = engine.fit(problems.plan(MLP), go_on)
    sweep()
    monkeypatch.setattr(tensorflow, "SWEEP_EVERY", 1)
    for neurons in (3, 4):
        engine.fit(problems.plan({**MLP, "neurons": neurons}), go_on)
        again = engine.fit(problems.plan(MLP), go_on)
        assert again.reused
        assert (again.train_loss == first.train_loss).all()
