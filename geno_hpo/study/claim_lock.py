"""The lock of a part of a study: whoever changes which trials wait or run holds it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock
from sqlalchemy import text

from geno_hpo.study.cached import TrialStorage

__all__ = ["LOCK_WAIT_SECONDS", "ClaimLock"]

LOCK_WAIT_SECONDS = 60


class ClaimLock:
    """A lock that no two workers hold at once, on whatever machine they are.

    Parameters
    ----------
    name
        The part's name in the storage.
    storage
        Where its trials are.
    folder
        Local folder for the lock of an SQLite storage, whose own transactions would let two
        processes claim one trial. None on PostgreSQL, which keeps the lock itself.
    """

    def __init__(self, name: str, storage: TrialStorage, folder: Path | None) -> None:
        self._storage = storage
        self._key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        self._file = None
        if folder is not None:
            self._file = FileLock(folder / "claim.lock", timeout=LOCK_WAIT_SECONDS)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        On PostgreSQL it ends with its transaction, so a worker that is gone holds nothing. What
        happens under the lock is not tried again by itself: the lock may be gone by then.
        """
        patience = self._storage.patience
        if self._file is not None:
            with self._file, patience.suspended():
                yield
            return
        with self._storage.engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._key})
            with patience.suspended():
                yield
