"""Servers that the cluster tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.servers import MLflow, Postgres, postgres_folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    programs = postgres_folder()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (initdb was not found)")
    server = Postgres(programs)
    yield server
    server.close()


@pytest.fixture
def mlflow_server(tmp_path: Path) -> Iterator[MLflow]:
    server = MLflow(tmp_path / "mlflow")
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest) -> str:
    """Address of a storage of each kind; empty is the project's own file."""
    if request.param == "sqlite":
        return ""
    server: Postgres = request.getfixturevalue("postgres")
    return server.database()
