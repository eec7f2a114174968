"""Servers and disks that are away for a while."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from geno_hpo.study.mend import mend_runs
from tests.cluster.crowd import crowd, tell
from tests.cluster.servers import PASSWORD, MLflow, Postgres

pytestmark = pytest.mark.cluster


def test_postgresql_away_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    with crowd(tmp_path, monkeypatch, trials=30, epochs=20, url=postgres.database()) as study:
        for _ in range(3):
            study.start("--epoch-seconds", "0.1", "--lease-seconds", "5")
        study.await_state(TrialState.COMPLETE, 3)
        postgres.stop()
        time.sleep(15)
        postgres.start()
        study.await_end()
        study.join()
        assert study.networks.tally() == {TrialState.COMPLETE: 30}
        assert all(
            len(t.intermediate_values) == t.user_attrs["epochs"] for t in study.networks.trials()
        )
        assert set(study.runs().values()) == {"complete"}
        assert "waiting for the storage" in study.logs()
        assert PASSWORD not in study.logs()
        tell(
            "PostgreSQL away 15 s | 3 workers waited and went on: 30 of 30 complete, no epoch "
            "missing; their words: "
            + next(x for x in study.logs().splitlines() if x.startswith("waiting for the storage"))
        )


def test_mlflow_away_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mlflow_server: MLflow
) -> None:
    with crowd(tmp_path, monkeypatch, trials=12, epochs=20, mlflow=mlflow_server.url) as study:
        for _ in range(2):
            study.start("--epoch-seconds", "0.2", "--lease-seconds", "10")
        study.await_state(TrialState.COMPLETE, 2)
        mlflow_server.stop()
        time.sleep(15)
        mlflow_server.start()
        study.await_end()
        study.join()
        assert study.networks.tally() == {TrialState.COMPLETE: 12}
        assert set(study.runs().values()) == {"complete"}
        tracking = study.tracking()
        runs = {run.data.tags["trial"]: run for run in tracking.runs_below(study.parent)}
        assert len(runs) == 12
        for trial in study.networks.trials():
            run = runs[f"tiny {trial.number}"]
            history = tracking.client.get_metric_history(run.info.run_id, "score")
            assert {m.step: m.value for m in history} == trial.intermediate_values
        tell("MLflow away 15 s | 12 of 12 complete, 12 runs, every epoch's score arrived once")


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as stream:
        while True:
            stream.write(b"0" * 4096)


def test_a_disk_that_is_full_for_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with crowd(disk, monkeypatch, trials=16, epochs=20) as study:
            for _ in range(2):
                study.start("--epoch-seconds", "0.2", "--lease-seconds", "10")
            study.await_state(TrialState.COMPLETE, 2)
            filler = disk / "filler"
            with pytest.raises(OSError, match="No space left"):
                fill(filler)
            time.sleep(12)
            full = study.networks.tally()[TrialState.COMPLETE]
            filler.unlink()
            study.await_end()
            study.join()
            assert study.networks.tally() == {TrialState.COMPLETE: 16}
            mend_runs(study.launch.plan, study.pools, study.tracking(), study.parent)
            assert set(study.runs().values()) == {"complete"}
            tell(
                f"disk full 12 s | {full} trials complete while it was full; 16 of 16 complete "
                "afterwards, 16 runs"
            )
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
