"""MLflow for real, on SQLite: runs, batches, failures of the store."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from geno_hpo.errors import InputError, StorageError
from geno_hpo.tracking import DatasetTag, RunLog, Tracking, Writer, views
from geno_hpo.tracking.system import measuring

KATG = DatasetTag("katg", "abc", "simulated", "{}")


@pytest.fixture(scope="module")
def tracking(tmp_path_factory: pytest.TempPathFactory) -> Tracking:
    folder = tmp_path_factory.mktemp("mlruns")
    return Tracking(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts", "inh")


def test_a_trial_is_logged_whole(tracking: Tracking, tmp_path: Path) -> None:
    parent = tracking.study_run("inh", {"simulated": "true"})
    writer = Writer(tracking.client, interval=0.05)
    params = {"family": "cnn", "learning_rate": 0.001}
    log = RunLog(
        tracking,
        writer,
        "trial 0001 cnn",
        parent=parent,
        params=params,
        tags={"stage": "search"},
        dataset=KATG,
    )
    for epoch in range(1, 4):
        log.log(epoch, {"score": 0.5 + epoch / 10, "train_accuracy": float("nan")})
    note = tmp_path / "note.txt"
    note.write_text("kept")
    log.artifact(note)
    log.end("FINISHED", {"state": "complete"})
    writer.close()
    (run,) = tracking.client.search_runs([tracking.experiment_id], "tags.stage = 'search'")
    assert run.info.run_name == "trial 0001 cnn"
    assert run.info.status == "FINISHED"
    assert run.data.params == {"family": "cnn", "learning_rate": "0.001"}
    assert run.data.tags["mlflow.parentRunId"] == parent
    assert run.data.tags["state"] == "complete"
    (seen,) = run.inputs.dataset_inputs
    assert (seen.dataset.name, seen.dataset.digest) == ("katg", "abc")
    assert [(tag.key, tag.value) for tag in seen.tags] == [("mlflow.data.context", "training")]
    assert "train_accuracy" not in run.data.metrics, "values that are not finite are left out"
    history = tracking.client.get_metric_history(run.info.run_id, "score")
    assert [(m.step, round(m.value, 1)) for m in history] == [(1, 0.6), (2, 0.7), (3, 0.8)]
    assert [f.path for f in tracking.client.list_artifacts(run.info.run_id)] == ["note.txt"]


def test_a_discarded_run_is_gone_and_a_lost_attempt_is_replaced(tracking: Tracking) -> None:
    parent = tracking.study_run("swept", {})
    writer = Writer(tracking.client, interval=0.05)
    log = RunLog(tracking, writer, "trial 1", parent=parent, params={}, tags={"stage": "gone"})
    log.log(1, {"score": 0.5})
    log.discard()
    tags = {"stage": "lost", "trial": "inh 2"}
    tracking.start_run("killed", parent=parent, tags=tags)
    RunLog(tracking, writer, "again", parent=parent, params={}, tags=tags, again=True)
    writer.close()
    assert not tracking.client.search_runs([tracking.experiment_id], "tags.stage = 'gone'")
    (run,) = tracking.client.search_runs([tracking.experiment_id], "tags.stage = 'lost'")
    assert run.info.run_name == "again"


def test_an_archived_experiment_comes_back_without_what_was_discarded(tmp_path: Path) -> None:
    place = (f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts", "inh")
    tracking = Tracking(*place)
    kept = tracking.study_run("inh", {})
    tracking.delete(tracking.start_run("lost", parent=kept, tags={"trial": "inh 1"}))
    tracking.archive()
    assert not [each for each in tracking.client.search_experiments() if each.name == "inh"]
    again = Tracking(*place)
    assert again.experiment_id == tracking.experiment_id
    (run,) = again.client.search_runs([again.experiment_id])
    assert run.info.run_id == kept


def test_the_study_run_is_found_again(tracking: Tracking) -> None:
    import mlflow.data

    first = tracking.study_run("again", {"verdict": "none yet"})
    tracking.finish(first)
    assert tracking.study_run("again", {"verdict": "better"}) == first
    run = tracking.client.get_run(first)
    assert run.info.status == "RUNNING"
    assert run.data.tags["verdict"] == "better"
    tracking.describe(first, note="# Answer", metrics={"test.cnn": 0.97}, params={"folds": 5})
    tracking.log_dataset(first, KATG)
    run = tracking.client.get_run(first)
    assert run.data.tags["mlflow.note.content"] == "# Answer"
    seen = run.inputs.dataset_inputs[0]
    assert seen.dataset.digest == "abc"
    source = mlflow.data.get_source(seen.dataset)
    assert source.to_dict() == {"tags": {"mlflow.source.name": "simulated"}}


def test_many_metrics_go_in_few_calls(tracking: Tracking, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = tracking.study_run("calls", {})
    calls: list[int] = []
    send = tracking.client.log_batch

    def counted(run_id: str, **batch: Any) -> None:
        calls.append(len(batch["metrics"]))
        send(run_id, **batch)

    monkeypatch.setattr(tracking.client, "log_batch", counted)
    writer = Writer(tracking.client, interval=60.0)
    log = RunLog(tracking, writer, "long", parent=parent, params={"a": 1}, tags={})
    for epoch in range(300):
        log.log(epoch, {f"m{i}": 0.5 for i in range(4)})
    log.end("FINISHED", {})
    writer.close()
    assert sum(calls) == 1200
    assert len(calls) <= 3


class FlakyClient:
    """Fails a number of times, then keeps what it is given."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.kept: list[str] = []

    def keep(self, word: str) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the store is away")
        self.kept.append(word)


def test_a_store_that_comes_back_loses_nothing() -> None:
    client = FlakyClient(failures=2)
    writer = Writer(client, interval=0.01)
    for word in ("first", "second"):
        writer.submit(lambda word=word: client.keep(word))
    writer.close()
    assert client.kept == ["first", "second"]


def test_a_store_that_stays_away_is_told() -> None:
    client = FlakyClient(failures=10**6)
    writer = Writer(client, interval=0.01, patience=0.1)
    writer.submit(lambda: client.keep("lost"))
    with pytest.raises(StorageError, match=r"could not be written.*the store is away"):
        writer.close()
    with pytest.raises(StorageError, match="the store is away"):
        writer.submit(lambda: None)


def test_a_store_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StorageError, match="the tracking store cannot be opened"):
        Tracking(f"sqlite:///{tmp_path}/file/mlflow.db", None, "inh")


def test_a_fresh_database_that_could_not_be_made_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def give_out(self: Tracking) -> str:
        raise OSError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(Tracking, "_experiment", give_out)
        with pytest.raises(StorageError, match="database or disk is full"):
            Tracking(f"sqlite:///{tmp_path}/mlflow.db", None, "inh")
    assert not (tmp_path / "mlflow.db").exists()


def test_views_name_the_trials_by_score(tracking: Tracking) -> None:
    tracking.describe_experiment("Which?", views(False, ["kernel", "l2"], ["l2"]))
    experiment = tracking.client.get_experiment(tracking.experiment_id)
    assert experiment.tags["mlflow.note.content"] == "Which?"
    table = json.loads(experiment.tags["mlflow.sharedViewState.trials"])
    assert (table["orderByKey"], table["orderByAsc"]) == ("metrics.`cv_score`", True)
    assert "params.`l2`" in table["selectedColumns"]
    charts = json.loads(experiment.tags["mlflow.sharedViewState.charts"])["compareRunCharts"]
    assert charts[0]["selectedParams"] == ["kernel", "l2"]
    assert len({card["uuid"] for card in charts}) == len(charts)
    assert tracking.trials_page.endswith("&viewStateShareKey=trials")


def test_a_machine_is_measured_by_one_process_where_it_is_asked_for(
    tracking: Tracking, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psutil")
    parent = tracking.study_run("busy", {})
    with measuring(tracking.uri, parent, tmp_path) as measures:
        assert not measures, "nobody asked"
    monkeypatch.setenv("MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING", "true")
    monkeypatch.setenv("MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL", "0.1")
    with (
        measuring(tracking.uri, parent, tmp_path) as measures,
        measuring(tracking.uri, parent, tmp_path) as second,
    ):
        assert (measures, second) == (True, False)
        deadline = time.monotonic() + 60
        found: set[str] = set()
        while not found and time.monotonic() < deadline:
            time.sleep(0.1)
            found = set(tracking.client.get_run(parent).data.metrics)
    assert any(name.endswith("/cpu_utilization_percentage") for name in found)
    monkeypatch.setattr("geno_hpo.tracking.system.find_spec", lambda _: None)
    with (
        pytest.raises(InputError, match="system metrics need psutil"),
        measuring(tracking.uri, parent, tmp_path),
    ):
        pass
