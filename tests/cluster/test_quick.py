"""The part of the cluster's tests that takes seconds, on a real PostgreSQL: run by the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

import pytest
from optuna.trial import TrialState
from typer.testing import CliRunner

from geno_hpo.cli.app import app
from geno_hpo.errors import StorageError
from geno_hpo.study.lease import LEASE, Lease, LeaseLost
from geno_hpo.study.paths import masked
from geno_hpo.study.patience import Patience
from geno_hpo.study.pool import Pool
from geno_hpo.study.storage import open_pool, open_storage
from tests.cluster.servers import PASSWORD, Postgres


@contextmanager
def opened(url: str, *, create: bool = False, patience: Patience | None = None) -> Iterator[Pool]:
    """A pool with connections of its own, as another process or machine has them."""
    storage = open_storage(url, patience)
    if patience is not None:
        storage.patience = patience
    try:
        yield open_pool(storage, "inh", maximise=True, lock_folder=None, create=create)
    finally:
        storage.remove_session()
        storage.engine.dispose()


def work(url: str, worker: str) -> list[int]:
    """Take trials until none is left; numbers of those that were finished."""
    done = []
    with opened(url) as pool:
        while (claim := pool.claim(worker)) is not None:
            number = claim.trial.number
            if number % 7 == 3 and not claim.again:
                pool.release(claim.trial)
                continue
            pool.finish(claim.trial, number / 100, TrialState.COMPLETE, {"by": worker})
            done.append(number)
    return done


def test_workers_that_race_share_a_budget_exactly(postgres: Postgres) -> None:
    url = postgres.database()
    with ThreadPoolExecutor(4) as crowd:
        pools = [crowd.submit(open_storage, url) for _ in range(4)]
        for one in pools:
            one.result().engine.dispose()
        with opened(url, create=True) as pool:
            pool.fill(20)
            counted = Counter(
                number for done in crowd.map(work, [url] * 4, "abcd") for number in done
            )
            assert counted == Counter(range(20)), "each trial once"
            assert pool.tally() == {TrialState.COMPLETE: 20}
            best = pool.best()
            assert best is not None
            assert (best.number, best.value) == (19, 0.19)


def test_of_two_watchers_one_takes_over_and_the_old_worker_is_fenced_off(
    postgres: Postgres,
) -> None:
    url = postgres.database()
    with opened(url, create=True) as mine, opened(url) as other, opened(url) as third:
        mine.fill(1)
        old = mine.claim("old")
        assert old is not None
        assert mine.renew(old.trial)
        seen = other.storage.running_leases([other.study._study_id])
        with ThreadPoolExecutor(2) as both:
            taken = list(both.map(lambda pool: pool.take_over(seen), (other, third)))
        assert sorted(taken) == [0, 1]
        assert not mine.renew(old.trial)
        new = third.claim("new")
        assert new is not None
        with pytest.raises(LeaseLost):
            mine.finish(old.trial, 0.9, TrialState.COMPLETE, {})
        third.finish(new.trial, 0.5, TrialState.COMPLETE, {})
        (trial,) = other.trials()
        assert trial.value == 0.5
        assert Lease.read(trial.system_attrs[LEASE]).lost == 1


def test_work_waits_for_a_server_that_begins_anew(postgres: Postgres) -> None:
    url = postgres.database()
    words: list[str] = []
    patience = Patience(60)
    patience.tell = words.append
    with opened(url, create=True, patience=patience) as pool:
        pool.fill(2)
        claim = pool.claim("me")
        assert claim is not None
        postgres.stop()
        again = Timer(4, postgres.start)
        again.start()
        pool.finish(claim.trial, 0.5, TrialState.COMPLETE, {})
        again.join()
        assert pool.tally() == {TrialState.COMPLETE: 1, TrialState.WAITING: 1}
    assert words[0].startswith("waiting for the storage: ")
    assert words[-1].startswith("the storage is back after ")
    assert not [word for word in words if PASSWORD in word]


COMMANDS = [
    ["run"],
    ["status"],
    ["stop"],
    ["budget", "9"],
    ["enqueue", "--set", "neurons=4"],
    ["remove", "--yes"],
]


@pytest.mark.parametrize("harm", ["password", "port", "database", "driver"])
def test_no_message_shows_a_password(
    project_root: Path, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    url = postgres.database()
    changes = {
        "password": (PASSWORD, "hidden-word"),
        "port": (f":{postgres.port}/", ":1/"),
        "database": (f":{postgres.port}/", f":{postgres.port}/absent"),
        "driver": ("+psycopg", "+nodriver"),
    }
    url = url.replace(*changes[harm])
    secret = "hidden-word" if harm == "password" else PASSWORD
    monkeypatch.setenv("GENO_HPO_STORAGE", url)
    for command, *rest in COMMANDS:
        words = [command, "tiny", *rest, "--root", str(project_root)]
        told = CliRunner().invoke(app, words)
        assert isinstance(told.exception, StorageError), (words, told.exception, told.output)
        assert "cannot be opened" in str(told.exception)
        for text in (told.output, masked(str(told.exception)), str(told.exception)):
            assert secret not in text, (words, text)
