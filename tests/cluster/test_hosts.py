"""Two hosts that share a database and a folder, but neither clock nor cable."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.study.commands import ask
from geno_hpo.study.lease import LEASE, Lease
from tests.cluster.crowd import PATIENCE, Crowd, crowd, tell
from tests.cluster.hosts import NETWORK, Host, missing
from tests.cluster.servers import Postgres

pytestmark = pytest.mark.cluster


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    if missing():
        pytest.skip(missing())
    made = [Host(1), Host(2, clock=-120)]
    yield made[0], made[1]
    for host in made:
        host.close()


def host_of(trial: FrozenTrial) -> str:
    return str(trial.user_attrs["worker"]).rpartition(":")[0]


def lost(trial: FrozenTrial) -> int:
    return Lease.read(trial.system_attrs[LEASE]).lost


def await_epochs(study: Crowd, host: Host) -> int:
    """Number of a trial of which a host has told some epochs and has some to go."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for trial in study.networks.trials():
            early = 2 <= (trial.last_step or 0) <= 10
            if trial.state == TrialState.RUNNING and early and host_of(trial) == host.name:
                return int(trial.number)
        time.sleep(0.1)
    raise AssertionError(study.logs())


def test_leases_hold_between_hosts_whose_clocks_differ_and_end_with_the_cable(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    postgres: Postgres,
    hosts: tuple[Host, Host],
) -> None:
    near, far = hosts
    postgres.listen([host.gateway for host in hosts], NETWORK)
    url = postgres.database()
    with crowd(tmp_path, monkeypatch, trials=14, epochs=20, url=url) as study:
        project = study.launch.project
        ask(project, "tiny", "pause")
        for host in hosts:
            there = {"GENO_HPO_STORAGE": url.replace("127.0.0.1", host.gateway)}
            arguments = (str(study.root), "--epoch-seconds", "0.3", "--lease-seconds", "10")
            host.start(study.root / f"worker-{host.name}.log", there, *arguments)
        deadline = time.monotonic() + PATIENCE
        while study.logs().count("ready") < 2:
            assert time.monotonic() < deadline, study.logs()
            time.sleep(0.3)
        assert {host.address for host in hosts} <= postgres.clients()
        ask(project, "tiny", "")
        study.await_state(TrialState.COMPLETE, 6)
        trials = study.networks.trials()
        done = [t for t in trials if t.state == TrialState.COMPLETE]
        assert {host_of(t) for t in done} == {near.name, far.name}
        assert {lost(t) for t in trials} == {0}, "no lease was lost over the clocks"
        begun = {host_of(t): t.datetime_start for t in done}
        apart = abs((begun[near.name] - begun[far.name]).total_seconds())
        assert apart > 90
        cut = await_epochs(study, far)
        far.pull_cable()
        began = time.monotonic()
        while (taken := study.networks.trials()[cut]).state != TrialState.COMPLETE:
            assert time.monotonic() - began < PATIENCE, study.logs()
            time.sleep(0.3)
        away = time.monotonic() - began
        assert lost(taken) == 1
        assert host_of(taken) == near.name
        far.plug_in()
        deadline = time.monotonic() + PATIENCE
        while study.networks.tally()[TrialState.COMPLETE] < 14:
            assert time.monotonic() < deadline, study.logs()
            time.sleep(0.3)
        assert near.await_end(300) + far.await_end(300) == [0, 0]
        trials = study.networks.trials()
        assert [t.state for t in trials] == [TrialState.COMPLETE] * 14
        assert sum(map(lost, trials)) == 1
        assert set(study.runs().values()) == {"complete"}
        words = (study.root / f"worker-{far.name}.log").read_text()
        assert f"trial {cut} left alone: another worker has taken it over" in words
        said = next(line for line in words.splitlines() if "left alone" in line)
        tell(
            f"two hosts | trials that start together are {apart:.0f} s apart by their clocks; no "
            f"lease lost over 6 trials; cable pulled for {away:.0f} s: trial {cut} taken over and "
            f"ended by the other, 14 of 14 complete, the host that came back said: {said}"
        )
