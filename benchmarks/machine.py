"""The machine that a benchmark ran on, and whether it was idle before."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["ROOT", "busy_share", "describe"]

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("tensorflow", "jax", "keras", "optuna", "mlflow", "keras-tuner", "numpy")
IDLE_SHARE = 0.1
STAT = Path("/proc/stat")


def describe() -> dict[str, Any]:
    """Cores, model, load before, versions and commit."""
    busy = busy_share()
    return {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "model": _model(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": [round(x, 2) for x in os.getloadavg()],
        "busy_before": None if busy is None else round(busy, 2),
        "idle": None if busy is None else busy < IDLE_SHARE,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        "versions": {name: _version(name) for name in PACKAGES},
        "commit": _commit(),
    }


def busy_share(seconds: float = 1.0) -> float | None:
    """Share of the cores' time that other processes take now; None where it cannot be read."""
    if not STAT.exists():
        return None
    first = _ticks()
    time.sleep(seconds)
    idle, total = (b - a for a, b in zip(first, _ticks(), strict=True))
    return 1.0 - idle / total if total else 0.0


def _ticks() -> tuple[int, int]:
    numbers = [int(x) for x in STAT.read_text().splitlines()[0].split()[1:9]]
    return numbers[3] + numbers[4], sum(numbers)


def _model() -> str:
    path = Path("/proc/cpuinfo")
    if path.exists():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    told = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip() or "unknown"
