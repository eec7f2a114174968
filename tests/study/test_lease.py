"""Leases: counters that move, clocks that may differ, workers that come back."""

from __future__ import annotations

from pathlib import Path

import pytest
from optuna.trial import TrialState

from geno_hpo.study import keeper as keeper_module
from geno_hpo.study import lease as lease_module
from geno_hpo.study.keeper import Keeper, watch_leases
from geno_hpo.study.lease import LEASE, LOST_ALLOWED, Lease, LeaseLost, Watch
from geno_hpo.study.pool import Pool
from geno_hpo.study.record import Record
from tests.study.test_storage import make_pool


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that is moved by hand."""
    time = [1000.0]
    for module in (lease_module, keeper_module):
        monkeypatch.setattr(module, "now", lambda: time[0])
    return time


def text(beat: int) -> str:
    return Lease(owner="a", beat=beat, seconds=60.0).text


@pytest.mark.parametrize(
    ("looks", "expired"),
    [
        ([(10, 0)] * 6, False),
        ([(10, 0)] * 8, True),
        ([(10, beat) for beat in range(20)], False),
        ([(10, 0)] * 6 + [(10, 1)] + [(10, 1)] * 6, False),
        ([(10, 0)] * 3 + [(500, 0)] + [(10, 0)] * 5, False),
        ([(10, 0)] * 3 + [(500, 0)] + [(10, 0)] * 8, True),
    ],
    ids=["short", "stands still", "moves", "moved once", "watcher was away", "and after that"],
)
def test_a_lease_expires_when_its_counter_stands_still_before_a_watcher(
    clock: list[float], looks: list[tuple[int, int]], expired: bool
) -> None:
    watch = Watch(gap=20.0)
    found: dict[int, str] = {}
    for seconds, beat in looks:
        clock[0] += seconds
        found = watch.expired({7: text(beat)})
    assert bool(found) == expired


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    pool = make_pool(tmp_path)
    pool.fill(2)
    return pool


def test_a_worker_that_comes_back_changes_nothing(pool: Pool, tmp_path: Path) -> None:
    old = pool.claim("old")
    assert old is not None
    assert pool.renew(old.trial)
    others = make_pool(tmp_path, create=False)
    seen = others.storage.running_leases([others.study._study_id])
    assert others.take_over(seen) == 1
    assert others.take_over(seen) == 0, "a lease that was taken over is another one"
    new = others.claim("new")
    assert new is not None
    assert (new.trial.number, new.again) == (old.trial.number, True)
    assert not pool.renew(old.trial)
    for end in (
        lambda: pool.finish(old.trial, 0.9, TrialState.COMPLETE, {}),
        lambda: pool.fail(old.trial, replace=lambda _: True),
        lambda: pool.release(old.trial),
    ):
        with pytest.raises(LeaseLost):
            end()
    others.finish(new.trial, 0.5, TrialState.COMPLETE, {"epochs": 3})
    others.finish(new.trial, 0.5, TrialState.COMPLETE, {"epochs": 3})
    (trial,) = pool.trials()
    assert (trial.value, trial.user_attrs) == (0.5, {"worker": "new", "epochs": 3})


def test_of_two_watchers_one_takes_over(pool: Pool, tmp_path: Path) -> None:
    pool.claim("gone")
    seen = pool.storage.running_leases([pool.study._study_id])
    assert [make_pool(tmp_path, create=False).take_over(seen) for _ in range(2)] == [1, 0]
    assert pool.tally()[TrialState.WAITING] == 2


def test_a_trial_that_loses_worker_after_worker_fails_and_is_replaced(pool: Pool) -> None:
    for attempt in range(LOST_ALLOWED + 1):
        claim = pool.claim(f"worker {attempt}")
        assert claim is not None
        assert claim.trial.number == 0
        assert pool.take_over(pool.storage.running_leases([pool.study._study_id])) == 1
    assert pool.tally() == {TrialState.FAIL: 1, TrialState.WAITING: 2}
    assert pool.trials()[0].user_attrs["reason"] == (
        "lost worker: 4 workers were lost at this trial, the last one worker 3"
    )


def test_a_trial_given_back_loses_nobody(pool: Pool) -> None:
    for _ in range(LOST_ALLOWED + 2):
        claim = pool.claim("me")
        assert claim is not None
        pool.release(claim.trial)
    assert Lease.read(pool.trials()[0].system_attrs[LEASE]).lost == 0


def test_a_training_that_hangs_is_no_longer_renewed(pool: Pool, clock: list[float]) -> None:
    claim = pool.claim("me")
    assert claim is not None
    keeper = Keeper({"network": pool}, Record(pool.study), lease_seconds=60.0)
    try:
        keeper.hold(claim)
        clock[0] += 1800
        assert not keeper.hanging, "the first epoch may take long"
        keeper._moved = clock[0]
        keeper.tick()
        clock[0] += 601
        assert keeper.hanging
        keeper.tick()
        assert not keeper.hanging
    finally:
        keeper.close()


def test_a_keeper_finds_out_at_its_next_word(pool: Pool, tmp_path: Path) -> None:
    claim = pool.claim("me")
    assert claim is not None
    keeper = Keeper({"network": pool}, Record(pool.study), lease_seconds=60.0)
    try:
        keeper.hold(claim)
        keeper.tick()
        others = make_pool(tmp_path, create=False)
        others.take_over(others.storage.running_leases([others.study._study_id]))
        keeper._renewed -= 31
        with pytest.raises(LeaseLost):
            keeper.tick()
    finally:
        keeper.close()
    assert watch_leases({"network": pool}, Watch()) == 0
