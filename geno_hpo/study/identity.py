"""Who does the work: names of workers, whether they live, and the version of the code."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from pathlib import Path

from geno_hpo import __version__

__all__ = ["code_version", "is_gone", "machine_memory", "peak_memory", "worker_name"]


def worker_name(process: int) -> str:
    """``host:process``, under which a worker claims trials."""
    return f"{socket.gethostname()}:{process}"


def is_gone(worker: str) -> bool:
    """Whether a worker of this machine no longer lives; of other machines nothing is known."""
    host, _, process = worker.rpartition(":")
    if host != socket.gethostname() or not process.isdigit():
        return not worker
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def peak_memory() -> int:
    """Largest resident memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def machine_memory() -> int:
    """Memory of this machine in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def code_version(root: Path) -> str:
    """Package version, with the commit when the project is a git checkout."""
    try:
        told = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return __version__
    commit = told.stdout.strip()
    return f"{__version__} ({commit})" if told.returncode == 0 and commit else __version__
