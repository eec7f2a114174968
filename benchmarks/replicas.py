"""Replicas: how many replica-epochs a second the JAX engine trains, by replicas in one program.

Data of the size of primer, katG and wheat are drawn at random: what is measured is arithmetic and
launches, not learning. Beside it stand `model.fit` of the same network on the same backend, the
TensorFlow engine on the same machine, and how much of the device's own rate of large matrix
products the engine reaches. Everything runs on whatever device JAX finds: a GPU, or the CPU.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import process
from benchmarks.outcome import Outcome, Size, Table

__all__ = ["run", "work"]

TRAINED = 0.8
BATCH = 32
PRODUCT = 2048
"""Rows and columns of the matrices whose products tell the device's rate."""


@dataclass(frozen=True)
class Settings:
    """How much is done: samples of each case, numbers of replicas, epochs after the first."""

    cases: dict[str, int]
    replicas: tuple[int, ...]
    epochs: int


SIZES: dict[Size, Settings] = {
    "full": Settings({"primer": 2000, "katG": 1800, "wheat": 599}, (1, 4, 16, 64, 256, 1024), 3),
    "quick": Settings({"primer": 640, "katG": 80, "wheat": 320}, (1, 4, 16), 2),
    "smallest": Settings({"primer": 80}, (1, 2), 1),
}
WIDTH = {"primer": 50, "katG": 2223, "wheat": 1279}
CNN = {"family": "cnn", "filters": 32, "kernel": 12, "neurons": 32, "dropout": 0.3}
PARAMS: dict[str, dict[str, Any]] = {
    "primer": {**CNN, "pool": 2},
    "katG": {**CNN, "pool": 8},
    "wheat": {"family": "mlp", "layers": 2, "neurons": 64, "dropout": 0.3},
}


def run(size: Size) -> Outcome:
    """Measure each backend in a process of its own, one after the other."""
    settings = SIZES[size]
    sides = {
        name: process.run("benchmarks.replicas", asdict(settings), KERAS_BACKEND=name)
        for name in ("jax", "tensorflow")
        if find_spec(name) is not None
    }
    rows = []
    for case in settings.cases:
        ours, other = sides["jax"]["cases"][case], sides["tensorflow"]["cases"][case]
        for found in ours["replicas"]:
            rate = found["replicas"] / found["seconds"]
            rows.append(
                (
                    case,
                    found["replicas"],
                    found["at_once"],
                    rate,
                    rate * ours["fit"],
                    rate * other["fit"],
                    rate * other["replicas"][0]["seconds"],
                    found["trace"],
                    rate * ours["operations"] / sides["jax"]["rate"],
                )
            )
    columns: tuple[str, ...] = ("case", "replicas", "at once", "replica-epochs a second")
    columns += ("times fit, JAX", "times fit, TensorFlow", "times the TensorFlow engine")
    columns += ("seconds to compile", "share of the matrix rate")
    device = sides["jax"]["device"]
    return Outcome(
        tables=(Table(f"The JAX engine on {device}", columns, rows),),
        notes=(
            f"matrix rate: {sides['jax']['rate'] / 1e9:.0f} Gflop/s, {PRODUCT} × {PRODUCT} float32",
            "seconds are the median epoch, scores and host work included; data are random",
            *(() if device != "cpu" else ("NO GPU here: what a GPU gives is not measured",)),
        ),
        settings=asdict(settings),
    )


def work(spec: dict[str, Any], _folder: Path) -> dict[str, Any]:
    """Measure every case on this process's backend."""
    from geno_hpo.training.setup import chosen_backend, configure

    configure(1)
    process.warm_up()
    backend = chosen_backend()
    numbers = spec["replicas"] if backend == "jax" else [1]
    found: dict[str, Any] = {
        "cases": {
            case: _case(case, samples, numbers, spec["epochs"])
            for case, samples in spec["cases"].items()
        }
    }
    if backend == "jax":
        import jax

        found |= {"device": jax.devices()[0].device_kind, "rate": _matrix_rate()}
    return found


def _case(case: str, samples: int, numbers: list[int], epochs: int) -> dict[str, Any]:
    from geno_hpo.models import ModelShape
    from geno_hpo.training.dosages import DosageCoding
    from geno_hpo.training.one_hot import OneHotCoding

    rng, width = np.random.default_rng(0), WIDTH[case]
    sequence = case != "wheat"
    codes = rng.integers(0, 4 if sequence else 3, (samples, width)).astype(np.int8)
    coding = OneHotCoding(codes) if sequence else DosageCoding(codes, width)
    shape = ModelShape("sequence", width, 4, 1, "binary")
    if not sequence:
        shape = ModelShape("variants", width, 1, 1, "regression")
    targets = (codes[:, 3:4] > 1).astype(np.float32)
    return {
        "replicas": [_engine(case, coding, shape, targets, number, epochs) for number in numbers],
        "fit": _fit(case, coding, shape, targets, epochs),
        "operations": _operations(case, samples),
    }


def _constants(coding: Any) -> tuple[Any, ...]:
    """Arrays of a coding: all columns as they are."""
    return tuple(
        np.arange(size[0], dtype=np.int32) if dtype == "int32" else np.ones(size, np.float32)
        for dtype, size in coding.constants
    )


def _engine(
    case: str, coding: Any, shape: Any, targets: Any, number: int, epochs: int
) -> dict[str, Any]:
    """Median seconds of an epoch of so many replicas."""
    from geno_hpo.training.protocol import FitPlan, Replica
    from geno_hpo.training.setup import chosen_backend

    if chosen_backend() == "jax":
        from geno_hpo.training.jax import JaxEngine as Engine
    else:
        from geno_hpo.training.tensorflow import TensorFlowEngine as Engine  # type: ignore[assignment]
    samples = len(targets)
    train = int(TRAINED * samples)
    constants = _constants(coding)
    replicas = []
    for seed in range(number):
        order = np.random.default_rng(seed).permutation(samples)
        replicas.append(Replica(order[:train], order[train:], seed, constants))
    params = {**PARAMS[case], "batch_size": BATCH, "learning_rate": 1e-3}
    plan = FitPlan(params, tuple(replicas), epochs + 1, restore="last")
    seconds: list[float] = []

    def told(epoch: Any) -> bool:
        seconds.append(epoch.seconds)
        return False

    engine = Engine(coding, targets, shape, lambda _truth, _guess: 0.5)
    result = engine.fit(plan, told)
    at_once = int(result.way.split()[0]) if chosen_backend() == "jax" else 1
    return {
        "replicas": number,
        "at_once": at_once,
        "seconds": statistics.median(seconds[1:]),
        "trace": result.seconds["trace"],
    }


def _fit(case: str, coding: Any, shape: Any, targets: Any, epochs: int) -> float:
    """Median seconds of an epoch of `model.fit`, one replica."""
    from benchmarks.keras_fit import compiled_model

    params = {**PARAMS[case], "optimizer": "adam", "learning_rate": 1e-3}
    model = compiled_model(params, asdict(shape), scored=False)
    train = int(TRAINED * len(targets))
    inputs = np.array(coding.inputs(coding.codes, *_constants(coding)))
    seconds = []
    for _ in range(epochs + 1):
        begun = time.perf_counter()
        model.fit(
            inputs[:train],
            targets[:train],
            batch_size=BATCH,
            validation_data=(inputs[train:], targets[train:]),
            epochs=1,
            verbose=0,
        )
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds[1:])


def _operations(case: str, samples: int) -> float:
    """Operations of an epoch in the matrix products: forward, and two such backward.

    The first layer needs no gradient of its inputs.
    """
    width, params = WIDTH[case], PARAMS[case]
    if case == "wheat":
        first, rest = width * params["neurons"], params["neurons"] * (params["neurons"] + 1)
    else:
        first = width * params["kernel"] * 4 * params["filters"]
        pooled = -(-width // params["pool"])
        rest = pooled * params["filters"] * params["neurons"] + params["neurons"]
    train = int(TRAINED * samples)
    return 2.0 * (train * (2 * first + 3 * rest) + (samples - train) * (first + rest))


def _matrix_rate() -> float:
    """Operations a second in large float32 matrix products on this device."""
    import jax
    import jax.numpy as jnp

    one = jnp.ones((PRODUCT, PRODUCT), jnp.float32)
    product = jax.jit(lambda a, b: a @ b)
    jax.block_until_ready(product(one, one))
    begun, times = time.perf_counter(), 0
    while time.perf_counter() - begun < 1.0:
        jax.block_until_ready(product(one, one))
        times += 1
    return 2.0 * PRODUCT**3 * times / (time.perf_counter() - begun)


if __name__ == "__main__":
    process.side(work)
