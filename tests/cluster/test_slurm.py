"""The array that `geno-hpo launch --slurm` submits, on a real Slurm: cancelled, requeued, done."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import TrialState

from geno_hpo.study.slurm import SlurmJob, submit
from tests.cluster.servers import Postgres
from tests.cluster.slurm import Slurm, missing
from tests.cluster.test_shared import crowd, tell

pytestmark = pytest.mark.cluster


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch) -> Iterator[Slurm]:
    if missing():
        pytest.skip(missing())
    cluster = Slurm()
    for key, value in cluster.environment.items():
        monkeypatch.setenv(key, value)
    yield cluster
    cluster.close()


def test_an_array_is_cancelled_and_requeued_and_nothing_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres, slurm: Slurm
) -> None:
    with crowd(tmp_path, monkeypatch, trials=12, epochs=20, url=postgres.database()) as study:
        monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))
        plan = study.launch.plan
        (plan.work / "logs").mkdir(parents=True, exist_ok=True)
        crew = SlurmJob(study.root, plan.key, workers=3).crew
        real = f"{sys.executable} -m geno_hpo worker tiny --stay --threads 1 --root"
        assert real in crew
        double = f"{sys.executable} -m tests.cluster.double --epoch-seconds 0.5 --lease-seconds 5"
        job = submit(crew.replace(real, double))
        study.await_state(TrialState.RUNNING, 3, 300)
        before = slurm.say("squeue", "-h", "-o", "%i %T %N")
        slurm.say("scancel", f"{job}_0")
        slurm.say("scontrol", "requeue", f"{job}_1")
        time.sleep(3)
        after = slurm.say("squeue", "-h", "-o", "%i %T %N")
        deadline = time.monotonic() + 300
        while study.networks.tally()[TrialState.COMPLETE] < 12:
            assert time.monotonic() < deadline, study.networks.tally()
            time.sleep(0.5)
        while slurm.say("squeue", "-h", "-o", "%i").strip():
            assert time.monotonic() < deadline, slurm.say("squeue")
            time.sleep(0.5)
        logs = {p.name: p.read_text() for p in sorted((plan.work / "logs").glob("slurm-*"))}
        assert study.networks.tally() == {TrialState.COMPLETE: 12}
        cancelled = logs[f"slurm-worker-{job}_0.log"]
        assert "given back: it was interrupted" in cancelled
        assert cancelled.count("worker ends") == 1, "a cancelled task is not queued again"
        jobs = {str(t.system_attrs["lease"]["job"]) for t in study.networks.trials()}
        assert jobs <= {f"{job}_0", f"{job}_1", f"{job}_2"}
        resumed = sum(bool(t.user_attrs["notes"]) for t in study.networks.trials())
        tell(
            f"Slurm | array {job}: [{'; '.join(before.split(chr(10))[:-1])}] after scancel of 0 "
            f"and requeue of 1: [{'; '.join(after.split(chr(10))[:-1])}]; 12 of 12 complete, "
            f"{resumed} went on from a checkpoint; the cancelled task said: "
            + cancelled.strip().replace("\n", " / ")
        )
