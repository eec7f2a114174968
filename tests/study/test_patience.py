"""Waiting: for what may pass, not for what lasts, and not for ever; passwords stay hidden."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest
from filelock import Timeout
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import IntegrityError, OperationalError

from geno_hpo.errors import StorageError
from geno_hpo.study import patience as patience_module
from geno_hpo.study.paths import masked
from geno_hpo.study.patience import Patience


def operational(words: str) -> Exception:
    error = StorageInternalError("commit failed")
    error.__cause__ = OperationalError("SELECT 1", {}, Exception(words))
    return error


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "FIRST_PAUSE", 0.001)


def failing(times: int, error: Exception) -> Callable[[], str]:
    left = iter(range(times))

    def work() -> str:
        if next(left, None) is not None:
            raise error
        return "done"

    return work


@pytest.mark.parametrize(
    "error",
    [
        operational("server closed the connection unexpectedly"),
        operational("database or disk is full"),
        OSError(errno.ENOSPC, "No space left on device"),
        Timeout("claim.lock"),
    ],
    ids=str,
)
def test_what_may_pass_is_tried_again(error: Exception) -> None:
    assert Patience(60)(failing(3, error)) == "done"


@pytest.mark.parametrize(
    "error",
    [
        operational('password authentication failed for user "lab"'),
        operational('database "nowhere" does not exist'),
        IntegrityError("INSERT", {}, Exception("duplicate key")),
        OSError(errno.EACCES, "Permission denied"),
        ValueError("no"),
    ],
    ids=str,
)
def test_what_lasts_is_raised_at_once(error: Exception) -> None:
    with pytest.raises(type(error)):
        Patience(60)(failing(1, error))


def test_patience_ends_with_a_word_and_without_the_password() -> None:
    error = operational("connection to postgresql://lab:secret@host/db failed")
    with pytest.raises(StorageError, match=r"every finished trial is kept") as caught:
        Patience(0.0)(failing(1000, error))
    assert "secret" not in str(caught.value)


def test_under_a_lock_nothing_is_tried_again_by_itself() -> None:
    patience = Patience(60)
    with patience.suspended(), pytest.raises(StorageInternalError):
        patience(failing(1, operational("server closed the connection")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql+psycopg://lab:secret@host/db", "postgresql+psycopg://lab:***@host/db"),
        ("http://:secret@host", "http://:***@host"),
        ("postgresql://lab:se/cr:et@host/db", "postgresql://lab:***@host/db"),
        ("postgresql://h/db?user=a&password=secret", "postgresql://h/db?user=a&password=***"),
        ("http://host:5000/#/experiments", "http://host:5000/#/experiments"),
        ("http://lab:p@ss@host:5000/x", "http://lab:***@host:5000/x"),
        ("http://host:5000/x and a@b", "http://host:5000/x and a@b"),
    ],
)
def test_passwords_are_masked(text: str, shown: str) -> None:
    assert masked(f"cannot reach {text} now") == f"cannot reach {shown} now"


@pytest.mark.parametrize(
    ("variable", "value", "secret"),
    [
        ("GENO_HPO_STORAGE", "postgresql+psycopg://lab:a%40secret@host/lab", "a%40secret"),
        ("GENO_HPO_STORAGE", "postgresql+psycopg://lab:a%40secret@host/lab", "a@secret"),
        ("MLFLOW_TRACKING_URI", "https://lab:another-one@host", "another-one"),
        ("MLFLOW_TRACKING_PASSWORD", "third-one", "third-one"),
        ("PGPASSWORD", "fourth-one", "fourth-one"),
    ],
)
def test_passwords_that_were_given_are_masked_wherever_they_stand(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, secret: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert masked(f"a library says: {secret}!") == "a library says: ***!"
