"""The pool of trials: budgets are exact, claims unique, interrupted trials come back."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import optuna
import pytest
from filelock import FileLock
from optuna.trial import TrialState
from sqlalchemy import event

from geno_hpo.errors import StorageError
from geno_hpo.study.storage import Pool, open_pool, open_storage, storage_faults, study_names


def make_pool(folder: Path, *, create: bool = True) -> Pool:
    storage = open_storage(f"sqlite:///{folder / 'optuna.db'}")
    return open_pool(storage, "inh", maximise=True, lock_folder=folder, create=create)


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return make_pool(tmp_path)


def test_fill_enqueues_what_is_missing_once(pool: Pool) -> None:
    assert pool.fill(3) == 3
    assert pool.fill(3) == 0
    assert pool.fill(5) == 2
    assert pool.tally() == {TrialState.WAITING: 5}
    assert pool.trials() == [], "what has not begun costs the storage nothing"


def test_fill_replaces_failed_trials_and_counts_the_others(pool: Pool) -> None:
    pool.fill(3)
    for state, value in ((TrialState.COMPLETE, 0.5), (TrialState.FAIL, None)):
        claim = pool.claim("me")
        assert claim is not None
        pool.study.tell(claim.trial, value, state=state)
    assert pool.fill(3) == 1
    tally = pool.tally()
    assert (tally[TrialState.COMPLETE], tally[TrialState.WAITING]) == (1, 2)


def test_a_smaller_budget_withdraws_waiting_trials_only(pool: Pool) -> None:
    pool.fill(4)
    claimed = pool.claim("me")
    assert claimed is not None
    pool.fill(2)
    assert pool.tally() == {TrialState.RUNNING: 1, TrialState.WAITING: 1}
    assert pool.fill(4) == 2
    assert pool.tally() == {TrialState.RUNNING: 1, TrialState.WAITING: 3}


def test_a_smaller_budget_withdraws_given_back_trials_after_those_not_begun(pool: Pool) -> None:
    pool.fill(3)
    claims = [pool.claim("me") for _ in range(2)]
    for claim in claims:
        assert claim is not None
        pool.release(claim.trial)
    pool.fill(1)
    assert pool.tally() == {TrialState.WAITING: 1, TrialState.FAIL: 1}
    assert [t.number for t in pool.trials()] == [0], "withdrawn trials are not shown"


def test_withdrawing_leaves_what_runs_and_is_done(pool: Pool) -> None:
    pool.fill(5)
    done, running, given_back = (pool.claim("me") for _ in range(3))
    assert done is not None
    assert given_back is not None
    assert running is not None
    pool.study.tell(done.trial, 0.5)
    pool.release(given_back.trial)
    assert pool.withdraw("the wall time was used up") == 3
    assert pool.withdraw("the wall time was used up") == 0
    assert pool.claim("me") is None
    assert [t.state for t in pool.trials()] == [TrialState.COMPLETE, TrialState.RUNNING]
    assert pool.fill(5) == 3, "a later launch may go on"


def test_claims_go_by_number_and_end(pool: Pool) -> None:
    pool.fill(2)
    first, second = pool.claim("a"), pool.claim("b")
    assert first is not None
    assert second is not None
    assert (first.trial.number, second.trial.number) == (0, 1)
    assert pool.claim("a") is None
    assert sum(pool.tally().values()) == 2, "a claim must never make a trial"


def test_a_released_trial_keeps_its_parameters(pool: Pool) -> None:
    pool.fill(1)
    first = pool.claim("me", lambda _: optuna.samplers.RandomSampler(seed=1))
    assert first is not None
    drawn = first.trial.suggest_float("learning_rate", 0.0, 1.0)
    pool.release(first.trial)
    second = pool.claim("me", lambda _: optuna.samplers.RandomSampler(seed=2))
    assert second is not None
    assert (second.trial.number, first.again, second.again) == (0, False, True)
    assert second.trial.suggest_float("learning_rate", 0.0, 1.0) == drawn


def test_recover_gives_back_the_trials_of_the_dead_only(pool: Pool) -> None:
    pool.fill(2)
    pool.claim("alive")
    pool.claim("dead")
    assert pool.recover(lambda worker: worker == "dead") == 1
    states = [(t.state, t.user_attrs["worker"]) for t in pool.trials()]
    assert states == [(TrialState.RUNNING, "alive"), (TrialState.WAITING, "dead")]


def test_best_is_the_earliest_of_equals(pool: Pool) -> None:
    pool.fill(3)
    for value in (0.5, 0.9, 0.9):
        claim = pool.claim("me")
        assert claim is not None
        pool.study.tell(claim.trial, value)
    best = pool.best()
    assert best is not None
    assert best.number == 1


@pytest.mark.parametrize("replaced", [True, False])
def test_a_failed_trial_is_replaced_once_where_that_is_said(pool: Pool, *, replaced: bool) -> None:
    pool.fill(2)
    claim = pool.claim("me")
    assert claim is not None
    tallies = []

    def decide(tally: Counter[TrialState]) -> bool:
        tallies.append(tally)
        return replaced

    pool.fail(claim.trial, replace=decide)
    assert tallies[0][TrialState.FAIL] == 1
    assert not tallies[0][TrialState.RUNNING]
    assert pool.tally() == {TrialState.FAIL: 1, TrialState.WAITING: 1 + replaced}


def test_a_failed_task_is_replaced_by_the_same_task_untouched(pool: Pool) -> None:
    pool.enqueue({"name": "fit", "task": {"seed": 3}})
    claim = pool.claim("me")
    assert claim is not None
    pool.set_attributes(claim.trial, {"reason": "error: no", "traceback": "…"})
    pool.fail(claim.trial, replace=lambda _: True)
    again = pool.claim("me")
    assert again is not None
    assert not again.again
    assert again.trial.user_attrs == {"name": "fit", "task": {"seed": 3}, "worker": "me"}
    assert pool.claim("me") is None


def test_tasks_are_beyond_the_budget(pool: Pool) -> None:
    pool.fill(2)
    pool.enqueue({"name": "fit", "task": {}})
    assert pool.tally() == {TrialState.WAITING: 3}
    claims = [pool.claim("me") for _ in range(4)]
    assert [claim and "task" in claim.trial.user_attrs for claim in claims] == [
        True,
        False,
        False,
        None,
    ]


def test_one_draw_is_one_read_and_one_transaction(pool: Pool) -> None:
    pool.fill(2)
    claim = pool.claim("me", lambda _: optuna.samplers.TPESampler(seed=1, n_startup_trials=0))
    assert claim is not None
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    commits: list[Any] = []
    event.listen(pool.storage.engine, "before_cursor_execute", note)
    event.listen(pool.storage.engine, "commit", commits.append)
    with pool.drawing():
        for name in "abcdef":
            claim.trial.suggest_float(name, 0.0, 1.0)
    assert len(claim.trial.params) == 6
    reads = [text for text in statements if text.startswith("SELECT trials.") and ">" in text]
    assert len(reads) <= 1
    assert len(commits) <= 2, "the read's and the writes'"
    (kept,) = pool.trials()
    assert kept.params == claim.trial.params


def test_a_draw_that_fails_writes_nothing(pool: Pool) -> None:
    pool.fill(1)
    claim = pool.claim("me")
    assert claim is not None

    def draw() -> None:
        with pool.drawing():
            claim.trial.suggest_float("a", 0.0, 1.0)
            raise ValueError("no such branch")

    with pytest.raises(ValueError, match="no such branch"):
        draw()
    assert pool.trials()[0].params == {}


def test_another_database_is_refused() -> None:
    with pytest.raises(StorageError, match=r"must be SQLite or PostgreSQL, got mysql://me:\*\*\*@"):
        open_storage("mysql://me:secret@host/db")


def _claim_all(folder: str) -> list[int]:
    pool = make_pool(Path(folder), create=False)
    numbers = []
    while (claim := pool.claim("me")) is not None:
        numbers.append(claim.trial.number)
        pool.study.tell(claim.trial, 0.5)
    return numbers


def test_processes_never_claim_one_trial_twice(tmp_path: Path) -> None:
    make_pool(tmp_path).fill(24)
    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
        claimed = [n for part in processes.map(_claim_all, [str(tmp_path)] * 3) for n in part]
    assert sorted(claimed) == list(range(24))


def test_a_missing_part_is_told(tmp_path: Path) -> None:
    make_pool(tmp_path)
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    with pytest.raises(StorageError, match="the storage holds no study 'tb'"):
        open_pool(storage, "tb", maximise=True, lock_folder=tmp_path)


def test_an_unreachable_storage_hides_the_password(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened") as caught:
        open_storage(f"sqlite:///{tmp_path}/no/such/folder/optuna.db")
    assert "no/such/folder" in str(caught.value)
    from geno_hpo.study.paths import masked

    assert masked("postgresql://lab:secret@host/db") == "postgresql://lab:***@host/db"


def give_out() -> None:
    with storage_faults():
        try:
            raise OSError("database or disk is full")
        except OSError as error:
            raise optuna.exceptions.StorageInternalError("commit failed") from error


def test_a_database_that_gives_out_is_told_with_its_first_cause() -> None:
    with pytest.raises(StorageError, match=r"disk is full.*every finished trial is kept"):
        give_out()


def test_many_may_open_a_fresh_storage_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.db'}"
    with ThreadPoolExecutor(8) as pool:
        opened = list(pool.map(lambda _: open_storage(url), range(8)))
    assert all(study_names(one) == [] for one in opened)


def test_a_worker_of_a_removed_study_leaves_no_folder_behind(tmp_path: Path) -> None:
    storage = open_storage(f"sqlite:///{tmp_path / 'optuna.db'}")
    folder = tmp_path / "work"
    folder.mkdir()
    pool = open_pool(storage, "inh", maximise=True, lock_folder=folder, create=True)
    pool.fill(1)
    (folder / "claim.lock").unlink(missing_ok=True)
    folder.rmdir()
    assert pool.fill(2) == 1, "a folder alone that was lost is made anew"
    optuna.delete_study(study_name="inh", storage=storage)
    (folder / "claim.lock").unlink(missing_ok=True)
    folder.rmdir()
    with pytest.raises(KeyError):
        pool.claim("host:1")
    assert not folder.exists()


def test_nobody_queues_for_a_storage_that_is_there(tmp_path: Path) -> None:
    make_pool(tmp_path).fill(2)
    with FileLock(tmp_path / "optuna.db.opening"):
        assert make_pool(tmp_path, create=False).tally() == {TrialState.WAITING: 2}
