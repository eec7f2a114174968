"""Set the backend up once a process, before it starts: threads, quiet logs, memory on GPUs.

Keras reads ``KERAS_BACKEND`` when it is imported: ``tensorflow``, which is the default, or ``jax``
(the extra ``geno-hpo[jax]``). The choice holds for the whole process, and for its workers.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

from platformdirs import user_cache_path

from geno_hpo.errors import InputError

__all__ = [
    "BACKENDS",
    "GPU_MEMORY",
    "chosen_backend",
    "configure",
    "device_name",
    "load_quietly",
    "refuse_windows",
    "trials_at_once",
]

BACKENDS = ("tensorflow", "jax")
"""Keras backends that have an engine."""

GPU_MEMORY = "GENO_HPO_GPU_MEMORY_MB"
"""Variable: megabytes of each GPU that this process may take; unset, it takes what it needs."""

TRIALS_ON_GPU = 8
"""Trials that a worker trains at once on JAX and a GPU, where nobody says how many."""

JAX_THREADS = "PJRT_NPROC"
"""Variable by which JAX's CPU client knows how many threads it may have."""
ONE_THREAD = "--xla_cpu_multi_thread_eigen=false"

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


def chosen_backend() -> str:
    """Name of the Keras backend of this process.

    Raises
    ------
    InputError
        ``KERAS_BACKEND`` names one without an engine, or one that is not installed, or another
        than Keras already runs on.
    """
    backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    if backend not in BACKENDS:
        raise InputError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}, got {backend!r}")
    if find_spec(backend) is None:
        raise InputError(
            f"KERAS_BACKEND={backend} needs a package that is not installed: "
            f"pip install 'geno-hpo[{backend}]'"
        )
    if "keras" in sys.modules:
        running = sys.modules["keras"].backend.backend()
        if running != backend:
            raise InputError(
                f"KERAS_BACKEND={backend}, but Keras runs on {running} already; set the variable "
                "before Keras is imported"
            )
    return backend


def refuse_windows(setting: str) -> None:
    """Refuse ``windows: always`` on a backend whose engine computes plainly.

    Raises
    ------
    InputError
        It is asked for on JAX.
    """
    if setting == "always" and chosen_backend() == "jax":
        raise InputError(
            "windows: always needs the TensorFlow engine, got KERAS_BACKEND=jax; "
            "say auto, which computes plainly there, or leave the variable out"
        )


def trials_at_once(asked: int | None) -> int:
    """How many trials a worker trains at once; by default several where that is what JAX is for.

    On a CPU replicas are computed one after another all the same, so there it is one; asked after
    `configure`.

    Raises
    ------
    InputError
        Several are asked for on TensorFlow, whose functions train one replica.
    """
    if chosen_backend() != "jax":
        if asked is not None and asked > 1:
            raise InputError(
                f"several trials at once need KERAS_BACKEND=jax, got {asked} with TensorFlow"
            )
        return 1
    import jax

    return asked or (1 if jax.default_backend() == "cpu" else TRIALS_ON_GPU)


def load_quietly() -> None:
    """Import the backend without its greetings; threads are left to it."""
    if chosen_backend() == "jax":
        import jax  # noqa: F401

        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _quiet():
        import tensorflow  # noqa: F401


def configure(threads: int = 1) -> None:
    """Start the backend with this many threads an operation; call it before anything else does.

    Small genomic models train fastest on one thread a worker. TensorFlow's operations run one after
    another (one inter-op thread), its logs below errors are hidden, a GPU's memory is taken as it
    is needed; on a CPU graphs are optimized less, which prepares them sooner. JAX computes with
    whole float32 (``JAX_DEFAULT_MATMUL_PRECISION`` says otherwise) and keeps what it compiled for
    later runs (in the folder that ``JAX_COMPILATION_CACHE_DIR`` names, else in the user's cache).
    A second call with the same number changes nothing.

    Parameters
    ----------
    threads
        Threads inside one operation, at least 1.

    Raises
    ------
    InputError
        `threads` is below 1, the backend already runs with another number of threads, or as
        `chosen_backend`.
    """
    if threads < 1:
        raise InputError(f"threads must be at least 1, got {threads}")
    if chosen_backend() == "jax":
        _configure_jax(threads)
    else:
        _configure_tensorflow(threads)


def _configure_jax(threads: int) -> None:
    running = os.environ.get(JAX_THREADS)
    if "jax" in sys.modules and running not in (None, str(threads)):
        raise InputError(
            f"threads must be set before JAX starts: it runs with {running}, asked for {threads}"
        )
    os.environ[JAX_THREADS] = str(threads)
    if threads == 1:
        flags = os.environ.get("XLA_FLAGS", "")
        if ONE_THREAD not in flags:
            os.environ["XLA_FLAGS"] = f"{flags} {ONE_THREAD}".strip()
    for name, value in (
        ("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
        ("JAX_DEFAULT_MATMUL_PRECISION", "highest"),
        ("JAX_COMPILATION_CACHE_DIR", str(user_cache_path("geno-hpo") / "xla")),
        ("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.2"),
    ):
        os.environ.setdefault(name, value)
    import jax  # noqa: F401 - reads these variables now


def _configure_tensorflow(threads: int) -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
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
    model = ""
    if chosen_backend() == "jax" and "jax" in sys.modules:
        import jax

        if jax.default_backend() != "cpu":
            model = jax.local_devices()[0].device_kind
    elif "tensorflow" in sys.modules:
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        if gpus:
            told = tf.config.experimental.get_device_details(gpus[0])
            model = told.get("device_name", "unknown")
    if not model:
        return "CPU"
    return f"GPU {os.environ.get('CUDA_VISIBLE_DEVICES', '0')} ({model})"
