"""Which GPU a worker computes on: one worker a GPU, or several small ones, never all on one.

A worker sees its own GPU alone (``CUDA_VISIBLE_DEVICES``), so that no TensorFlow takes the memory
of another. Where several workers share a GPU, each is given its part of the memory.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass

from geno_hpo.training.setup import GPU_MEMORY

__all__ = ["Place", "places", "visible_gpus"]

VISIBLE = "CUDA_VISIBLE_DEVICES"
SHARED = 0.9
"""Share of a GPU's memory that workers divide among them; the rest is the driver's."""


@dataclass(frozen=True)
class Place:
    """Where one worker computes.

    Parameters
    ----------
    gpu
        Name of the GPU as ``CUDA_VISIBLE_DEVICES`` has it; empty for the CPU.
    memory
        Megabytes of it that the worker may take; None where it has the GPU alone.
    """

    gpu: str = ""
    memory: int | None = None

    def __str__(self) -> str:
        if not self.gpu:
            return "CPU"
        return f"GPU {self.gpu}" + ("" if self.memory is None else f", {self.memory} MB of it")

    @property
    def environment(self) -> dict[str, str]:
        """Variables that put a worker there; none on a CPU."""
        if not self.gpu:
            return {}
        limit = {} if self.memory is None else {GPU_MEMORY: str(self.memory)}
        return {VISIBLE: self.gpu, **limit}


def visible_gpus() -> dict[str, int]:
    """Megabytes of each GPU that this process may use, by name, without loading TensorFlow."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return {}
    asked = [program, "--query-gpu=index,uuid,memory.total", "--format=csv,noheader,nounits"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=60)
    rows = [[cell.strip() for cell in line.split(",")] for line in told.stdout.splitlines()]
    found = [(row[0], row[1], int(row[2])) for row in rows if len(row) == 3 and row[2].isdigit()]
    visible = os.environ.get(VISIBLE)
    if visible is None:
        return {index: memory for index, _, memory in found}
    known = {name: memory for index, uuid, memory in found for name in (index, uuid)}
    names = [name.strip() for name in visible.split(",")]
    return {name: known[name] for name in names if name in known}


def places(workers: int, per_gpu: int = 1, gpus: dict[str, int] | None = None) -> list[Place]:
    """Places of the workers, in their order; on the CPU without GPUs.

    More workers than ``GPUs × per_gpu`` are not placed: the list is shorter then.

    Parameters
    ----------
    workers
        How many are asked for.
    per_gpu
        Workers that share one GPU.
    gpus
        Megabytes by name; None looks for them.
    """
    found = visible_gpus() if gpus is None else gpus
    if not found:
        return [Place()] * max(workers, 1)
    share = {name: int(SHARED * memory / per_gpu) for name, memory in found.items()}
    placed = [
        Place(name, share[name] if per_gpu > 1 else None) for _ in range(per_gpu) for name in found
    ]
    return placed[: max(workers, 1)]
