"""Epochs of one network by three hands: the engine, a loop written for it alone, ``model.fit``.

The network is a convolution, pooling, one dense layer and a logit; the same data, batch size and
optimizer everywhere. Each function gives ``epoch() -> None``: training and validation predictions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["BATCH", "HANDS", "arithmetic"]

FILTERS, KERNEL, POOL, NEURONS, BATCH, RATE = 32, 8, 2, 32, 32, 1e-3
SYMBOLS = 4
PARAMS: dict[str, int | float | str] = {
    "family": "cnn",
    "filters": FILTERS,
    "kernel": KERNEL,
    "pool": POOL,
    "neurons": NEURONS,
    "batch_size": BATCH,
    "learning_rate": RATE,
}

Codes = NDArray[np.int8]
Labels = NDArray[np.float32]
Epoch = Callable[[], None]


def arithmetic(length: int, train: int, valid: int) -> tuple[float, list[tuple[int, int, int]]]:
    """Floating-point operations of an epoch, and its large products as matrix sizes ``(m, k, n)``.

    A product of ``(m, k)`` and ``(k, n)`` counts 2·m·k·n; training takes the forward product and
    the gradient by the weights, and by the input except in the first layer.
    """
    pooled = -(-length // POOL)
    conv = 2.0 * length * KERNEL * SYMBOLS * FILTERS
    dense = 2.0 * (pooled * FILTERS * NEURONS + NEURONS)
    sizes = [
        (BATCH * length, KERNEL * SYMBOLS, FILTERS),
        (BATCH, pooled * FILTERS, NEURONS),
    ]
    return train * (2 * conv + 3 * dense) + valid * (conv + dense), sizes


def by_engine(codes: Codes, labels: Labels, train: int) -> Epoch:
    """One epoch of the engine; a trial of one epoch, so its small start is counted too."""
    from geno_hpo.models import ModelShape
    from geno_hpo.training.one_hot import OneHotCoding
    from geno_hpo.training.protocol import FitPlan, Replica
    from geno_hpo.training.tensorflow import TensorFlowEngine

    shape = ModelShape("sequence", codes.shape[1], SYMBOLS, 1, "binary")
    engine = TensorFlowEngine(OneHotCoding(codes), labels, shape, lambda *_: 0.0)
    where = np.arange(len(codes))
    plan = FitPlan(PARAMS, (Replica(where[:train], where[train:], 1),), epochs=1)

    def epoch() -> None:
        engine.fit(plan, lambda _: False)

    return epoch


def by_fit(codes: Codes, labels: Labels, train: int) -> Epoch:
    """One epoch of ``model.fit`` on arrays that are one-hot already."""
    import keras

    from geno_hpo.models import ModelShape, build

    shape = ModelShape("sequence", codes.shape[1], SYMBOLS, 1, "binary")
    model = build(PARAMS, shape, plain=True)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss=loss, metrics=["accuracy"])
    inputs = np.eye(SYMBOLS, dtype=np.float32)[codes]
    judged = (inputs[train:], labels[train:])

    def epoch() -> None:
        model.fit(
            inputs[:train], labels[:train], batch_size=BATCH, verbose=0, validation_data=judged
        )

    return epoch


def by_hand(codes: Codes, labels: Labels, train: int) -> Epoch:
    """One epoch of a loop written for this network alone: raw operations, Adam by hand."""
    import tensorflow as tf

    rows, truth = tf.constant(codes), tf.constant(labels)
    pooled = -(-codes.shape[1] // POOL)
    rng = np.random.default_rng(0)
    shapes = [(KERNEL, SYMBOLS, FILTERS), (FILTERS,), (pooled * FILTERS, NEURONS), (NEURONS,)]
    shapes += [(NEURONS, 1), (1,)]
    weights = [tf.Variable(rng.normal(0, 0.05, s).astype(np.float32)) for s in shapes]
    first = [tf.Variable(tf.zeros(s)) for s in shapes]
    second = [tf.Variable(tf.zeros(s)) for s in shapes]
    steps = tf.Variable(0.0)

    def forward(samples: Any) -> Any:
        inputs = tf.one_hot(tf.cast(tf.gather(rows, samples), tf.int32), SYMBOLS)
        conv, bias, dense, shift, last, end = weights
        x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv1d(inputs, conv, 1, "SAME"), bias))
        x = tf.nn.max_pool1d(x, POOL, POOL, "SAME")
        x = tf.nn.relu(tf.matmul(tf.reshape(x, [-1, pooled * FILTERS]), dense) + shift)
        return tf.matmul(x, last) + end

    def step(samples: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = forward(samples)
            each = tf.nn.sigmoid_cross_entropy_with_logits(tf.gather(truth, samples), logits)
            loss = tf.reduce_mean(each)
        steps.assign_add(1.0)
        rate = RATE * tf.sqrt(1.0 - 0.999**steps) / (1.0 - 0.9**steps)
        for w, m, v, g in zip(weights, first, second, tape.gradient(loss, weights), strict=True):
            m.assign_add((g - m) * 0.1)
            v.assign_add((g * g - v) * 0.001)
            w.assign_sub(rate * m / (tf.sqrt(v) + 1e-7))
        return loss

    def run(order: Any, valid: Any) -> Any:
        size = tf.size(order)

        def body(start: Any, total: Any) -> Any:
            return start + BATCH, total + step(order[start : tf.minimum(start + BATCH, size)])

        _, total = tf.while_loop(
            lambda start, _: start < size, body, (tf.constant(0), tf.constant(0.0))
        )
        return total, forward(valid)

    compiled = tf.function(run, autograph=False)
    valid = tf.range(train, len(codes))

    def epoch() -> None:
        total, logits = compiled(tf.constant(rng.permutation(train).astype(np.int32)), valid)
        total.numpy()
        logits.numpy()

    return epoch


HANDS: dict[str, Callable[[Codes, Labels, int], Epoch]] = {
    "engine": by_engine,
    "hand": by_hand,
    "fit": by_fit,
}
