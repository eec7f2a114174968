"""What `geno-hpo launch --slurm` submits, on a real Slurm: cancelled, requeued, short of time."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from geno_hpo.cli.app import app
from geno_hpo.study.slurm import SlurmJob, submit
from geno_hpo.study.status import read_status
from tests.cluster.crowd import PATIENCE, crowd, tell
from tests.cluster.servers import PASSWORD, MLflow, Postgres
from tests.cluster.slurm import Slurm, missing
from tests.conftest import write_project

pytestmark = pytest.mark.cluster
HERE = Path(__file__).parents[2]


def doubled(script: str, epoch_seconds: float) -> str:
    """A script whose workers are doubles."""
    real = f"{sys.executable} -m geno_hpo worker tiny --stay --threads 1 --root"
    double = f"{sys.executable} -m tests.cluster.double --epoch-seconds {epoch_seconds} "
    assert real in script
    return script.replace(real, f"{double}--lease-seconds 5")


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
        monkeypatch.setenv("PYTHONPATH", str(HERE))
        plan = study.launch.plan
        (plan.work / "logs").mkdir(parents=True, exist_ok=True)
        crew = SlurmJob(study.root, plan.key, workers=3).crew
        job = submit(doubled(crew, 0.5))
        study.await_state(TrialState.RUNNING, 3)
        before = slurm.say("squeue", "-h", "-o", "%i %T %N")
        slurm.say("scancel", f"{job}_0")
        slurm.say("scontrol", "requeue", f"{job}_1")
        time.sleep(3)
        after = slurm.say("squeue", "-h", "-o", "%i %T %N")
        deadline = time.monotonic() + PATIENCE
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


def test_a_worker_whose_time_is_nearly_up_is_queued_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres, slurm: Slurm
) -> None:
    with crowd(tmp_path, monkeypatch, trials=6, epochs=20, url=postgres.database()) as study:
        monkeypatch.setenv("PYTHONPATH", str(HERE))
        plan = study.launch.plan
        (plan.work / "logs").mkdir(parents=True, exist_ok=True)
        crew = SlurmJob(study.root, plan.key, workers=1, time="60").crew
        job = submit(doubled(crew, 0.5))
        study.await_state(TrialState.COMPLETE, 2)
        study.await_state(TrialState.RUNNING, 1)
        # What `--signal=B:USR1@90` lets Slurm send 90 s before the limit.
        slurm.say("scancel", "--batch", "--signal=USR1", f"{job}_0")
        study.await_state(TrialState.COMPLETE, 6)
        deadline = time.monotonic() + PATIENCE
        while slurm.say("squeue", "-h", "-o", "%i").strip():
            assert time.monotonic() < deadline, slurm.say("squeue")
            time.sleep(0.5)
        words = (plan.work / "logs" / f"slurm-worker-{job}_0.log").read_text()
        assert study.networks.tally() == {TrialState.COMPLETE: 6}
        assert words.count("given back: it was interrupted") == 1
        assert words.count("worker ends") == 2, "it was queued again and went on"
        (resumed,) = (t for t in study.networks.trials() if t.user_attrs["notes"])
        tell(
            f"Slurm, time nearly up | the worker gave trial {resumed.number} back, was queued "
            f"again, and the trial was {resumed.user_attrs['notes'][0]}; 6 of 6 complete"
        )


def files_of(*folders: Path) -> list[Path]:
    return [path for folder in folders for path in folder.rglob("*") if path.is_file()]


def test_a_whole_study_is_launched_loses_its_leader_and_ends_with_its_report(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres: Postgres,
    mlflow_server: MLflow,
    slurm: Slurm,
) -> None:
    root = write_project(tmp_path / "project")
    monkeypatch.setenv("GENO_HPO_STORAGE", postgres.database())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", mlflow_server.url)
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    began = time.monotonic()
    told = CliRunner().invoke(
        app, ["launch", "tiny", "--slurm", "--workers", "2", "--root", str(root)]
    )
    assert told.exit_code == 0, told.output
    leader, crew = told.output.removeprefix("submitted: ").partition(";")[0].split(", ")
    logs = root / "mlruns" / "work" / "tiny" / "logs"

    def words() -> str:
        return "\n".join(path.read_text() for path in sorted(logs.glob("slurm-*")))

    requeued, seen = False, set[bytes]()
    deadline = time.monotonic() + 2 * PATIENCE
    while slurm.say("squeue", "-h", "-o", "%i").strip():
        assert time.monotonic() < deadline, words()
        if not requeued and "tiny trial 0 complete" in words():
            slurm.say("scontrol", "requeue", leader)
            requeued = True
        seen |= command_lines()
        time.sleep(0.5)
    seconds = time.monotonic() - began
    assert requeued, words()
    assert (root / "reports" / "tiny" / "report.html").exists(), words()
    status = read_status(root, "tiny")
    assert status.phase == "done"
    assert not status.workers
    parts = {part.part: part for part in status.progress.parts}
    assert (parts["network"].complete, parts["ridge"].complete) == (4, 2)
    assert not any(part.running + part.waiting for part in status.progress.parts)

    password = PASSWORD.encode()
    assert any(b"geno_hpo" in line and b"worker" in line for line in seen)
    assert not any(password in line for line in seen if b"geno_hpo" in line)
    written = files_of(root, tmp_path / "mlflow")
    assert not [path for path in written if password in path.read_bytes()]
    assert not [path for path in written if holds_pickle(path)]
    tell(
        f"Slurm, whole study | launched by one command: leader {leader}, array {crew}; leader "
        f"requeued in mid-search; report drawn after {seconds:.0f} s, 4 of 4 networks, 2 of 2 "
        f"ridges, phase done; {len(written)} files: no password, no pickle"
    )


def command_lines() -> set[bytes]:
    """What the list of processes shows now."""
    found = set[bytes]()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.add(path.read_bytes())
    return found


def holds_pickle(path: Path) -> bool:
    """Whether loading a file could run something."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return any(arrays[name].dtype.hasobject for name in arrays.files)
    if path.suffix == ".npy":
        return bool(np.load(path, allow_pickle=False).dtype.hasobject)
    with path.open("rb") as stream:
        start = stream.read(2)
    protocols = (b"\x02", b"\x03", b"\x04", b"\x05")
    return path.suffix in (".pkl", ".joblib") or (start[:1] == b"\x80" and start[1:] in protocols)
