"""MLflow with many runs: how long its page takes to open, and a search to answer.

A study's experiment is filled: a hundred runs are written by geno_hpo's own code (parameters, tags,
data set, five folds' curves over twenty epochs), and copied inside the database until there are as
many as asked. Then ``geno-hpo ui`` serves them. Searches are the requests that the page makes; the
page itself is opened in Chromium, where there is one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy

from benchmarks.machine import ROOT
from benchmarks.outcome import Outcome, Size, Table
from geno_hpo.space import SearchSpace, load_space
from geno_hpo.tracking import DatasetTag, PastRun, Tracking, views

__all__ = ["run"]

RUNS: dict[Size, int] = {"full": 10_000, "quick": 2000, "smallest": 40}
WRITTEN = 100
"""Runs that are written one by one; the others are their copies."""
EPOCHS = 20
FOLDS = 5
REPEATS = 5
START_SECONDS = 1800.0
OWNERS = {
    "runs": ("run_uuid",),
    "tags": ("run_uuid",),
    "params": ("run_uuid",),
    "metrics": ("run_uuid",),
    "latest_metrics": ("run_uuid",),
    "inputs": ("input_uuid", "destination_id"),
    "input_tags": ("input_uuid",),
}
"""MLflow's tables, and their columns that name a run or what belongs to one."""
SEARCH = "tags.stage = 'search'"
BY_SCORE = ["metrics.`cv_score` DESC"]
SEARCHES: dict[str, tuple[str, list[str]]] = {
    "trials by score, 100 of them": (SEARCH, BY_SCORE),
    "score above 0.9 and a parameter": (
        "metrics.cv_score > 0.9 and params.activation = 'relu'",
        BY_SCORE,
    ),
    "pruned trials, latest first": ("tags.state = 'pruned'", ["attributes.start_time DESC"]),
    "a trial by its name": ("attributes.run_name LIKE 'trial 0042%'", []),
}


def run(size: Size, store: str = "") -> Outcome:
    """Fill a store, serve it and measure; `store`: address of an empty database, else SQLite."""
    with tempfile.TemporaryDirectory(prefix="geno-runs-") as name:
        root = Path(name)
        uri = store or f"sqlite:///{root / 'mlruns' / 'mlflow.db'}"
        (root / "mlruns").mkdir()
        begun = time.perf_counter()
        tracking = Tracking(uri, root / "mlruns" / "artifacts", "bench")
        written = _write(tracking, min(WRITTEN, RUNS[size]))
        each = written / min(WRITTEN, RUNS[size])
        _copy(uri, RUNS[size])
        filled = time.perf_counter() - begun
        with _served(root, uri) as (address, started, server):
            rows = [*_searches(address, tracking.experiment_id, server)]
            print(rows, flush=True)
            page = _page(f"{address}/{tracking.trials_page}", server)
        kind = uri.partition(":")[0].partition("+")[0]
        local = root / "mlruns" / "mlflow.db"
        large = "" if store else f", {local.stat().st_size / 1e6:.0f} MB"
    rows += [("page of the trials by score, opened in Chromium", *page)]
    notes = [
        f"{kind}: {RUNS[size]} runs filled in {filled:.0f} s{large}.",
        f"One run written by geno_hpo's code takes {each * 1000:.0f} ms.",
        f"`geno-hpo ui` answered {started:.0f} s after its start.",
        f"First: right after the start. Again: median of {REPEATS}.",
        "Processor: what the server's processes computed meanwhile, also on a busy machine.",
    ]
    if page[0] is None:
        notes.append("No Chromium or no Playwright here: the page was not opened.")
    columns = ("what", "first s", "again s", "of it processor s")
    return Outcome((Table(f"{RUNS[size]} runs in {kind}", columns, rows),), tuple(notes))


def _write(tracking: Tracking, count: int) -> float:
    """Write runs as a study's launcher would; give the seconds."""
    space = SearchSpace((load_space(ROOT / "search_spaces" / "cnn.yaml"),))
    names = [node.name for node in space.common]
    tracking.describe_experiment("Runs to measure with.", views(True, names, ["learning_rate"]))
    parent = tracking.study_run("bench", {})
    data = DatasetTag("katg", "0123456789abcdef", "simulated", '{"num_rows": 1800}')
    rng = np.random.default_rng(1)
    tracking.log_dataset(parent, data)
    begun = time.perf_counter()
    for number in range(count):
        score, pruned = float(rng.uniform(0.6, 0.99)), number % 4 != 0
        steps = range(1, 5 if pruned else EPOCHS + 1)
        curve = [(step, score * (1 - 0.5**step)) for step in steps]
        losses = ("train_loss", "valid_loss", "train_accuracy", "valid_accuracy", "epoch_seconds")
        curves = dict.fromkeys(("score", *losses), curve)
        curves |= {f"score.fold{fold + 1}": curve for fold in range(FOLDS)}
        state = "pruned" if pruned else "complete"
        tags = {
            "stage": "search",
            "model": "cnn",
            "worker": "host:1",
            "device": "CPU",
            "trial": f"bench {number}",
            "state": state,
            "reason": state,
            "compiled_function": "reused",
            **{f"seconds.{part}": "1.000" for part in ("train", "predict", "log", "wait")},
        }
        now = int(time.time() * 1000)
        tracking.write_past(
            parent,
            PastRun(
                name=f"trial {number:04d} cnn",
                params=space.draw(rng),
                tags=tags,
                curves={**curves, "cv_score": [(len(curve), score)]},
                status="FINISHED",
                started=now,
                ended=now + 1000,
                dataset=data,
            ),
        )
    return time.perf_counter() - begun


def _copy(uri: str, count: int) -> None:
    """Copy the written runs until there are `count`; each copy scores a little less."""
    engine = sqlalchemy.create_engine(uri)
    if uri.startswith("sqlite"):
        sqlalchemy.event.listen(engine, "connect", _hasty)
    known = sqlalchemy.MetaData()
    known.reflect(engine, only=list(OWNERS))
    with engine.begin() as connection:
        for copy in range(1, count // WRITTEN):
            for name, owners in OWNERS.items():
                table = known.tables[name]
                values = [_copied(column, owners, copy) for column in table.columns]
                chosen = sqlalchemy.select(*values)
                if name == "input_tags":
                    chosen = chosen.where(~table.c.input_uuid.like("0000%"))
                elif name == "inputs":
                    chosen = chosen.where(~table.c.destination_id.like("0000%"))
                else:
                    chosen = chosen.where(~table.c.run_uuid.like("0000%"))
                connection.execute(table.insert().from_select(list(table.columns), chosen))
    engine.dispose()


def _hasty(connection: Any, _record: Any) -> None:
    """Let SQLite fill a file that nobody will miss without waiting for the disk."""
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA cache_size=-200000")


def _copied(column: Any, owners: tuple[str, ...], copy: int) -> Any:
    """What a copy has in a column: a name of its own, a score of its own, else the same."""
    if column.name in owners:
        return (sqlalchemy.literal(f"0000{copy:04x}") + sqlalchemy.func.substr(column, 9)).label(
            column.name
        )
    if column.name == "value" and column.table.name == "latest_metrics":
        return (column * (1 - copy / 1000)).label("value")
    return column


@contextmanager
def _served(root: Path, uri: str) -> Iterator[tuple[str, float, int]]:
    """``geno-hpo ui`` over the store: address, seconds until it answered, and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "geno_hpo", "ui", "--root", str(root), "--port", str(port)]
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri, "PYTHONPATH": paths}
    begun = time.perf_counter()
    log = root / "ui.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(command, env=environment, stdout=stream, stderr=stream)
    try:
        while process.poll() is None and time.perf_counter() - begun < START_SECONDS:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except OSError:
                time.sleep(0.2)
        else:
            raise RuntimeError(f"geno-hpo ui did not start: {log.read_text()}")
        yield address, time.perf_counter() - begun, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _processor(parent: int) -> float:
    """Processor seconds that a process and all below it have used (Linux)."""
    used, new = 0.0, {parent}
    told = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat")]
    rows = [(line.partition(" ")[0], line.rpartition(")")[2].split()) for line in told]
    known = {int(number): fields for number, fields in rows}
    while new:
        ticks = [int(known[each][11]) + int(known[each][12]) for each in new if each in known]
        used += sum(ticks) / os.sysconf("SC_CLK_TCK")
        new = {number for number, fields in known.items() if int(fields[1]) in new}
    return used


def _times(act: Callable[[], None], server: int) -> tuple[float, float, float]:
    """Seconds of an act the first time and again, and the server's processor seconds of it."""
    walls, used = [], []
    for _ in range(1 + REPEATS):
        before, begun = _processor(server), time.perf_counter()
        act()
        walls.append(time.perf_counter() - begun)
        used.append(_processor(server) - before)
    return walls[0], statistics.median(walls[1:]), statistics.median(used[1:])


def _searches(
    address: str, experiment: str, server: int
) -> Iterator[tuple[str, float, float, float]]:
    """Seconds of each search."""
    for name, (chosen, order) in SEARCHES.items():
        body = {
            "experiment_ids": [experiment],
            "filter": chosen,
            "order_by": order,
            "max_results": 100,
        }
        yield name, *_times(partial(_asked, address, body), server)


def _asked(address: str, body: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{address}/ajax-api/2.0/mlflow/runs/search",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as answer:
        if not json.load(answer).get("runs"):
            raise RuntimeError(f"no run was found by {body['filter']}")


def _page(address: str, server: int) -> tuple[float | None, float | None, float | None]:
    """Seconds until the page shows its first trial, in a fresh browser and again."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None or find_spec("playwright") is None:
        return None, None, None
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        opened = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = opened.new_page()

        def look() -> None:
            page.goto("about:blank")
            page.goto(address)
            page.get_by_text("trial 0").first.wait_for(timeout=300_000)

        times = _times(look, server)
        opened.close()
    return times
