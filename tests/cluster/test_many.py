"""Many workers on one storage: rate, and no lock that reaches a user."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from optuna.trial import TrialState

from tests.cluster.crowd import crowd, tell

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize(
    ("workers", "trials", "kind"), [(8, 1000, "postgresql"), (16, 400, "sqlite")]
)
def test_many_trivial_trials(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
    workers: int,
    trials: int,
    kind: str,
) -> None:
    url = request.getfixturevalue("postgres").database() if kind == "postgresql" else ""
    with crowd(tmp_path, monkeypatch, trials=trials, epochs=1, url=url) as study:
        began = time.monotonic()
        for _ in range(workers):
            study.start("--lease-seconds", "60", "--checkpoint-seconds", "60")
        study.await_end()
        seconds = time.monotonic() - began
        study.join()
        assert study.networks.tally() == {TrialState.COMPLETE: trials}
        numbers = [t.number for t in study.networks.trials()]
        assert numbers == list(range(trials))
        logs = study.logs()
        assert "locked" not in logs
        assert "Traceback" not in logs
        assert "eadlock" not in logs
        tell(
            f"many trials | {kind}: {trials} trials by {workers} processes in {seconds:.0f} s, "
            f"{trials / seconds:.1f} a second with start-up and MLflow; no lock, no deadlock"
        )
