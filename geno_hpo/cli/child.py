"""A server in a child process that ends with this one: SIGTERM, Ctrl-C and SIGHUP reach all of it.

A server starts processes of its own, which outlive it when only its first process is told to end.
So it gets a process group, and every signal goes to the whole group.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from types import FrameType

__all__ = ["serve_child"]

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 10.0
POLL_SECONDS = 0.1


def serve_child(
    command: Sequence[str],
    environment: Mapping[str, str],
    started: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
) -> int:
    """Run a command until it ends or a signal comes; afterwards none of its processes is left.

    Parameters
    ----------
    command, environment
        What is run.
    started
        Called with the process once it runs.

    Returns
    -------
    int
        Its exit code; 0 after Ctrl-C, 128 and the signal's number after another signal.
    """
    asked: list[int] = []

    def hear(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, hear) for number in SIGNALS}
    try:
        process = subprocess.Popen(command, env=dict(environment), start_new_session=True)
        try:
            started(process)
            while process.poll() is None and not asked:
                time.sleep(POLL_SECONDS)
        finally:
            _end(process)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if not asked:
        return process.returncode
    return 0 if asked[0] == signal.SIGINT else 128 + asked[0]


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the whole group to end; insist after a while."""
    deadline = time.monotonic() + GRACE_SECONDS
    _tell(process.pid, signal.SIGTERM)
    while _lives(process) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _tell(process.pid, signal.SIGKILL)
    process.wait()


def _lives(process: subprocess.Popen[bytes]) -> bool:
    """Whether any process of the group is left; the first one is reaped on the way."""
    process.poll()
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _tell(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, number)
