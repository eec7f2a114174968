"""The trial storage: opened once a process, its faults told, and its parts by name."""

from __future__ import annotations

import contextlib
import functools
import logging
import sqlite3
import warnings
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
from filelock import FileLock
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from geno_hpo.errors import StorageError
from geno_hpo.study.cached import TrialStorage
from geno_hpo.study.claim_lock import LOCK_WAIT_SECONDS
from geno_hpo.study.paths import masked
from geno_hpo.study.patience import Patience, first_cause
from geno_hpo.study.pool import Claim, Pool

__all__ = [
    "STORAGE_ERRORS",
    "Claim",
    "Pool",
    "open_pool",
    "open_storage",
    "storage_faults",
    "study_names",
]

CONNECT_SECONDS = 10
POSTGRES_OPTIONS = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
    "options": f"-c idle_in_transaction_session_timeout={LOCK_WAIT_SECONDS // 2}s",
}
"""A worker that is frozen in the middle of a transaction does not hold its locks for ever, and one
whose server is gone without a word (a machine without power, a cable) hears of it in half a minute;
by TCP's own rules it would wait for a quarter of an hour."""
TABLES_KEY = 7_106_574_221
"""Key of the advisory lock under which tables are made; any number that is the same everywhere."""
STORAGE_ERRORS = (optuna.exceptions.StorageInternalError, SQLAlchemyError, OSError)
"""What a database or disk that gives out raises."""

optuna.logging.set_verbosity(optuna.logging.ERROR)
logging.getLogger("alembic").setLevel(logging.WARNING)


def _tune_sqlite(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")


def open_storage(url: str, patience: Patience | None = None) -> TrialStorage:
    """Open the trial storage; SQLite is put in WAL mode so that many processes can share it.

    Parameters
    ----------
    url
        Its address.
    patience
        Waits for a database that is away; None says at once that it is.

    Raises
    ------
    StorageError
        The database cannot be reached or written, or is neither SQLite nor PostgreSQL.
    """
    sqlite = url.startswith("sqlite")
    if not sqlite and not url.startswith("postgresql"):
        raise StorageError(
            f"the trial storage must be SQLite or PostgreSQL, got {masked(url)}: on others two "
            "workers could claim one trial"
        )
    if sqlite and not event.contains(Engine, "connect", _tune_sqlite):
        event.listen(Engine, "connect", _tune_sqlite)
    make = functools.partial(_open, url, sqlite=sqlite)
    try:
        return make() if patience is None else patience(make)
    except StorageError:
        raise
    except Exception as error:
        reason = masked(str(error).splitlines()[0])
        raise StorageError(f"the trial storage {masked(url)} cannot be opened: {reason}") from error


def _open(url: str, *, sqlite: bool) -> TrialStorage:
    options: dict[str, Any] = (
        {"connect_args": {"timeout": LOCK_WAIT_SECONDS}}
        if sqlite
        else {"pool_pre_ping": True, "connect_args": POSTGRES_OPTIONS}
    )
    with _one_at_a_time(url) if sqlite else _making_tables(url):
        storage = TrialStorage(optuna.storages.RDBStorage(url, engine_kwargs=options))
    closing = weakref.finalize(storage, storage.engine.dispose)
    closing.atexit = False  # a forked process would close what its parent still uses
    return storage


def _one_at_a_time(url: str) -> contextlib.AbstractContextManager[Any]:
    """As `_making_tables`, for a file: two that make its tables at once would fail."""
    path = Path(url.partition("///")[2])
    if not path.name or not path.parent.is_dir() or _is_made(path):
        return contextlib.nullcontext()
    return FileLock(path.with_name(f"{path.name}.opening"), timeout=LOCK_WAIT_SECONDS)


def _is_made(path: Path) -> bool:
    """Whether a file has all tables: the revision is what Optuna writes last into a fresh one."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            return connection.execute("SELECT 1 FROM alembic_version").fetchone() is not None
    except sqlite3.Error:
        return False


@contextlib.contextmanager
def _making_tables(url: str) -> Iterator[None]:
    """Let one process at a time look for the tables of a fresh database and make them."""
    engine = create_engine(
        url, poolclass=NullPool, connect_args={"connect_timeout": CONNECT_SECONDS}
    )
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": TABLES_KEY})
        yield


@contextlib.contextmanager
def storage_faults() -> Iterator[None]:
    """Tell a database or disk that gives out as one `StorageError`, with its first cause.

    Raises
    ------
    StorageError
        The storage or the work folder could not be read or written.
    """
    try:
        yield
    except STORAGE_ERRORS as error:
        reason = masked(str(first_cause(error)).splitlines()[0])
        raise StorageError(
            f"the study cannot be written down any more: {reason}. Free some space or bring the "
            "storage back, then say the same command again: every finished trial is kept"
        ) from error


def study_names(storage: optuna.storages.BaseStorage) -> list[str]:
    """Names of all studies in the storage, parts included."""
    return optuna.study.get_all_study_names(storage=storage)


def open_pool(
    storage: TrialStorage,
    name: str,
    *,
    maximise: bool,
    costs: int = 0,
    lock_folder: Path | None,
    pruner: optuna.pruners.BasePruner | None = None,
    create: bool = False,
) -> Pool:
    """Open one part of a study, creating it when asked; `costs`: objectives beside the score.

    Raises
    ------
    StorageError
        The part does not exist and `create` is false.
    """
    aims = optuna.study.StudyDirection
    aim = aims.MAXIMIZE if maximise else aims.MINIMIZE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        if create:
            study = optuna.create_study(
                storage=storage,
                study_name=name,
                directions=[aim, *[aims.MINIMIZE] * costs],
                load_if_exists=True,
                pruner=pruner,
            )
        else:
            try:
                study = optuna.load_study(storage=storage, study_name=name, pruner=pruner)
            except KeyError as error:
                raise StorageError(f"the storage holds no study {name!r}") from error
    return Pool(study, lock_folder)
