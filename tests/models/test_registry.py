from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.models import (
    FAMILIES,
    ModelShape,
    build,
    check,
    complete,
    runtime_values,
    signature,
)
from geno_hpo.models.initial import inference_variables, initial_weights

SEQUENCE = ModelShape("sequence", 20, 4, 1, "binary")
VARIANTS = ModelShape("variants", 30, 1, 2, "regression")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"family": "cnnn"}, r"family must be one of cnn, mlp, got 'cnnn'; did you mean 'cnn'\?"),
        ({}, "family must be one of cnn, mlp, got ''"),
        ({"kernel": 24}, "kernel must be at most the sequence's length 20, got 24"),
        ({"pool": 21}, "pool must be at most the length 20, got 21"),
        ({"dropot": 0.1}, r"unknown parameter 'dropot' for family 'cnn'; did you mean 'dropout'"),
        ({"dropout": 1.0}, r"dropout must lie in \[0, 1\), got 1.0"),
        ({"filters": 2.5}, "filters must be an integer at least 1, got 2.5"),
        ({"conv_layers": 0}, r"conv_layers must be an integer in \[1, 12\], got 0"),
        ({"filters": True}, "filters must be an integer at least 1, got True"),
        ({"batch_norm": "yes"}, "batch_norm must be true or false, got 'yes'"),
        ({"activation": "rely"}, "activation must be one of relu, .*, got 'rely'"),
        ({"learning_rate": 0.0}, "learning_rate must be above 0, got 0.0"),
        ({"learning_rate": float("nan")}, "learning_rate must be above 0, got nan"),
        ({"momentum": 0.9}, "momentum belongs to optimizer rmsprop, sgd, got it with 'adam'"),
        ({"optimizer": "adagrad", "beta_1": 0.9}, "beta_1 belongs to optimizer adam, .*'adagrad'"),
        ({"final_fraction": 0.1}, "final_fraction belongs to schedule cosine, .*'constant'"),
        (
            {"schedule": "exponential", "final_fraction": 0.0},
            "final_fraction must be above 0 with schedule exponential, got 0",
        ),
        ({"schedule": "step"}, "schedule must be one of constant, cosine, .*, got 'step'"),
        ({"clip_norm": 0.0}, "clip_norm must be above 0, got 0.0"),
    ],
)
def test_rules(params, message):
    with pytest.raises(InputError, match=message):
        check({"family": "cnn", **params} if params.get("family") or params else params, SEQUENCE)


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("label_smoothing", "classification"),
        ("focal_gamma", "classification"),
        ("mutation_rate", "sequences"),
    ],
)
def test_what_belongs_to_other_data(name, home):
    with pytest.raises(InputError, match=f"{name} belongs to {home}"):
        check({"family": "mlp", name: 0.1}, VARIANTS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"symbols": 1}, r"symbols of sequence must be in \(4, 5\), got 1"),
        ({"length": 0}, "length must be at least 1, got 0"),
        ({"units": 2}, "units of a binary model must be 1, got 2"),
        ({"units": 1, "task": "multiclass"}, "units of a multiclass model must be at least 2"),
    ],
)
def test_shape_rules(options, message):
    given = {"kind": "sequence", "length": 20, "symbols": 4, "units": 1, "task": "binary"}
    with pytest.raises(InputError, match=message):
        ModelShape(**{**given, **options})


def test_defaults_are_filled_in():
    full = complete({"family": "cnn", "filters": 8.0}, SEQUENCE)
    assert (full["filters"], full["kernel"], full["batch_size"]) == (8, 8, 32)
    assert "dropout" not in full
    assert complete({"family": "mlp", "optimizer": "adamw"}, SEQUENCE)["weight_decay"] == 0.004


def test_signature_tells_shapes_apart_and_runtime_values_not():
    base = {"family": "cnn", "dropout": 0.1, "learning_rate": 1e-3}

    def same(**other):
        return signature(base, SEQUENCE) == signature({**base, **other}, SEQUENCE)

    assert same(dropout=0.4)
    assert same(learning_rate=0.1)
    assert same(filters=32, batch_size=32, optimizer="adam")
    assert not same(filters=16)
    assert not same(optimizer="sgd")
    assert same(batch_size=16)
    assert same(schedule="cosine", warmup=2.0, final_fraction=0.1)
    assert not same(l2=0.0)
    decayed = {**base, "weight_decay": 0.1}
    assert signature({**decayed, "optimizer": "adamw"}, SEQUENCE) == signature(decayed, SEQUENCE)
    longer = ModelShape("sequence", 21, 4, 1, "binary")
    assert signature(base, SEQUENCE) != signature(base, longer)
    assert runtime_values(base, SEQUENCE) == {"dropout": 0.1, "learning_rate": 1e-3}


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("plain", [False, True])
def test_a_seed_decides_the_weights(family, plain):
    params = {"family": family, "batch_norm": True, "dropout": 0.2}
    one, same, other = (build(params, SEQUENCE, plain=plain, seed=s) for s in (3, 3, 4))
    for a, b, fresh in zip(
        inference_variables(one), inference_variables(same), initial_weights(one, 3), strict=True
    ):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, fresh)
    assert not np.array_equal(inference_variables(one)[0], inference_variables(other)[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_plain_model_has_the_same_variables(family):
    params = {"family": family, "batch_norm": True, "dropout": 0.2}
    plain = build(params, SEQUENCE, plain=True, probabilities=True)
    model = build(params, SEQUENCE)
    given = [v.path for v in inference_variables(model)]
    assert given == [v.path for v in plain.weights]
    assert all(type(layer).__module__.startswith("keras.") for layer in plain.layers)
    assert plain.layers[-1].activation is keras.activations.sigmoid


@pytest.mark.parametrize("length", [1, 2, 7, 20])
@pytest.mark.parametrize("head", ["flat", "max", "average"])
def test_pooling_never_ends_a_sequence(length, head):
    shape = ModelShape("sequence", length, 5, 1, "binary")
    pool = min(3, length)
    params = {"family": "cnn", "conv_layers": 6, "kernel": 1, "pool": pool, "pooling_head": head}
    assert build(params, shape).output_shape == (None, 1)


def test_glorot_limits_are_those_of_keras():
    model = build({"family": "cnn", "filters": 64, "kernel": 12}, SEQUENCE)
    kernel = model.get_layer("conv_1").kernel
    drawn = keras.initializers.GlorotUniform(seed=1)(kernel.shape)
    assert np.max(np.abs(kernel)) == pytest.approx(float(np.max(np.abs(drawn))), rel=0.01)
    assert np.std(kernel) == pytest.approx(float(np.std(drawn)), rel=0.05)


def test_runtime_dropout_drops_at_its_rate():
    model = build({"family": "mlp", "neurons": 4000, "dropout": 0.3, "layers": 1}, VARIANTS)
    layer = model.get_layer("logits_dropout")
    layer.rate.assign(0.25)
    ones = np.ones((8, 4000), np.float32)
    dropped = np.array(layer(ones, training=True))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert np.mean(dropped == 0) == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(layer(ones, training=False), ones)


def test_checking_needs_no_keras():
    code = (
        "import sys; from geno_hpo.models import ModelShape, check, signature;"
        "shape = ModelShape('sequence', 20, 4, 1, 'binary');"
        "check({'family': 'cnn'}, shape); signature({'family': 'mlp'}, shape);"
        "import geno_hpo.training.protocol, geno_hpo.training.coding;"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
