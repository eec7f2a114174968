"""Floor: an epoch of the engine against a hand-written loop, and against the arithmetic itself.

The arithmetic's floor is the counted operations over the rate that matrix products of this
network's own sizes reach on this machine, measured here with the same number of threads.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table

__all__ = ["run", "work"]

SHARE = 0.8
THREADS = 1
WARM_EPOCHS = 2
PRODUCT_SECONDS = 0.5


@dataclass(frozen=True)
class Settings:
    """How much is done: samples and length of each case, and epochs after the warm ones."""

    cases: dict[str, tuple[int, int]]
    epochs: int


SIZES: dict[Size, Settings] = {
    "full": Settings({"primer": (2000, 50), "katG": (1800, 2223)}, 15),
    "quick": Settings({"primer": (2000, 50), "katG": (600, 2223)}, 5),
    "smallest": Settings({"primer": (200, 50)}, 2),
}


def run(size: Size) -> Outcome:
    """Measure in a fresh process, one case after the other, the sides in turn."""
    settings = SIZES[size]
    found = process.run("benchmarks.floor", asdict(settings), OMP_NUM_THREADS=str(THREADS))
    rows = []
    for case, seconds in found.items():
        engine, hand = seconds["engine"], seconds["hand"]
        rows.append(
            (
                case,
                *(1000 * seconds[x] for x in ("engine", "hand", "fit", "floor")),
                engine / hand,
                seconds["fit"] / engine,
                engine / seconds["floor"],
                seconds["operations"] / 1e9,
                seconds["rate"] / 1e9,
            )
        )
    columns: tuple[str, ...] = ("case", "engine ms", "by hand ms", "model.fit ms", "arithmetic ms")
    columns += ("engine/hand", "fit/engine", "engine/arithmetic", "Gflop an epoch", "Gflop/s")
    return Outcome(
        tables=(Table(f"Milliseconds an epoch, median, {THREADS} thread", columns, rows),),
        notes=("arithmetic: operations of the two large layers over the rate of such products",),
        settings=asdict(settings),
    )


def work(spec: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Measure every case of the specification."""
    from geno_hpo.training.setup import configure

    configure(THREADS)
    process.warm_up()
    return {
        case: _case(samples, length, spec["epochs"])
        for case, (samples, length) in spec["cases"].items()
    }


def _case(samples: int, length: int, epochs: int) -> dict[str, float]:
    from benchmarks.loops import HANDS, arithmetic

    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, (samples, length)).astype(np.int8)
    labels = (codes[:, 3:4] == 1).astype(np.float32)
    train = int(SHARE * samples)
    sides = {name: make(codes, labels, train) for name, make in HANDS.items()}
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(WARM_EPOCHS + epochs):
        for name, epoch in sides.items():
            taken = _timed(epoch)
            if turn >= WARM_EPOCHS:
                seconds[name].append(taken)
    operations, sizes = arithmetic(length, train, samples - train)
    weights = [2.0 * m * k * n for m, k, n in sizes]
    rates = [_product_rate(*size) for size in sizes]
    pairs = zip(weights, rates, strict=True)
    rate = sum(weights) / sum(weight / rate for weight, rate in pairs)
    return {
        **{name: statistics.median(times) for name, times in seconds.items()},
        "operations": operations,
        "rate": rate,
        "floor": operations / rate,
    }


def _timed(work: Callable[[], Any]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _product_rate(m: int, k: int, n: int) -> float:
    """Operations a second of TensorFlow's product of ``(m, k)`` and ``(k, n)``, the best of many.

    Many products in one compiled call, so that calling costs nothing.
    """
    import tensorflow as tf

    left = tf.random.stateless_normal([m, k], [1, 2])
    right = tf.random.stateless_normal([k, n], [3, 4])
    repeats = max(1, int(2e8 / (2.0 * m * k * n)))

    def body(index: Any, total: Any) -> Any:
        product = tf.matmul(left + tf.cast(index, tf.float32) * 0.0, right)
        return index + 1, total + product[0, 0]

    def many() -> Any:
        start = (tf.constant(0), tf.constant(0.0))
        return tf.while_loop(lambda index, _: index < repeats, body, start)[1]

    compiled = tf.function(many, autograph=False)
    compiled().numpy()
    deadline, best = time.perf_counter() + PRODUCT_SECONDS, float("inf")
    while time.perf_counter() < deadline:
        best = min(best, _timed(lambda: compiled().numpy()))
    return 2.0 * m * k * n * repeats / best


if __name__ == "__main__":
    process.side(work)
