"""Waiting for a database or disk that is away for a while.

What can be done again without harm is tried again, with growing pauses, until it works or the
patience is over. What happens under a lock is tried again as a whole, by whoever takes the lock:
a lock may have ended with the connection that was lost.
"""

from __future__ import annotations

import errno
import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from filelock import Timeout
from sqlalchemy.exc import (
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    PendingRollbackError,
    ResourceClosedError,
)

from geno_hpo.errors import StorageError
from geno_hpo.study.paths import masked

__all__ = ["PATIENCE_SECONDS", "Patience", "first_cause", "is_passing", "patient"]

PATIENCE_SECONDS = 300.0
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
TOLD_AFTER = 3.0
LASTING = ("authentication failed", "does not exist", "no such table", "permission denied")
"""Words of databases that no waiting mends."""
PASSING_ERRNO = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ESTALE, errno.EIO})

Result = TypeVar("Result")
Method = TypeVar("Method", bound=Callable[..., Any])


def first_cause(error: BaseException) -> BaseException:
    """The error that the others were raised from."""
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def is_passing(error: BaseException) -> bool:
    """Whether an error may pass by itself: a server that restarts, a full disk, a lock held."""
    if any(word in str(first_cause(error)) for word in LASTING):
        return False
    chain: BaseException | None = error
    while chain is not None:
        if isinstance(chain, (OperationalError, InterfaceError, Timeout)):
            return True
        if isinstance(chain, (PendingRollbackError, ResourceClosedError)):
            return True
        if isinstance(chain, InvalidRequestError) and "connection" in str(chain):
            return True
        if isinstance(chain, OSError) and chain.errno in PASSING_ERRNO:
            return True
        chain = chain.__cause__
    return False


class Patience:
    """Tries work again while it fails in a way that may pass.

    Parameters
    ----------
    seconds
        How long in all for one piece of work.
    """

    def __init__(self, seconds: float = PATIENCE_SECONDS) -> None:
        self.seconds = seconds
        self.tell: Callable[[str], None] = lambda _: None
        """Called with one plain sentence when a wait begins to be long, and when it is over."""
        self.stop: Callable[[], bool] = lambda: False
        """True once waiting makes no sense any more."""
        self._mine = threading.local()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Nothing inside is tried again by itself, in this thread."""
        before = getattr(self._mine, "suspended", False)
        self._mine.suspended = True
        try:
            yield
        finally:
            self._mine.suspended = before

    def __call__(self, work: Callable[[], Result]) -> Result:
        """Do `work`, again and again while it fails in a way that may pass.

        Raises
        ------
        StorageError
            It failed for longer than the patience.
        """
        if getattr(self._mine, "suspended", False):
            return work()
        begun, pause, told = time.monotonic(), FIRST_PAUSE, False
        while True:
            try:
                result = work()
            except Exception as error:
                waited = time.monotonic() - begun
                if not is_passing(error):
                    raise
                reason = masked(str(first_cause(error)).splitlines()[0])
                if waited > self.seconds or self.stop():
                    raise StorageError(
                        f"the study could not be written down for {waited:.0f} s: {reason}. Free "
                        "some space or bring the storage back, then say the same command again: "
                        "every finished trial is kept"
                    ) from error
                if waited > TOLD_AFTER and not told:
                    told = True
                    self.tell(f"waiting for the storage: {reason}")
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                if told:
                    waited = time.monotonic() - begun
                    self.tell(f"the storage is back after {waited:.0f} s; the work goes on")
                return result


def patient(method: Method) -> Method:
    """Make a method patient; its object has the `Patience` as ``patience``."""

    @functools.wraps(method)
    def trying(self: Any, *given: Any, **named: Any) -> Any:
        return self.patience(lambda: method(self, *given, **named))

    return trying  # type: ignore[return-value]
