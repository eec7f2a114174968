"""Statistics of a local store let SQLite join by an index of its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from geno_hpo.tracking.quick import quicken

JOIN = (
    "SELECT * FROM runs LEFT OUTER JOIN (SELECT run, value FROM latest WHERE key = 'score') AS one "
    "ON runs.run = one.run ORDER BY one.value"
)


def test_a_store_with_many_runs_has_statistics(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    names = [str(number) for number in range(2000)]
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE runs (run TEXT PRIMARY KEY)")
        connection.execute("CREATE TABLE latest (key TEXT, run TEXT, value REAL, UNIQUE(key, run))")
        connection.executemany("INSERT INTO runs VALUES (?)", [(name,) for name in names])
        rows = [("score", name, 0.5) for name in names]
        connection.executemany("INSERT INTO latest VALUES (?, ?, ?)", rows)
        connection.commit()
    quicken(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as opened:
        known = {row[0] for row in opened.execute("SELECT tbl FROM sqlite_stat1")}
        plan = str(opened.execute(f"EXPLAIN QUERY PLAN {JOIN}").fetchall())
    assert known == {"runs", "latest"}
    assert "SCAN one" not in plan


def test_other_stores_are_left_alone(tmp_path: Path) -> None:
    quicken("http://127.0.0.1:1")
    quicken(f"sqlite:///{tmp_path / 'none.db'}")
    assert not list(tmp_path.iterdir())
    (tmp_path / "broken.db").write_text("no database, but long enough to be looked at as one" * 20)
    quicken(f"sqlite:///{tmp_path / 'broken.db'}")
