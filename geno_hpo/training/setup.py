"""Set TensorFlow up once a process, before it starts: threads, quiet logs, memory on GPUs."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from geno_hpo.errors import InputError

__all__ = ["GPU_MEMORY", "configure", "device_name", "load_quietly"]

GPU_MEMORY = "GENO_HPO_GPU_MEMORY_MB"
"""Variable: megabytes of each GPU that this process may take; unset, it takes what it needs."""

_LEFT_OUT = (
    "arithmetic_optimization",
    "common_subgraph_elimination",
    "dependency_optimization",
    "function_optimization",
    "implementation_selector",
    "layout_optimizer",
    "loop_optimization",
    "remapping",
    "shape_optimization",
)
"""Graph optimizations left out on a CPU: each new function waits for them, and epochs of small
networks gain nothing by them. Constant folding stays; without it epochs took 9 % longer."""


@contextmanager
def _quiet() -> Iterator[None]:
    """Hold back what C++ writes to standard error; an exception brings it out again.

    TensorFlow's libraries log while they are loaded, before any log level is heeded.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def load_quietly() -> None:
    """Import TensorFlow without its greetings; threads are left to it."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet():
        import tensorflow  # noqa: F401


def configure(threads: int = 1) -> None:
    """Import TensorFlow with this many threads an operation; call it before anything else does.

    Small genomic models train fastest on one thread a worker. Operations run one after another
    (one inter-op thread), logs below errors are hidden, a GPU's memory is taken as it is needed;
    on a CPU graphs are optimized less, which prepares them sooner.
    A second call with the same number changes nothing.

    Parameters
    ----------
    threads
        Threads inside one operation, at least 1.

    Raises
    ------
    InputError
        `threads` is below 1, TensorFlow already runs with another number of threads, or Keras
        was told to use another backend.
    """
    if threads < 1:
        raise InputError(f"threads must be at least 1, got {threads}")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        raise InputError(f"KERAS_BACKEND must be tensorflow for this engine, got {backend!r}")
    with _quiet():
        import tensorflow as tf

        threading: Any = tf.config.threading
        try:
            threading.set_intra_op_parallelism_threads(threads)
            threading.set_inter_op_parallelism_threads(1)
            devices = tf.config.list_physical_devices("GPU")
            limit = os.environ.get(GPU_MEMORY)
            for device in devices:
                if limit is None:
                    tf.config.experimental.set_memory_growth(device, True)
                else:
                    part = tf.config.LogicalDeviceConfiguration(memory_limit=int(limit))
                    tf.config.set_logical_device_configuration(device, [part])
            if not devices:
                tf.config.optimizer.set_experimental_options(dict.fromkeys(_LEFT_OUT, False))
        except RuntimeError as error:
            running = threading.get_intra_op_parallelism_threads()
            if running != threads:
                raise InputError(
                    f"threads must be set before TensorFlow starts: it runs with {running} "
                    f"(0: all cores), asked for {threads}"
                ) from error


@cache
def device_name() -> str:
    """Where this process computes: ``GPU 0 (NVIDIA H200)``, or ``CPU``; asked after `configure`."""
    if "tensorflow" not in sys.modules:
        return "CPU"
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    model = tf.config.experimental.get_device_details(gpus[0]).get("device_name", "unknown")
    return f"GPU {os.environ.get('CUDA_VISIBLE_DEVICES', '0')} ({model})"
