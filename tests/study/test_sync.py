"""MLflow is lost, and written again from the trial storage."""

from __future__ import annotations

from typing import Any

import pytest

from geno_hpo.study.finished import Finished
from geno_hpo.study.sync import Synced, sync_runs
from geno_hpo.tracking import Tracking


def runs_of(finished: Finished) -> dict[str, Any]:
    """Runs of the study's trials by their tag."""
    project = finished.plan.project
    tracking = Tracking(project.tracking_uri, project.mlruns / "artifacts", "trait")
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
            {key: run.data.tags[key] for key in ("stage", "state", "model", "reason")},
            {name: round(value, 5) for name, value in run.data.metrics.items()},
            curves[run.data.tags["trial"]],
        )
        for run in runs
    }


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
