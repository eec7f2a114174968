"""Seconds an epoch: the engine, a hand-written TensorFlow loop of the same arithmetic, model.fit.

Run ``python benchmarks/epoch.py``; it prints a table and, with ``--json PATH``, writes it. Same
data, same network (convolution, pooling, dense), same batch size; each side is warmed up and the
median over epochs is taken, the sides in turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geno_hpo.training.setup import configure

CASES = {"primer": (2000, 50), "katG": (1800, 2223)}
SHARE = 0.8
FILTERS, KERNEL, POOL, NEURONS, BATCH, RATE = 32, 8, 2, 32, 32, 1e-3


def engine_epoch(codes: np.ndarray, labels: np.ndarray, train: int) -> Callable[[], None]:
    """One epoch of the engine: training, validation predictions, no score."""
    from geno_hpo.models import ModelShape
    from geno_hpo.training.coding import OneHotCoding
    from geno_hpo.training.protocol import FitPlan, Replica
    from geno_hpo.training.tensorflow import TensorFlowEngine

    shape = ModelShape("sequence", codes.shape[1], 4, 1, "binary")
    engine = TensorFlowEngine(OneHotCoding(codes), labels, shape, lambda *_: 0.0)
    params = {
        "family": "cnn",
        "filters": FILTERS,
        "kernel": KERNEL,
        "pool": POOL,
        "neurons": NEURONS,
        "batch_size": BATCH,
        "learning_rate": RATE,
    }
    where = np.arange(len(codes))
    plan = FitPlan(params, (Replica(where[:train], where[train:], 1),), epochs=1)

    return lambda: engine.fit(plan, lambda _: False) and None


def fit_epoch(codes: np.ndarray, labels: np.ndarray, train: int) -> Callable[[], None]:
    """One epoch of model.fit on arrays that are one-hot already."""
    import keras

    from geno_hpo.models import ModelShape, build

    shape = ModelShape("sequence", codes.shape[1], 4, 1, "binary")
    params = {"family": "cnn", "filters": FILTERS, "kernel": KERNEL, "neurons": NEURONS}
    model = build(params, shape, plain=True)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(RATE), loss=loss, metrics=["accuracy"])
    inputs = np.eye(4, dtype=np.float32)[codes]
    judged = (inputs[train:], labels[train:])

    def epoch() -> None:
        model.fit(
            inputs[:train], labels[:train], batch_size=BATCH, verbose=0, validation_data=judged
        )

    return epoch


def hand_epoch(codes: np.ndarray, labels: np.ndarray, train: int) -> Callable[[], None]:
    """One epoch of a loop written for this network alone: raw operations, Adam by hand."""
    import tensorflow as tf

    rows, truth = tf.constant(codes), tf.constant(labels)
    pooled = -(-codes.shape[1] // POOL)
    rng = np.random.default_rng(0)
    shapes = [(KERNEL, 4, FILTERS), (FILTERS,), (pooled * FILTERS, NEURONS), (NEURONS,)]
    shapes += [(NEURONS, 1), (1,)]
    weights = [tf.Variable(rng.normal(0, 0.05, s).astype(np.float32)) for s in shapes]
    first = [tf.Variable(tf.zeros(s)) for s in shapes]
    second = [tf.Variable(tf.zeros(s)) for s in shapes]
    steps = tf.Variable(0.0)

    def forward(samples: Any) -> Any:
        inputs = tf.one_hot(tf.cast(tf.gather(rows, samples), tf.int32), 4)
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
        float(total), logits.numpy()

    return epoch


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    configure(options.threads)
    results = {}
    print(f"{'case':8} {'engine':>9} {'by hand':>9} {'fit':>9}  seconds an epoch (median)")
    for case, (samples, length) in CASES.items():
        rng = np.random.default_rng(0)
        codes = rng.integers(0, 4, (samples, length)).astype(np.int8)
        labels = (codes[:, 3:4] == 1).astype(np.float32)
        train = int(SHARE * samples)
        makers = {"engine": engine_epoch, "hand": hand_epoch, "fit": fit_epoch}
        sides = {name: make(codes, labels, train) for name, make in makers.items()}
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for turn in range(options.epochs + 2):
            for name, epoch in sides.items():
                begun = time.perf_counter()
                epoch()
                if turn >= 2:
                    seconds[name].append(time.perf_counter() - begun)
        found = {name: statistics.median(times) for name, times in seconds.items()}
        results[case] = found
        print(
            f"{case:8} {found['engine']:9.4f} {found['hand']:9.4f} {found['fit']:9.4f}  "
            f"engine/hand {found['engine'] / found['hand']:.2f}, "
            f"fit/engine {found['fit'] / found['engine']:.1f}"
        )
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
