from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

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
    family_label,
    runtime_values,
    signature,
)
from geno_hpo.models.initial import drawn, inference_variables, initial_weights
from geno_hpo.models.runtime import RuntimeDropout
from geno_hpo.models.training import INITIALIZERS

SEQUENCE = ModelShape("sequence", 20, 4, 1, "binary")
VARIANTS = ModelShape("variants", 30, 1, 2, "regression")
TASKS = {"binary": 1, "multiclass": 3, "multilabel": 2, "regression": 2}


def shape_for(family: str) -> ModelShape:
    """A shape of a kind that the family takes."""
    return SEQUENCE if "sequence" in FAMILIES[family].kinds else VARIANTS


def rich(family: str) -> dict:
    """A configuration with every optional layer that the family has."""
    known = {parameter.name for parameter in FAMILIES[family].parameters}
    wanted = {"batch_norm": True}
    wanted |= dict.fromkeys(("dropout", "spatial_dropout", "stochastic_depth"), 0.2)
    return {"family": family, **{name: x for name, x in wanted.items() if name in known}}


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"family": "cnnn"}, r"family must be one of cnn, .*, got 'cnnn'; did you mean 'cnn'\?"),
        ({}, "family must be one of cnn, dilated, mlp, .*, got ''"),
        ({"kernel": 24}, "kernel must be at most the sequence's length 20, got 24"),
        ({"pool": 21}, "pool must be at most the sequence's length 20, got 21"),
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
        ({"max_norm": 0.0}, "max_norm must be above 0, got 0.0"),
        ({"initializer": "zeros"}, "initializer must be one of glorot_uniform, .*, got 'zeros'"),
    ],
)
def test_rules(params, message):
    with pytest.raises(InputError, match=message):
        check({"family": "cnn", **params} if params.get("family") or params else params, SEQUENCE)


def test_hubers_loss_belongs_to_traits():
    with pytest.raises(InputError, match="huber_delta belongs to regression, got it with a binary"):
        check({"family": "mlp", "huber_delta": 1.0}, SEQUENCE)


@pytest.mark.parametrize(
    ("name", "home"),
    [
        ("label_smoothing", "classification"),
        ("focal_gamma", "classification"),
        ("mutation_rate", "sequences"),
        ("strand_flip", "sequences"),
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
        ({"loci": (5, 16)}, r"loci must fill the length 20, got \(5, 16\)"),
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
def test_a_seed_decides_the_weights(family):
    params, shape = rich(family), shape_for(family)
    one, same, other = (build(params, shape, seed=seed) for seed in (3, 3, 4))
    for a, b, fresh in zip(
        inference_variables(one), inference_variables(same), initial_weights(one, 3), strict=True
    ):
        np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(a, fresh)
    by_chance = [v.name in ("kernel", "recurrent_kernel") for v in inference_variables(one)]
    for a, b, chance in zip(
        inference_variables(one), inference_variables(other), by_chance, strict=True
    ):
        assert np.array_equal(a, b) != chance


@pytest.mark.parametrize("family", [name for name in FAMILIES if not FAMILIES[name].learns])
def test_plain_model_has_the_same_variables(family):
    params, shape = rich(family), shape_for(family)
    plain = build(params, shape, plain=True, probabilities=True)
    model = build(params, shape)
    given = [v.path for v in inference_variables(model)]
    assert given == [v.path for v in plain.weights]
    assert all(type(layer).__module__.startswith("keras.") for layer in plain.layers)
    assert plain.layers[-1].name == "prediction"


@pytest.mark.parametrize("family", FAMILIES)
def test_fewer_digits_are_those_of_hidden_layers_alone(family):
    params, shape = rich(family), shape_for(family)
    model = build(params, replace(shape, policy="mixed_bfloat16"), probabilities=True)
    assert {variable.dtype for variable in model.trainable_variables} == {"float32"}
    assert [layer.compute_dtype for layer in model.layers[-2:]] == ["float32"] * 2
    hidden = {layer.compute_dtype for layer in model.layers[1:-2]}
    assert hidden == {"bfloat16"}
    assert {layer.compute_dtype for layer in build(params, shape).layers} == {"float32"}
    given = np.zeros((3, *shape.input_shape), np.float32)
    assert model(given, training=True).dtype == "float32"


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("task", TASKS)
def test_every_family_builds_for_every_task(family, task):
    for kind in FAMILIES[family].kinds:
        shape = ModelShape(kind, 20, 4 if kind == "sequence" else 1, TASKS[task], task)
        assert build({"family": family}, shape).output_shape == (None, TASKS[task])


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_tells_its_kinds(family):
    for kind in {"sequence", "variants"} - set(FAMILIES[family].kinds):
        shape = ModelShape(kind, 20, 4 if kind == "sequence" else 1, 1, "binary")
        with pytest.raises(InputError, match=f"family {family} takes .*, got {kind}"):
            check({"family": family}, shape)


@pytest.mark.parametrize(
    ("params", "shape", "message"),
    [
        (
            {"family": "cnn", "padding": "valid", "kernel": 12, "convolutions": 2},
            SEQUENCE,
            "the tower leaves no position of 20: it needs fewer conv_layers",
        ),
        (
            {"family": "cnn", "loci": "own", "kernel": 8},
            ModelShape("sequence", 20, 4, 1, "binary", (13, 7)),
            "kernel must be at most the shortest locus's length 7 with loci own, got 8",
        ),
        (
            {"family": "cnn", "strands": "max"},
            VARIANTS,
            "strands belongs to sequences, got max with variants",
        ),
        (
            {"family": "cnn", "strands": "max", "loci": "stacked"},
            SEQUENCE,
            "strands must be one with loci stacked",
        ),
        (
            {"family": "cnn", "conv_layers": 9, "growth": "doubled"},
            SEQUENCE,
            "filters must grow to at most 4096, got 8192",
        ),
        ({"family": "dilated", "dilated_layers": 6}, SEQUENCE, r"below the 20 pos.*dilation 32\)"),
        ({"family": "dilated", "kernel": 24}, SEQUENCE, "kernel must be at most the sequence's"),
        (
            {"family": "snp_cnn", "kernel": 31},
            VARIANTS,
            "kernel must be at most the row of variants's length 30, got 31",
        ),
        (
            {"family": "snp_cnn", "kernel": 4, "stride": 5},
            VARIANTS,
            "stride must be at most the kernel 4, or variants are passed by, got 5",
        ),
        (
            {"family": "snp_cnn", "kernel": 4, "stride": 4, "locally_connected": True},
            VARIANTS,
            "stride belongs to shared kernels",
        ),
        ({"family": "rnn", "kernel": 21}, SEQUENCE, "kernel must be at most the sequence's"),
        (
            {"family": "attention", "width": 9, "heads": 2},
            SEQUENCE,
            "width must be a multiple of heads 2, got 9",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_impossible_shapes_are_refused(params, shape, message):
    with pytest.raises(InputError, match=message):
        check(params, shape)


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


@pytest.mark.parametrize("rule", INITIALIZERS)
def test_initial_variances_are_those_of_keras(rule):
    whose, form = rule.split("_")
    keras_name = f"{whose.capitalize()}{form.capitalize()}"
    ours = drawn((4, 50, 60), (0, 1), rule, np.random.default_rng(0))
    theirs = np.array(getattr(keras.initializers, keras_name)(seed=1)((4, 50, 60)))
    assert np.std(ours) == pytest.approx(float(np.std(theirs)), rel=0.03)
    assert np.max(np.abs(ours)) == pytest.approx(float(np.max(np.abs(theirs))), rel=0.02)


def test_recurrent_kernels_are_orthogonal_and_lstm_begins_by_remembering():
    shape = ModelShape("sequence", 12, 4, 1, "binary")
    model = build({"family": "rnn", "tokens": 4, "rnn_units": 5}, shape)
    kernel, bias = (np.array(v) for v in model.get_layer("lstm_1").weights[1:])
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(5), atol=1e-5)
    np.testing.assert_array_equal(bias.reshape(4, 5).sum(axis=1), [0, 5, 0, 0])


def test_a_kernel_for_each_window_counts_only_its_window():
    params = {"family": "snp_cnn", "kernel": 10, "locally_connected": True, "filters": 40}
    model = build(params, ModelShape("variants", 600, 1, 1, "binary"))
    kernel = np.array(model.get_layer("local_1").kernel)
    assert kernel.shape == (60, 10, 40)
    assert np.std(kernel) == pytest.approx(np.sqrt(2 / 50), rel=0.02)


def test_runtime_dropout_drops_at_its_rate():
    model = build({"family": "mlp", "neurons": 4000, "dropout": 0.3, "layers": 1}, VARIANTS)
    layer = model.get_layer("logits_dropout")
    layer.rate.assign(0.25)
    ones = np.ones((8, 4000), np.float32)
    dropped = np.array(layer(ones, training=True))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.75)}
    assert np.mean(dropped == 0) == pytest.approx(0.25, abs=0.01)
    np.testing.assert_array_equal(layer(ones, training=False), ones)


@pytest.mark.parametrize(("over", "together"), [("channels", (1,)), ("samples", (1, 2))])
def test_dropout_of_whole_channels_and_samples(over, together):
    layer = RuntimeDropout(parameter="spatial_dropout", over=over, share=0.5)
    layer.rate.assign(0.4)
    assert layer.rate.name == "spatial_dropout_rate"
    dropped = np.array(layer(np.ones((300, 7, 5), np.float32), training=True))
    assert set(np.unique(dropped)) == {0.0, np.float32(1 / 0.8)}
    gone = dropped == 0
    np.testing.assert_array_equal(gone.all(axis=together), gone.any(axis=together))
    assert gone.mean() == pytest.approx(0.2, abs=0.06)


def test_checking_needs_no_keras():
    code = (
        "import sys; from geno_hpo.models import ModelShape, check, signature;"
        "shape = ModelShape('sequence', 20, 4, 1, 'binary');"
        "check({'family': 'cnn'}, shape); signature({'family': 'mlp'}, shape);"
        "import geno_hpo.training.protocol, geno_hpo.training.dosages, geno_hpo.training.one_hot;"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_reports_have_a_name_for_every_family() -> None:
    labels = {name: family_label(name) for name in FAMILIES}
    assert labels["dilated"] == "Dilated CNN"
    assert labels["snp_cnn"] == "SNP CNN"
    assert len(set(labels.values())) == len(labels)
    assert family_label("one_of_old") == "one of old"
