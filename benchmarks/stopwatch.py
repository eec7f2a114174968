"""A stopwatch on functions: calls, wall seconds, and processor seconds, by name."""

from __future__ import annotations

import functools
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Any

__all__ = ["Lap", "Stopwatch"]


@dataclass
class Lap:
    """What the calls of one function took; `own` is without the timed functions inside it."""

    calls: int = 0
    wall: float = 0.0
    own: float = 0.0
    processor: float = 0.0


class Stopwatch:
    """Times functions while it is open; functions called in another thread are told apart.

    Parameters
    ----------
    functions
        From a name to the owner (a class or module) and the attribute that is the function.
    """

    def __init__(self, functions: dict[str, tuple[Any, str]]) -> None:
        self._functions = functions
        self._kept: list[tuple[Any, str, Any]] = []
        self._inside = threading.local()
        self.laps: dict[str, Lap] = {name: Lap() for name in functions}

    def __enter__(self) -> Stopwatch:
        for name, (owner, attribute) in self._functions.items():
            given = owner.__dict__[attribute]
            self._kept.append((owner, attribute, given))
            setattr(owner, attribute, self._timed(name, given))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for owner, attribute, given in self._kept:
            setattr(owner, attribute, given)

    def _timed(self, name: str, given: Any) -> Any:
        lap = self.laps[name]

        @functools.wraps(given)
        def timed(*args: Any, **named: Any) -> Any:
            stack = self._inside.__dict__.setdefault("stack", [])
            stack.append(0.0)
            begun, used = time.perf_counter(), time.thread_time()
            try:
                return given(*args, **named)
            finally:
                wall = time.perf_counter() - begun
                inner = stack.pop()
                if stack:
                    stack[-1] += wall
                lap.calls += 1
                lap.wall += wall
                lap.own += wall - inner
                lap.processor += time.thread_time() - used

        return timed
