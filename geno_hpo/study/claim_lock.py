"""The lock of a part of a study: whoever changes which trials wait or run holds it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import optuna
from filelock import FileLock
from sqlalchemy import text

from geno_hpo.study.cached import TrialStorage

__all__ = ["LOCK_WAIT_SECONDS", "ClaimLock"]

LOCK_WAIT_SECONDS = 60


class ClaimLock:
    """A lock that no two workers hold at once, on whatever machine they are.

    Parameters
    ----------
    study
        The Optuna study of the part.
    folder
        Local folder for the lock of an SQLite storage, whose own transactions would let two
        processes claim one trial. None on PostgreSQL, which keeps the lock itself.
    """

    def __init__(self, study: optuna.Study, folder: Path | None) -> None:
        self._storage = cast("TrialStorage", study._storage)
        self._study_id = study._study_id
        name = hashlib.sha256(study.study_name.encode()).digest()
        self._key = int.from_bytes(name[:8], signed=True)
        self._folder = folder
        self._file = FileLock(folder / "claim.lock", timeout=LOCK_WAIT_SECONDS) if folder else None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Hold the lock.

        On PostgreSQL it ends with its transaction, so a worker that is gone holds nothing. What
        happens under the lock is not tried again by itself: the lock may be gone by then.

        Raises
        ------
        KeyError
            The study was removed: its folder is gone, and taking the lock would make it anew.
        """
        patience = self._storage.patience
        if self._folder is not None and self._file is not None:
            if not self._folder.is_dir():
                self._storage._backend.get_study_name_from_id(self._study_id)
            with self._file, patience.suspended():
                yield
            return
        with self._storage.engine.begin() as connection:
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_WAIT_SECONDS}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": self._key})
            with patience.suspended():
                yield
