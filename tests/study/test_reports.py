"""Reports go by a thread: in order, without loss, and its errors are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from geno_hpo.config import PrunerConfig
from geno_hpo.study.pruners import decides_at, make_pruner
from geno_hpo.study.reports import Reporter, TrialReports
from geno_hpo.study.storage import Pool, open_pool, open_storage

EPOCHS = 12


@pytest.fixture
def reporter(tmp_path: Path) -> Iterator[Reporter]:
    writer = Reporter(open_storage(f"sqlite:///{tmp_path / 'optuna.db'}"))
    yield writer
    writer.close()


def make_pool(reporter: Reporter, folder: Path, config: PrunerConfig) -> Pool:
    pruner = make_pruner(config, EPOCHS)
    pool = open_pool(
        reporter.storage, "inh", maximise=True, lock_folder=folder, pruner=pruner, create=True
    )
    pool.fill(30)
    return pool


def walk(number: int) -> list[float]:
    return list(np.cumsum(np.random.default_rng(number).normal(size=EPOCHS)))


def run_through(
    pool: Pool, judge: Callable[[optuna.Trial], Callable[[int, float], bool]]
) -> list[int]:
    """Last epoch of each trial."""
    ends = []
    while (claim := pool.claim("me")) is not None:
        trial, report = claim.trial, judge(claim.trial)
        scores = walk(trial.number)
        end = next((e for e in range(1, EPOCHS) if report(e, scores[e - 1])), EPOCHS)
        state = TrialState.PRUNED if end < EPOCHS else TrialState.COMPLETE
        ends.append(end)
        pool.study.tell(trial, None if end < EPOCHS else scores[-1], state=state)
    return ends


@pytest.mark.parametrize(
    "config",
    [
        PrunerConfig(name="asha", warmup_epochs=1, reduction=2),
        PrunerConfig(name="asha", warmup_epochs=3, reduction=3),
        PrunerConfig(name="median", warmup_epochs=2, startup_trials=3),
        PrunerConfig(name="hyperband", warmup_epochs=1, reduction=3),
    ],
    ids=lambda config: f"{config.name}-{config.warmup_epochs}",
)
def test_one_worker_prunes_as_if_it_read_and_wrote_at_once(
    reporter: Reporter, tmp_path: Path, config: PrunerConfig
) -> None:
    def behind(trial: optuna.Trial) -> Callable[[int, float], bool]:
        reports = TrialReports(trial, reporter, lambda epoch: decides_at(config, epoch))

        def report(epoch: int, score: float) -> bool:
            reports.add(epoch, score)
            pruned = decides_at(config, epoch) and reports.should_prune()
            if pruned or epoch == EPOCHS - 1:
                reporter.settle()
            reports.look_ahead(epoch)
            return pruned

        return report

    def at_once(trial: optuna.Trial) -> Callable[[int, float], bool]:
        def report(epoch: int, score: float) -> bool:
            trial.report(score, epoch)
            return decides_at(config, epoch) and trial.should_prune()

        return report

    pool = make_pool(reporter, tmp_path, config)
    ends = run_through(pool, behind)
    plain = make_pool(Reporter(open_storage("sqlite://")), tmp_path, config)
    assert ends == run_through(plain, at_once)
    assert min(ends) < EPOCHS
    for trial in pool.trials():
        last = min(ends[trial.number], EPOCHS - 1)
        known = dict(enumerate(walk(trial.number)[:last], start=1))
        assert trial.intermediate_values == pytest.approx(known)


def test_steps_reported_by_an_earlier_attempt_stay(reporter: Reporter, tmp_path: Path) -> None:
    pool = make_pool(reporter, tmp_path, PrunerConfig(name="none"))
    for scores in ((0.1, 0.2), (0.7, 0.8, 0.9)):
        claim = pool.claim("me")
        assert claim is not None
        reports = TrialReports(claim.trial, reporter, lambda _: False)
        for epoch, score in enumerate(scores, start=1):
            reports.add(epoch, score)
        reporter.settle()
        pool.release(claim.trial)
    assert pool.trials()[0].intermediate_values == {1: 0.1, 2: 0.2, 3: 0.9}


def test_an_error_of_the_thread_is_raised_once_and_what_followed_is_left(
    reporter: Reporter,
) -> None:
    gate, done = threading.Event(), []

    def break_down() -> None:
        gate.wait()
        raise optuna.exceptions.StorageInternalError("database or disk is full")

    reporter.submit(break_down)
    reporter.submit(lambda: done.append("after"))
    gate.set()
    with pytest.raises(optuna.exceptions.StorageInternalError, match="disk is full"):
        reporter.settle()
    assert done == []
    reporter.submit(lambda: done.append("later"))
    reporter.settle()
    assert done == ["later"]
