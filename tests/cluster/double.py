"""A worker whose networks cost nothing: storage, leases, checkpoints and MLflow are the real ones.

    python -m tests.cluster.double ROOT --epochs-seconds 0.02 --lease-seconds 3

Its networks are two numbers that are added to; the score after an epoch follows from seed and
epoch alone, so that a trial that was taken over can be compared with one that was not.
"""

from __future__ import annotations

import argparse
import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import mlflow.tracking  # noqa: F401 - for processes that are forked from this one
import numpy as np

from geno_hpo.metrics import METRICS
from geno_hpo.study.jobs import Bench
from geno_hpo.study.keeper import Keeper
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.prepared import Prepared
from geno_hpo.study.reports import Reporter
from geno_hpo.study.worker import Worker
from geno_hpo.training.checkpoint import Checkpoint
from geno_hpo.training.lockstep import lockstep
from geno_hpo.training.protocol import EpochReport, FitPlan, FitResult, Replica
from geno_hpo.training.turns import Course, ReplicaEpoch, Trained, Turn

NOBODY = np.empty(0, dtype=np.intp)


class DoubleNetworks:
    """Stands for `NetworkEvaluation`."""

    def __init__(self, split: Any, epoch_seconds: float) -> None:
        self._split, self._seconds = split, epoch_seconds

    def course(
        self,
        params: Any,
        *,
        epochs: int,
        patience: int | None,
        seed: int,
        report: Callable[[EpochReport], bool],
        checkpoint: Checkpoint | None = None,
    ) -> Course[FitResult]:
        folds = self._split.folds
        replicas = tuple(Replica(fold.train, fold.valid, seed + i) for i, fold in enumerate(folds))
        plan = FitPlan(params, replicas, epochs, patience, checkpoint=checkpoint)

        def advance_one(fold: int, epoch: int, state: Any) -> ReplicaEpoch:
            time.sleep(self._seconds / len(folds))
            moved = np.random.default_rng([seed + fold, epoch]).normal(size=2)
            after = (np.asarray(state[0] + moved),)
            guess = np.full((len(folds[fold].valid), 1), after[0].sum(), np.float32)
            return ReplicaEpoch(after, 0.1, 0.9, 0.1, 0.9, guess)

        def advance(epoch: int, states: list[Any]) -> Iterator[ReplicaEpoch]:
            return (advance_one(fold, epoch, state) for fold, state in enumerate(states))

        return lockstep(
            plan,
            [(np.zeros(2),) for _ in folds],
            lambda epoch, states: Turn(id(plan), None, lambda _: [Trained(advance(epoch, states))]),
            lambda state: tuple(state),
            [np.zeros((len(fold.valid), 1), np.float32) for fold in folds],
            lambda _, guess: float(1 / (1 + np.exp(-guess[0, 0] / 10))),
            report,
            batch_size=int(params["batch_size"]),
            resume=None if checkpoint is None else checkpoint.load(),
        )


class DoubleBench(Bench):
    epoch_seconds = 0.0

    @cached_property
    def networks(self) -> Any:
        return DoubleNetworks(self.prepared.split, self.epoch_seconds)


class DoubleWorker(Worker):
    def _serve(self, *given: Any) -> None:
        self._tell("ready")
        super()._serve(*given)

    def _bench(self, prepared: Prepared, reporter: Reporter, keeper: Keeper) -> Bench:
        return DoubleBench(
            self.plan,
            prepared,
            reporter=reporter,
            threads=1,
            stop=self._stop,
            tick=keeper.tick,
            checkpoint_seconds=self._checkpoint_seconds,
        )


def forked(log: Path, arguments: list[str], environment: dict[str, str]) -> None:
    """Run in a process that was forked with everything imported; it says what it says to `log`.

    The process that it was forked from began with another test's environment.
    """
    os.environ.clear()
    os.environ.update(environment)
    with log.open("w") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    main(arguments)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("--epoch-seconds", type=float, default=0.0)
    parser.add_argument("--lease-seconds", type=float, default=3.0)
    parser.add_argument("--checkpoint-seconds", type=float, default=0.0)
    parser.add_argument("--stay", action="store_true")
    given = parser.parse_args(arguments)
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: asked.append(number))
    DoubleBench.epoch_seconds = given.epoch_seconds
    plan = load_plan(Project(given.root), "tiny")
    worker = DoubleWorker(
        plan,
        maximise=METRICS[plan.metric].maximise,
        stop=lambda: bool(asked),
        tell=lambda sentence: print(sentence, flush=True),  # noqa: T201
        stays=given.stay,
        lease_seconds=given.lease_seconds,
        checkpoint_seconds=given.checkpoint_seconds,
    )
    print("worker ends:", worker.run(), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
