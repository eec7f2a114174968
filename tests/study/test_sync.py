"""MLflow is lost, and written again from the trial storage."""

from __future__ import annotations

from typing import Any

import pytest

from geno_hpo.study.finished import Finished
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.sync import Synced, sync_runs

TAGS = ("stage", "state", "model", "reason", "worker", "device", "compiled_function", "computed")


def runs_of(finished: Finished) -> dict[str, Any]:
    """Runs of the study's trials by their tag."""
    tracking = tracking_of(finished.plan)
    runs = tracking.client.search_runs([tracking.experiment_id], "tags.trial LIKE 'trait%'")
    curves = {
        run.data.tags["trial"]: [
            (each.step, round(each.value, 5))
            for each in tracking.client.get_metric_history(run.info.run_id, "valid_loss")
        ]
        for run in runs
    }
    return {
        run.data.tags["trial"]: (
            run.info.run_name,
            run.info.status,
            run.data.params,
            {key: run.data.tags.get(key) for key in TAGS},
            {name: round(value, 5) for name, value in run.data.metrics.items()},
            curves[run.data.tags["trial"]],
        )
        for run in runs
    }


def test_a_studys_run_keeps_what_it_rests_on(studies: dict[str, Finished]) -> None:
    finished = studies["trait"]
    tracking = tracking_of(finished.plan)
    run = tracking.client.get_run(str(finished.record.get("mlflow_run")))
    assert "Do letters tell the yield?" in run.data.tags["mlflow.note.content"]
    assert run.data.tags["mlflow.source.name"] == "geno-hpo"
    kept = {each.path for each in tracking.client.list_artifacts(run.info.run_id, "study")}
    assert {"study/trait.yaml", "study/packages.txt", "study/search_spaces"} <= kept
    (seen,) = run.inputs.dataset_inputs
    assert seen.dataset.digest == finished.prepared.dataset.fingerprint
    below = tracking.runs_below(run.info.run_id)
    assert {each.inputs.dataset_inputs[0].dataset.digest for each in below} == {seen.dataset.digest}
    assert {each.data.tags["device"] for each in below} == {"CPU"}


def test_lost_runs_come_back(studies: dict[str, Finished], monkeypatch: pytest.MonkeyPatch) -> None:
    finished = studies["trait"]
    project = finished.plan.project
    before = runs_of(finished)
    assert len(before) >= 2 + 2, "trials and restarts"
    assert sync_runs(project, "trait") == Synced(0, len(before))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project.mlruns / 'other.db'}")
    assert sync_runs(project, "trait") == Synced(len(before), 0)
    after = runs_of(finished)
    assert after.keys() == before.keys()
    for trial, (*told, metrics, curve) in after.items():
        *was, old_metrics, old_curve = before[trial]
        assert told == was
        assert curve == old_curve
        assert metrics.items() <= old_metrics.items()
    assert sync_runs(project, "trait") == Synced(0, len(before))
