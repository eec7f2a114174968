"""Computing over distinct windows equals the plain Keras layers, and is chosen where it pays."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers

from geno_hpo.data.catalogue import MIRROR
from geno_hpo.data.dataset import Origin
from geno_hpo.data.simulate import simulate_katg
from geno_hpo.data.tb_regions import known_regions
from geno_hpo.data.tb_wdnn import read_tb_wdnn
from geno_hpo.models import ModelShape, build
from geno_hpo.models.blocks import FusedNorm
from geno_hpo.models.training import TRAINING
from geno_hpo.training.augment import CHANCES
from geno_hpo.training.lookup import Lookup
from geno_hpo.training.one_hot import CentredCoding
from geno_hpo.training.protocol import FitPlan, Replica
from geno_hpo.training.tensorflow import TensorFlowEngine
from geno_hpo.training.towers import Tower, read_tower
from geno_hpo.training.windowed import WindowedWay
from geno_hpo.training.windows import Windows
from geno_hpo.windows import build_dictionary, difference_share
from tests.windows.cohorts import clones, strangers

from .problems import go_on

SYMBOLS, LENGTH = 5, 60
CODES = clones(length=LENGTH)
BATCH = np.array([3, 1, 1, 7, 20, 14, 0, 5], np.int32)


def shape_of(codes: np.ndarray) -> ModelShape:
    return ModelShape("sequence", codes.shape[1], SYMBOLS, 1, "binary")


def mean_of(codes: np.ndarray) -> np.ndarray:
    return np.stack([(codes == s).mean(axis=0) for s in range(SYMBOLS)], 1).astype(np.float32)


def network(body: Callable[[Any], Any], length: int = LENGTH) -> Any:
    inputs = keras.Input((length, SYMBOLS))
    return keras.Model(inputs, layers.Dense(1)(layers.Dense(3)(layers.Flatten()(body(inputs)))))


def compare(model: Any, codes: np.ndarray = CODES, seed: int = 0) -> Tower:
    """Logits, gradients and moving statistics, in training and not, with and without differences.

    Gradients are told apart on the scale of the largest. A layer that is normalised has no bias:
    its gradient would be rounding alone.
    """
    rng = np.random.default_rng(seed)
    coding, mean = CentredCoding(codes, SYMBOLS), mean_of(codes)
    tower = read_tower(model, shape_of(codes))
    assert tower is not None
    lookup = Lookup(build_dictionary(codes, tower.geometry), coding)
    parts = [
        tf.constant((v.name == "gamma") + rng.normal(0, 0.3, v.shape), tf.float32)
        for v in model.trainable_variables
    ]
    others = [v.value for v in model.non_trainable_variables]
    inputs = coding.inputs(tf.constant(codes[BATCH]), mean)

    def derived(call: Callable[[], Any]) -> tuple[Any, Any, Any]:
        with tf.GradientTape() as tape:
            tape.watch(parts)
            logits, after, *_ = call()
            loss = tf.reduce_sum(tf.square(logits - 1.0))
        return logits, after, tape.gradient(loss, parts)

    def distinct(training: bool, differences: bool) -> tuple[Any, Any, Any]:
        way = WindowedWay(model, tower, lookup, differences=differences)
        base = way.started([tf.constant(mean)])
        need = way.inputs(tf.constant(BATCH), base)
        return derived(partial(way.call, parts, others, need, base, training=training))

    for training in (True, False):
        call = partial(model.stateless_call, parts, others, inputs, training=training)
        plain = derived(call)
        for differences in (False, True):
            logits, after, gradients = distinct(training, differences)
            size = max(1.0, float(tf.reduce_max(tf.abs(plain[0]))))
            np.testing.assert_allclose(logits, plain[0], rtol=0, atol=1e-5 * size)
            largest = max(float(tf.reduce_max(tf.abs(each))) for each in plain[2])
            for one, other in zip(gradients, plain[2], strict=True):
                np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * largest)
            for one, other in zip(after, plain[1], strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    return tower


def convolved(*widths: int, **options: Any) -> Callable[[Any], Any]:
    def body(tensor: Any) -> Any:
        for width in widths:
            tensor = layers.Conv1D(4, width, **{"padding": "same", **options})(tensor)
        return tensor

    return body


def pooled(tensor: Any) -> Any:
    tensor = convolved(5, activation="relu")(tensor)
    tensor = layers.MaxPooling1D(3, padding="same")(tensor)
    tensor = convolved(3, activation="relu")(tensor)
    return layers.MaxPooling1D(4, strides=2, padding="valid")(tensor)


def normalised(tensor: Any) -> Any:
    for width in (5, 3):
        tensor = layers.Conv1D(4, width, padding="same", use_bias=False)(tensor)
        tensor = layers.Activation("relu")(FusedNorm(momentum=0.9)(tensor))
    return layers.MaxPooling1D(2)(tensor)


def residual(tensor: Any) -> Any:
    tensor = layers.Conv1D(4, 3, padding="same")(tensor)
    for dilation in (1, 2, 4):
        inner = layers.Conv1D(4, 3, dilation_rate=dilation, padding="same", use_bias=False)(tensor)
        inner = layers.Activation("tanh")(layers.BatchNormalization()(inner))
        tensor = layers.Add()([tensor, layers.Conv1D(4, 1)(inner)])
    return tensor


def stacked(tensor: Any) -> Any:
    """Three loci of 20, 25 and 15 positions as channels, filled up to the longest."""
    pieces = [layers.Cropping1D(cut)(tensor) for cut in ((0, 40), (20, 15), (45, 0))]
    pieces[0] = layers.ZeroPadding1D((0, 5))(pieces[0])
    pieces[2] = layers.ZeroPadding1D((3, 7))(pieces[2])
    return pooled(layers.Concatenate(axis=-1)(pieces))


BODIES = {
    "same": (convolved(4, 5), 2),
    "valid": (convolved(4, 5, padding="valid"), 2),
    "causal": (convolved(3, 3, padding="causal"), 2),
    "strides": (convolved(5, 3, strides=2), 2),
    "dilation": (convolved(3, 3, dilation_rate=3), 2),
    "causal dilation": (convolved(3, dilation_rate=4, padding="causal"), 1),
    "kernel of 1": (convolved(1, 1), 2),
    "kernel as wide as the sequence": (convolved(LENGTH), 1),
    "activation inside": (convolved(5, activation="gelu"), 1),
    "pooling": (pooled, 4),
    "batch norm": (normalised, 7),
    "residual": (residual, 16),
    "loci as channels": (stacked, 10),
}


@pytest.mark.parametrize("name", BODIES)
def test_equal_to_keras_layers(name: str) -> None:
    body, steps = BODIES[name]
    assert len(compare(network(body)).steps) == steps


@settings(deadline=None, max_examples=4, derandomize=True)
@given(
    kernels=st.lists(st.integers(1, 7), min_size=1, max_size=3),
    padding=st.sampled_from(["same", "valid", "causal"]),
    spread=st.sampled_from([{}, {"strides": 2}, {"dilation_rate": 2}]),
    pool=st.integers(1, 4),
    norm=st.booleans(),
    changed=st.sampled_from([0.0, 0.03, 0.5]),
)
def test_equal_to_keras_layers_of_any_form(
    kernels: list[int], padding: str, spread: dict[str, int], pool: int, norm: bool, changed: float
) -> None:
    def body(tensor: Any) -> Any:
        for kernel in kernels:
            tensor = layers.Conv1D(3, kernel, padding=padding, use_bias=not norm, **spread)(tensor)
            tensor = layers.BatchNormalization()(tensor) if norm else tensor
            tensor = layers.Activation("relu")(tensor)
        return layers.MaxPooling1D(pool, padding="same")(tensor)

    compare(network(body), clones(length=LENGTH, changed=changed))


def test_the_tower_ends_where_a_sample_is_more_than_its_windows() -> None:
    def ended(body: Callable[[Any], Any]) -> int:
        tower = read_tower(network(body), shape_of(CODES))
        return 0 if tower is None else len(tower.steps)

    def dropped(tensor: Any) -> Any:
        return convolved(3)(layers.SpatialDropout1D(0.5)(convolved(5, 3)(tensor)))

    def branched(tensor: Any) -> Any:
        first = convolved(5)(tensor)
        return layers.Concatenate()([convolved(3)(first), layers.Dropout(0.5)(first)])

    def apart(tensor: Any) -> Any:
        return layers.Multiply()([convolved(3)(tensor), convolved(5)(tensor)])

    assert [ended(body) for body in (dropped, branched, apart)] == [2, 1, 0]
    assert ended(layers.Dropout(0.5)) == 0
    assert ended(layers.Activation("relu")) == 0


# --- in the engine ---------------------------------------------------------------------------

CNN = {
    "family": "cnn",
    "filters": 6,
    "kernel": 5,
    "conv_layers": 2,
    "pool": 3,
    "neurons": 5,
    "batch_size": 32,
    "learning_rate": 0.01,
}
MOMENTUM = {"optimizer": "sgd", "momentum": 0.9}
"""In place of Adam, which makes a whole step of a gradient that is rounding alone."""
COHORT = clones(150, 90, 0.01)


def engine(
    codes: np.ndarray, setting: str | None, *, counts: bool = False, **options: Any
) -> TensorFlowEngine:
    coding, shape = CentredCoding(codes, SYMBOLS), shape_of(codes)
    labels = (codes[:, :1] > 1).astype(np.float32)
    if counts:
        shape = replace(shape, task="regression", counts=True)
        labels = np.maximum(codes[:, :1], 0).astype(np.float32)
    windows = None if setting is None else Windows(coding, shape, setting, **options)  # type: ignore[arg-type]

    def score(truth: np.ndarray, found: np.ndarray) -> float:
        return -float(np.mean((truth - found) ** 2))

    return TensorFlowEngine(coding, labels, shape, score, windows=windows)


def plan(codes: np.ndarray, params: dict[str, Any], folds: int = 2, epochs: int = 3) -> FitPlan:
    where, mean = np.arange(len(codes)), mean_of(codes)
    return FitPlan(
        params,
        tuple(
            Replica(where[where % 4 != f], where[where % 4 == f], f, (mean,)) for f in range(folds)
        ),
        epochs=epochs,
        restore="last",
    )


@pytest.mark.parametrize(
    ("codes", "extra"),
    [
        (COHORT, {}),
        (
            simulate_katg(isolates=120).codes,
            {"batch_norm": True, "dropout": 0.3, "kernel": 12, **MOMENTUM},
        ),
        (COHORT, {"pooling_head": "max", "l2": 1e-3, "activation": "gelu", **MOMENTUM}),
        (COHORT, {"batch_size": 100, "filters": 4, "pool": 1}),
    ],
    ids=["flat", "katG, batch norm and dropout", "global maximum", "large batches"],
)
def test_training_goes_the_same_way(codes: np.ndarray, extra: dict[str, Any]) -> None:
    given = plan(codes, CNN | extra)
    plain, distinct = (engine(codes, setting).fit(given, go_on) for setting in (None, "always"))
    assert distinct.way.startswith("distinct windows")
    for name in ("train_loss", "valid_loss", "train_accuracy", "scores"):
        np.testing.assert_allclose(getattr(distinct, name), getattr(plain, name), atol=2e-5)
    for one, other in zip(distinct.weights[0], plain.weights[0], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_counts_go_the_same_way() -> None:
    given = plan(COHORT, CNN | MOMENTUM)
    plain, distinct = (
        engine(COHORT, setting, counts=True).fit(given, go_on) for setting in (None, "always")
    )
    assert distinct.way.startswith("distinct windows")
    for name in ("train_loss", "valid_loss", "scores"):
        np.testing.assert_allclose(getattr(distinct, name), getattr(plain, name), atol=2e-5)
    assert (distinct.valid_predictions[0] > 0).all()


def test_the_same_bits_twice_and_predictions_of_the_plain_model() -> None:
    given = plan(COHORT, CNN | {"batch_norm": True, "dropout": 0.2})
    own = engine(COHORT, "always")
    first = own.fit(given, go_on)
    again, fresh = own.fit(given, go_on), engine(COHORT, "always").fit(given, go_on)
    assert (first.reused, again.reused) == (False, True)
    for one, *others in zip(first.weights[1], again.weights[1], fresh.weights[1], strict=True):
        for other in others:
            np.testing.assert_array_equal(one, other)
    everyone, mean = np.arange(len(COHORT)), mean_of(COHORT)
    found = own.predict(given.params, first.weights[1], everyone, (mean,))
    plain = engine(COHORT, None).predict(given.params, first.weights[1], everyone, (mean,))
    np.testing.assert_allclose(found, plain, atol=1e-6)
    inputs = np.array(CentredCoding(COHORT, SYMBOLS).inputs(COHORT, mean))
    model = own.export(given.params, first.weights[1])
    np.testing.assert_allclose(model.predict_on_batch(inputs), found, atol=1e-6)


LONG = clones(200, 1500, 0.0005)


@pytest.mark.parametrize(
    ("setting", "codes", "extra", "told"),
    [
        ("auto", LONG, {}, r"distinct windows: \d+\.\d times less work in the convolutions"),
        ("auto", strangers(80), {}, r"plain: samples differ in \d\d% of their positions"),
        ("auto", clones(80, 60, 0.1), {}, "plain: too few windows are alike"),
        (
            "auto",
            LONG,
            {"batch_size": 1},
            r"plain: distinct windows would be 0\.\d times less work",
        ),
        ("auto", LONG, {"noise": 0.1}, "plain: noise changes the windows of each sample"),
        ("always", LONG, {"mutation_rate": 0.1}, "plain: mutation_rate changes the windows"),
        ("never", LONG, {}, "plain: windows are set to never"),
        ("auto", LONG, {"family": "mlp"}, "plain: the model does not begin with one tower"),
        (None, LONG, {}, "^$"),
    ],
)
def test_it_is_chosen_where_it_pays(
    setting: str, codes: np.ndarray, extra: dict[str, Any], told: str
) -> None:
    params = CNN | extra
    if params["family"] == "mlp":
        params = {"family": "mlp", "neurons": 4}
    result = engine(codes, setting).fit(plan(codes, params, folds=1, epochs=1), go_on)
    assert np.isfinite(result.train_loss).all()
    assert re.search(told, result.way), result.way


def test_it_is_not_chosen_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    own = engine(LONG, "auto")
    compiled = own._compiled(CNN)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [kind])
    assert compiled.set_runtime({}, 32).startswith("plain: on a GPU")
    assert compiled.ready


def test_every_runtime_value_is_known_to_leave_windows_alone_or_not() -> None:
    """One that is added to training must be looked at: does a sample keep its windows?"""
    alone = {"learning_rate", "weight_decay", "momentum", "beta_1", "beta_2", "rho", "l1", "l2"}
    alone |= {"label_smoothing", "focal_gamma", "clip_norm", "max_norm", "huber_delta"}
    assert {each.name for each in TRAINING if each.runtime} == alone | set(CHANCES)


def test_a_dictionary_serves_every_trial_of_its_geometry() -> None:
    asked = []

    def source(geometry: Any, make: Callable[[], Any]) -> Any:
        asked.append(geometry)
        return make()

    own = engine(LONG, "auto", source=source)
    for extra in ({}, {"filters": 4, "batch_size": 64}, {"kernel": 4}):
        own.fit(plan(LONG, CNN | extra, folds=1, epochs=1), go_on)
    assert len(asked) == len(set(asked)) == 2


def test_a_family_that_is_built_again_has_its_tower() -> None:
    """The tower is read off the model that trains: two convolutions, activations and poolings."""
    tower = read_tower(build(CNN, shape_of(CODES)), shape_of(CODES))
    assert tower is not None
    assert [step.kind for step in tower.steps] == ["conv", "activation", "pool"] * 2
    assert [reach.length for reach in tower.geometry] == [60, 20, 20, 7]


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get(MIRROR), reason=f"{MIRROR} names no folder with tb_wdnn")
def test_training_goes_the_same_way_on_eighteen_loci() -> None:
    folder = Path(os.environ[MIRROR])
    whole = read_tb_wdnn(
        folder / "tb_wdnn",
        folder / "tb_loci",
        target=("inh",),
        task="binary",
        loci=known_regions(),
        origin=Origin("tb_wdnn"),
    ).codes
    assert difference_share(whole) < 0.005
    codes = whole[::60]
    given = plan(codes, CNN | {"filters": 4, "kernel": 12, "batch_norm": True}, 1, epochs=2)
    plain, distinct = (engine(codes, setting).fit(given, go_on) for setting in (None, "auto"))
    assert distinct.way.startswith("distinct windows")
    for name in ("train_loss", "valid_loss", "scores"):
        np.testing.assert_allclose(getattr(distinct, name), getattr(plain, name), atol=1e-4)
