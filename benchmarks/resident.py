"""Memory of this process while something runs: private pages and pages of mapped files apart.

Pages of a mapped file are the system's: shared by all processes, and given back when memory is
short. Private ones are the process's own. ``/proc`` tells both; a thread reads it every few
milliseconds, and the kernel itself keeps the peak of their sum.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

__all__ = ["Peak", "resident_bytes"]

_EVERY = 0.003
"""Seconds between two looks at the private memory."""


def resident_bytes(field: str) -> int:
    """A line of ``/proc/self/status``: ``VmRSS`` now, ``RssAnon`` of it private, ``VmHWM`` peak."""
    text = Path("/proc/self/status").read_text()
    found = re.search(rf"{field}:\s+(\d+) kB", text)
    return int(found.group(1)) * 1024 if found else 0


@dataclass
class Peak:
    """Peaks between entering and leaving a ``with`` block, in bytes.

    Parameters
    ----------
    private
        Most private memory that was seen.
    resident
        Most private memory and pages of files together.
    """

    private: int = 0
    resident: int = 0

    def __enter__(self) -> Peak:
        Path("/proc/self/clear_refs").write_text("5")
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._look()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._look()
        self._done.set()
        self._thread.join()
        self.resident = resident_bytes("VmHWM")

    def _look(self) -> None:
        self.private = max(self.private, resident_bytes("RssAnon"))

    def _watch(self) -> None:
        while not self._done.wait(_EVERY):
            self._look()
