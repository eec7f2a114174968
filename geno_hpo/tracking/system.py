"""How busy the machines are, written to the study's run when it is asked for.

Asked for by MLflow's own variable, ``MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING``. One process a machine
measures, every ten seconds (``MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL``): processors, memory, disk,
network and GPUs, as metrics ``system/HOST/…`` of the study's run. Trials of small networks end
within seconds; what keeps a machine busy is the study.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock, Timeout

from geno_hpo.errors import InputError

__all__ = ["ask_for_metrics", "measuring"]

ASKED = "MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING"
YES = ("true", "1", "yes")


def ask_for_metrics() -> None:
    """Ask this process and its workers for system metrics.

    Raises
    ------
    InputError
        psutil is not installed.
    """
    _check()
    os.environ[ASKED] = YES[0]


def _check() -> None:
    if find_spec("psutil") is None:
        raise InputError("system metrics need psutil; get it with: pip install 'geno-hpo[monitor]'")


@contextlib.contextmanager
def measuring(uri: str, run_id: str, folder: Path) -> Iterator[bool]:
    """Measure this machine while the block runs, if that is asked for and nobody else does.

    Parameters
    ----------
    uri, run_id
        Where the metrics go.
    folder
        For a lock file: one process a machine measures.

    Yields
    ------
    bool
        Whether this process measures.

    Raises
    ------
    InputError
        It is asked for, and psutil is not installed.
    """
    if os.environ.get(ASKED, "").lower() not in YES:
        yield False
        return
    _check()
    host = socket.gethostname()
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / f"system-{host}.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

    try:
        monitor = SystemMetricsMonitor(run_id, resume_logging=True, node_id=host, tracking_uri=uri)
        monitor.start()
        try:
            yield True
        finally:
            monitor.finish()
    finally:
        lock.release()
