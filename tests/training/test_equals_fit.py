"""Weights after two epochs equal those of model.fit on the same batches."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.models import build
from geno_hpo.models.training import OPTIMIZERS
from geno_hpo.training.compiled import Compiled

from . import problems
from .keras_fit import EPOCHS, compare
from .problems import CNN, MLP, go_on

SNP_LOCAL = {**MLP, "family": "snp_cnn", "kernel": 4, "locally_connected": True}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name):
    settings = {key: 0.8 for key in OPTIMIZERS[name] if key != "nesterov"}
    decay = {} if name == "ftrl" else {"weight_decay": 0.02}
    extra = {"nesterov": True} if name == "sgd" else {}
    params = {**CNN, "optimizer": name, "learning_rate": 0.01, **settings, **decay, **extra}
    optimizer = keras.optimizers.get(
        {"class_name": name, "config": {"learning_rate": 0.01, **settings, **decay, **extra}}
    )
    compare(params, optimizer=optimizer)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_by_its_defaults(name):
    optimizer = keras.optimizers.get(name)
    optimizer.learning_rate.assign(1e-3)
    compare({**MLP, "optimizer": name}, optimizer=optimizer)


@pytest.mark.parametrize("task", problems.TASKS)
@pytest.mark.parametrize(
    "params",
    [
        {**CNN, "batch_norm": True, "conv_layers": 2},
        {**MLP, "layers": 2, "learning_rate": 0.01},
    ],
    ids=["cnn", "mlp"],
)
def test_every_task(params, task):
    compare(params, task=task)


def test_batch_norm_tightly():
    params = {
        **CNN,
        "batch_norm": True,
        "conv_layers": 2,
        "optimizer": "sgd",
        "learning_rate": 0.01,
    }
    compare(params, optimizer=keras.optimizers.SGD(0.01), tolerance=5e-7)


@pytest.mark.parametrize("task", ["regression", "binary"])
def test_variants(task):
    compare({**MLP, "batch_norm": True}, kind="variants", task=task)


@pytest.mark.parametrize("size", [1, 7, 15, 45, 64])
def test_every_batch_size(size):
    compare({**MLP, "batch_size": size})


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_penalty_and_smoothing(task):
    compare({**CNN, "l2": 0.05, "label_smoothing": 0.2}, task=task)


@pytest.mark.parametrize("penalty", [{"l1": 0.02}, {"l1": 0.02, "l2": 0.05}])
def test_elastic_net(penalty):
    compare({**CNN, **penalty})


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_focal_loss(task, gamma):
    compare({**CNN, "focal_gamma": gamma, "label_smoothing": 0.1}, task=task)


WEIGHTS = {
    "binary": [[0.4, 2.5]],
    "multiclass": [[0.5, 1.0, 3.0]],
    "multilabel": [[0.4, 2.5], [3.0, 0.2]],
}


@pytest.mark.parametrize("task", WEIGHTS)
def test_class_weights(task):
    compare(CNN, task=task, weights=WEIGHTS[task])


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_class_weights_with_smoothing_and_focal_loss(task):
    params = {**CNN, "focal_gamma": 2.0, "label_smoothing": 0.1}
    compare(params, task=task, weights=WEIGHTS[task])


def test_class_weights_need_no_function_of_their_own():
    engine = problems.engine(weighted=True)
    plain = problems.plan(CNN, restore="last")
    told = [
        engine.fit(problems.weighted(plain, weights), go_on)
        for weights in ([[1.0, 1.0]], [[0.4, 2.5]], [[2.5, 0.4]])
    ]
    assert engine.compiled == 1
    alike = problems.engine().fit(plain, go_on)
    np.testing.assert_allclose(told[0].valid_loss, alike.valid_loss, rtol=1e-6)
    assert len({round(float(result.valid_loss[0, -1]), 6) for result in told}) == 3
    assert told[1].valid_loss[0, -1] != pytest.approx(told[1].train_loss[0, -1])
    with pytest.raises(InputError, match="got None with weighted=True"):
        engine.fit(plain, go_on)
    with pytest.raises(InputError, match="with weighted=False"):
        problems.engine().fit(problems.weighted(plain, [[1.0, 1.0]]), go_on)
    with pytest.raises(InputError, match="class weights belong to classification"):
        problems.engine(task="regression", weighted=True)


@pytest.mark.parametrize("params", [CNN, SNP_LOCAL], ids=["conv", "local"])
def test_kernels_are_shortened_as_by_max_norm(params):
    kind = "sequence" if params is CNN else "variants"
    compare({**params, "max_norm": 0.4}, kind)


@pytest.mark.parametrize("longest", [0.05, 1e3])
@pytest.mark.parametrize("penalty", [{}, {"l2": 0.3}])
def test_clipping_by_the_norm_of_all_variables(longest, penalty):
    params = {**CNN, **penalty, "optimizer": "sgd", "learning_rate": 0.1, "clip_norm": longest}
    compare(params, optimizer=keras.optimizers.SGD(0.1, global_clipnorm=longest))


STEPS = 3 * EPOCHS
SCHEDULES = keras.optimizers.schedules


@pytest.mark.parametrize(
    ("params", "schedule"),
    [
        ({"schedule": "cosine"}, SCHEDULES.CosineDecay(0.02, STEPS)),
        (
            {"schedule": "cosine", "warmup": 1.0, "final_fraction": 0.1},
            SCHEDULES.CosineDecay(0.0, STEPS - 3, alpha=0.1, warmup_target=0.02, warmup_steps=3),
        ),
        (
            {"schedule": "exponential", "final_fraction": 0.2},
            SCHEDULES.ExponentialDecay(0.02, STEPS, 0.2),
        ),
    ],
    ids=["cosine", "warm-up", "exponential"],
)
@pytest.mark.parametrize("name", ["sgd", "adam", "nadam"])
def test_schedules(params, schedule, name):
    optimizer = keras.optimizers.get({"class_name": name, "config": {"learning_rate": schedule}})
    compare({**MLP, **params, "optimizer": name, "learning_rate": 0.02}, optimizer=optimizer)


def test_momentum_zero_equals_none():
    compare(
        {**MLP, "optimizer": "sgd", "momentum": 0.0, "nesterov": True},
        optimizer=keras.optimizers.SGD(1e-3),
    )
    compare(
        {**MLP, "optimizer": "rmsprop", "momentum": 0.0}, optimizer=keras.optimizers.RMSprop(1e-3)
    )


def test_layout_joins_what_it_splits():
    engine = problems.engine()
    compiled = engine._compiled(CNN)
    assert isinstance(compiled, Compiled)
    state = compiled.initial_state(5)
    values = compiled.weights(state)
    fresh = build(CNN, problems.shape("sequence", "binary"), seed=5)
    for value, variable in zip(values, fresh.weights, strict=True):
        np.testing.assert_array_equal(value, variable.numpy())
