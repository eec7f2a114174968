"""Leases: who works at a running trial, and whether that worker still gets on.

A lease is one attribute of its trial: a token that names the claim, and a counter that the worker
moves while its training gets on. Others watch the counter with their own clocks, so that clocks of
two machines need not agree: a counter that stands still for the time that the lease promises is a
lost worker. Every change compares with the text that was last seen, in the database, so of two
that change one lease only one succeeds; the token thereby fences off a worker that comes back.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from dataclasses import asdict, dataclass, replace
from typing import Any

__all__ = ["LEASE", "LEASE_SECONDS", "LOST_ALLOWED", "Lease", "LeaseLost", "Watch", "now"]

LEASE = "lease"
"""System attribute of a trial."""
LEASE_SECONDS = 60.0
"""A worker is taken for lost when its counter stands still for so long."""
LOST_ALLOWED = 3
"""Workers that a trial may lose before it fails: it may be what kills them."""


class LeaseLost(Exception):  # noqa: N818 - what happened, not a fault of the code
    """Another worker has taken the trial over; this one must leave it as it is."""


def now() -> float:
    """Seconds of a clock that goes on while the machine sleeps and that nobody sets."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()


@dataclass(frozen=True)
class Lease:
    """A claim to a running trial.

    Parameters
    ----------
    owner
        Token of the claim; empty when nobody holds it.
    beat
        Moved by the worker while its training gets on.
    seconds
        How long the counter may stand still.
    lost
        Workers that the trial has lost so far.
    worker, job, gpu
        For people: ``host:process``, job of the scheduler, and GPUs that the worker sees.
    at
        Time by the worker's clock, for people; nothing is decided by it.
    """

    owner: str = ""
    beat: int = 0
    seconds: float = LEASE_SECONDS
    lost: int = 0
    worker: str = ""
    job: str = ""
    gpu: str = ""
    at: float = 0.0

    @classmethod
    def begin(cls, worker: str, before: Lease, seconds: float) -> Lease:
        """A new claim of a trial whose last lease was `before`."""
        return cls(
            owner=uuid.uuid4().hex[:16],
            seconds=seconds,
            lost=before.lost,
            worker=worker,
            job=job_name(),
            gpu=os.environ.get("CUDA_VISIBLE_DEVICES", ""),
            at=round(time.time(), 1),
        )

    @classmethod
    def read(cls, value: Any) -> Lease:
        """What the storage holds, or a lease of nobody."""
        return cls(**value) if isinstance(value, dict) else cls()

    @property
    def value(self) -> dict[str, Any]:
        """Plain values for the storage."""
        return asdict(self)

    @property
    def text(self) -> str:
        """Exactly what the database holds."""
        return json.dumps(self.value)

    def moved(self) -> Lease:
        """The lease with its counter moved."""
        return replace(self, beat=self.beat + 1, at=round(time.time(), 1))

    def freed(self, *, lost: bool) -> Lease:
        """The lease of nobody that follows; `lost` counts the worker as lost."""
        return Lease(beat=self.beat + 1, seconds=self.seconds, lost=self.lost + lost)


def job_name() -> str:
    """Job of the scheduler that this process runs in; empty outside one."""
    array = os.environ.get("SLURM_ARRAY_JOB_ID")
    if array:
        return f"{array}_{os.environ.get('SLURM_ARRAY_TASK_ID', '0')}"
    return os.environ.get("SLURM_JOB_ID") or os.environ.get("JOB_COMPLETION_INDEX", "")


class Watch:
    """Tells leases that stand still, by the clock of whoever watches.

    A watch that could not look for a while begins anew: while the storage was away nobody could
    move a counter.

    Parameters
    ----------
    gap
        Seconds between two looks after which the watch begins anew.
    """

    def __init__(self, gap: float = 20.0) -> None:
        self._gap = gap
        self._seen: dict[int, tuple[str, float]] = {}
        self._looked = now()

    def expired(self, leases: dict[int, str]) -> dict[int, str]:
        """Those of the running trials' leases (text by trial) that stood still for too long."""
        moment = now()
        if moment - self._looked > self._gap:
            self._seen.clear()
        self._looked = moment
        self._seen = {
            key: self._seen[key] if self._seen.get(key, ("",))[0] == text else (text, moment)
            for key, text in leases.items()
        }
        return {
            key: text
            for key, (text, since) in self._seen.items()
            if moment - since > Lease.read(json.loads(text)).seconds
        }
