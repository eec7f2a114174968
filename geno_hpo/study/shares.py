"""How launchers on one machine share its cores.

Each launcher keeps a file that tells how many cores its workers use. Another that starts takes the
cores that are free, but never fewer than its fair part of all, so that two studies at once get
half of the machine each at worst, and none waits for the other.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geno_hpo.study.identity import is_gone, worker_name

__all__ = ["fair_part", "telling"]


def fair_part(mlruns: Path, cores: int) -> tuple[int, int]:
    """Cores of this machine for a launcher that starts now, and how many others are at work.

    Parameters
    ----------
    mlruns
        The project's; its launchers know of each other.
    cores
        Cores that this process could use alone.
    """
    folder = _folder(mlruns)
    if not folder.exists():
        return cores, 0
    mine = f"{os.getpid()}.json"
    others = [_cores_of(file) for file in folder.glob("*.json") if file.name != mine]
    others = [number for number in others if number]
    free = max(cores - sum(others), 0)
    return max(free, cores // (len(others) + 1), 1), len(others)


@contextmanager
def telling(mlruns: Path, cores: int) -> Iterator[None]:
    """Tell other launchers meanwhile that this one uses `cores`."""
    folder = _folder(mlruns)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{os.getpid()}.json"
    file.write_text(json.dumps({"launcher": worker_name(os.getpid()), "cores": cores}))
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _folder(mlruns: Path) -> Path:
    return mlruns / "running" / socket.gethostname()


def _cores_of(file: Path) -> int:
    """Cores that a launcher uses; 0, and its file removed, where it no longer lives."""
    try:
        told = json.loads(file.read_text())
    except (OSError, ValueError):
        return 0
    if is_gone(str(told["launcher"])):
        file.unlink(missing_ok=True)
        return 0
    return int(told["cores"])
