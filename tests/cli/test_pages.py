"""Pages that people look at, in a real browser: MLflow's over finished studies, and Optuna's."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from geno_hpo.report.publish import publish
from geno_hpo.study.finished import Finished
from geno_hpo.study.parent import tracking_of
from tests.cluster.servers import free_port

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATIENCE = 240_000
"""Milliseconds that a page may take on a busy machine."""
QUIET = """
localStorage.setItem("mlflow.assistant.panelOpen_v1", "false");
localStorage.setItem("mlflow.assistant.fab.autoOpenedOnFirstLoad_v1", "true");
"""
"""Keeps MLflow's assistant from covering a part of the page."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium on this machine")
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 850})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(QUIET)
    yield context.new_page()
    context.close()


@contextmanager
def served(command: str, root: Path, probe: str) -> Iterator[str]:
    """A page of ``geno-hpo``, from its first answer until SIGTERM; nothing of it may be left."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "geno_hpo", command, "--root", str(root), "--port", str(port)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE / 1000
        while True:
            try:
                urllib.request.urlopen(f"{address}{probe}", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, process.communicate()[0]
                assert time.monotonic() < deadline
                time.sleep(0.5)
        group = children(process.pid)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    left = [each for each in group if Path(f"/proc/{each}").exists()]
    assert not left, f"processes that outlived the page: {left}"


def children(parent: int) -> list[int]:
    """All processes below one."""
    table = subprocess.run(
        ["ps", "-e", "-o", "pid=,ppid="], capture_output=True, text=True, check=True
    ).stdout
    pairs = [tuple(map(int, line.split())) for line in table.splitlines()]
    found, new = [], [parent]
    while new:
        new = [pid for pid, above in pairs if above in new]
        found += new
    return found


@pytest.fixture(scope="module")
def published(studies: dict[str, Finished]) -> Finished:
    """A study whose report is drawn, kept with MLflow, and whose model is registered."""
    publish(studies["drugs"].plan.project, "drugs")
    return studies["drugs"]


@pytest.fixture(scope="module")
def mlflow_page(published: Finished) -> Iterator[str]:
    with served("ui", published.plan.project.root, "/health") as address:
        yield address


def test_from_the_list_of_studies_to_the_leaderboard(
    mlflow_page: str, published: Finished, page: Any
) -> None:
    plan = published.plan
    page.goto(f"{mlflow_page}/#/experiments?workflowType=machine_learning")
    page.get_by_role("link", name=plan.config.name, exact=True).first.click()
    page.get_by_text(plan.config.question).first.wait_for()
    run = str(published.record.get("mlflow_run"))
    experiment = tracking_of(plan).experiment_id
    page.goto(f"{mlflow_page}/#/experiments/{experiment}/runs/{run}")
    page.get_by_text(f"cross-validated {plan.metric}").first.wait_for()
    page.get_by_role("link", name="Report", exact=True).wait_for()
    page.get_by_text("data_fingerprint").first.wait_for()


def test_the_table_of_trials_is_sorted_by_score(
    mlflow_page: str, published: Finished, page: Any
) -> None:
    tracking = tracking_of(published.plan)
    trials = published.pools["network"].trials()
    complete = [trial for trial in trials if trial.value is not None]
    best_first = sorted(complete, key=lambda trial: -float(trial.value or 0.0))
    page.goto(f"{mlflow_page}/{tracking.trials_page}")
    names = re.compile(r"^trial (\d{4}) \w+$")
    page.get_by_role("link", name=names).first.wait_for()
    shown = page.get_by_role("link", name=names).all_inner_texts()
    numbers = [int(found[1]) for text in shown if (found := names.match(text.strip()))]
    assert numbers[: len(best_first)] == [trial.number for trial in best_first]
    page.get_by_role("columnheader", name="cv_score").first.wait_for()
    page.get_by_role("columnheader", name="state").first.wait_for()


def test_trials_are_compared_side_by_side(mlflow_page: str, published: Finished, page: Any) -> None:
    tracking = tracking_of(published.plan)
    page.goto(f"{mlflow_page}/{tracking.charts_page}")
    page.get_by_text("Trials of the search").first.wait_for()
    page.locator(".js-plotly-plot, .parcoords").first.wait_for()
    runs = tracking.client.search_runs(
        [tracking.experiment_id], "tags.stage = 'search' and tags.state = 'complete'"
    )
    ids = json.dumps([run.info.run_id for run in runs])
    experiments = json.dumps([tracking.experiment_id])
    page.goto(f"{mlflow_page}/#/compare-runs?runs={ids}&experiments={experiments}")
    page.get_by_text("Parallel Coordinates Plot").first.wait_for()
    page.get_by_text("Contour Plot").first.wait_for()


def test_the_winner_is_a_registered_model(mlflow_page: str, published: Finished, page: Any) -> None:
    page.goto(f"{mlflow_page}/#/models/{published.plan.config.name}")
    page.get_by_text("Version 1").first.wait_for()
    page.get_by_text("candidate").first.wait_for()
    assert page.get_by_text("champion", exact=True).count() == 0


def test_optunas_dashboard_shows_the_same_trials(studies: dict[str, Finished], page: Any) -> None:
    pytest.importorskip("optuna_dashboard", reason="optuna-dashboard is not installed")
    with served("dashboard", studies["drugs"].plan.project.root, "/api/studies") as address:
        page.goto(f"{address}/dashboard")
        page.get_by_text(re.compile(r"^\d+\. drugs$")).first.click()
        page.wait_for_url("**/dashboard/studies/*")
        page.get_by_text("Include PRUNED trials").first.wait_for()


def test_mlflow_answers_raw_rows_from_a_file(published: Finished, tmp_path: Path) -> None:
    tracking = tracking_of(published.plan)
    version = tracking.client.get_model_version_by_alias("drugs", "candidate")
    assert str(version.version) == "1"
    from tests.bundle.studies import reference

    letters = reference()
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join([",".join(letters), ",".join(letters.values())]) + "\n")
    answers = tmp_path / "answers.json"
    asked = [sys.executable, "-m", "mlflow", "models", "predict", "-m", "models:/drugs@candidate"]
    asked += ["--env-manager", "local", "-t", "csv", "-i", str(rows), "-o", str(answers)]
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": tracking.uri,
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    ended = subprocess.run(asked, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    (told,) = json.loads(answers.read_text())["predictions"]
    assert set(told) == {
        f"{drug}{part}" for drug in ("inh", "rif") for part in ("", ".spread", ".call")
    }
    assert 0.0 <= told["inh"] <= 1.0
