"""One worker trains several trials at once: each keeps its lease, pruning, errors and run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from geno_hpo.study.jobs import Ending
from geno_hpo.study.keeper import Keeper
from geno_hpo.study.launch import Launch
from geno_hpo.study.pool import Pool
from geno_hpo.training.turns import Course
from tests.cluster.double import DoubleBench, DoubleWorker
from tests.conftest import STUDY, write_project
from tests.study.test_worker import begun, launch_runs, scores

BUDGET = STUDY.replace("trials: 4", "trials: 7").replace("control: {trials: 1}", "control: false")
BUDGET = BUDGET.replace("ridge: {trials: 2}", "ridge: false")
PRUNED = BUDGET.replace("pruner: {name: none}", "pruner: {name: asha, warmup_epochs: 1}")


class Troubled(DoubleBench):
    """A bench on which something happens to a trial after its second epoch."""

    trouble: Callable[[int], None] | None = None

    def search_network(self, part: str, trial: Any, *given: Any) -> Course[Ending]:
        course = super().search_network(part, trial, *given)
        turn = next(course)
        for epoch in range(1, 100):
            done = yield turn
            if epoch == 2 and self.trouble is not None:
                self.trouble(trial.number)
            try:
                turn = course.send(done)
            except StopIteration as end:
                return end.value
        raise AssertionError("a trial has five epochs")


class Several(DoubleWorker):
    kind = Troubled

    def _bench(self, prepared: Any, reporter: Any, keeper: Keeper) -> Any:
        bench = self.kind(
            self.plan,
            prepared,
            reporter=reporter,
            threads=1,
            stop=self._stop,
            tick=keeper.tick,
            checkpoint_seconds=self._checkpoint_seconds,
        )
        bench.trouble = None if self.happens is None else lambda number: self.happens(self, number)
        return bench

    happens: Callable[[Any, int], None] | None = None


def work(launch: Launch, at_once: int, happens: Any = None, **options: Any) -> int:
    worker = Several(launch.plan, maximise=True, at_once=at_once, checkpoint_seconds=0, **options)
    worker.happens = happens
    return worker.run()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What trials come to that are trained one by one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GENO_HPO_STORAGE", raising=False)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        root = write_project(tmp_path_factory.mktemp("whole"), BUDGET)
        with begun(root) as (launch, pools, _):
            work(launch, 1)
            return scores(pools)


def test_several_at_once_are_what_they_are_one_by_one(
    project_root: Path, whole: dict[str, Any]
) -> None:
    with begun(write_project(project_root, BUDGET)) as (launch, pools, record):
        running: list[int] = []

        def look(worker: Any, _number: int) -> None:
            running.append(len(worker._keeper._claims))

        assert work(launch, 3, look) == 7
        assert scores(pools) == whole
        assert pools["network"].tally() == {TrialState.COMPLETE: 7}
        assert running == [3, 3, 3, 3, 3, 3, 1], "three rounds; the last trial is alone"
        assert len(launch_runs(launch, record)) == 7
        waited = [t.user_attrs["seconds"].get("neighbours") for t in pools["network"].trials()]
        assert [x is not None for x in waited] == [True] * 6 + [False]


def test_what_happens_to_one_trial_is_its_own(project_root: Path, whole: dict[str, Any]) -> None:
    """One breaks, one is taken over by another worker; both are done again, nobody else is."""
    happened: set[int] = set()

    def happens(worker: Any, number: int) -> None:
        if number in happened:
            return
        happened.add(number)
        if number == 1:
            raise ZeroDivisionError("division by zero")
        if number == 2:
            (mine,) = (
                claim for claim in worker._keeper._claims.values() if claim.trial.number == 2
            )
            other = Pool(mine.pool.study, launch.plan.work)
            leases = other.storage.running_leases([other.study._study_id])
            assert other.take_over({mine.trial._trial_id: leases[mine.trial._trial_id]}) == 1
            worker._keeper._renewed -= 31

    told: list[str] = []
    with begun(write_project(project_root, BUDGET)) as (launch, pools, record):
        assert work(launch, 4, happens, tell=told.append) == 8
        found = {number: value for number, value, _ in scores(pools)["network"]}
        assert pools["network"].tally() == {TrialState.COMPLETE: 7, TrialState.FAIL: 1}
        wanted = {number: value for number, value, _ in whole["network"]}
        assert {number: found[number] for number in wanted if number != 1} == {
            number: value for number, value in wanted.items() if number != 1
        }
        assert pools["network"].trials()[1].user_attrs["reason"].startswith("error: ZeroDivision")
        name = pools["network"].study.study_name
        assert [x for x in told if "left alone" in x] == [
            f"{name} trial 2 left alone: another worker has taken it over"
        ]
        assert len(launch_runs(launch, record)) == 8


def test_all_are_given_back_when_the_worker_is_told_to_end(
    project_root: Path, whole: dict[str, Any]
) -> None:
    told: list[str] = []
    asked = iter([False] * 9)
    with begun(write_project(project_root, BUDGET)) as (launch, pools, _):
        work(launch, 3, stop=lambda: next(asked, True), tell=told.append)
        assert len([x for x in told if "given back" in x]) == 3
        assert pools["network"].tally() == {TrialState.WAITING: 7}
        assert len(list((launch.plan.work / "checkpoints").glob("network-*.npz"))) == 3
        assert work(launch, 2) == 7
        assert scores(pools) == whole
        notes = [t.user_attrs["notes"] for t in pools["network"].trials()]
        assert [bool(x) for x in notes] == [True] * 3 + [False] * 4
        assert not list((launch.plan.work / "checkpoints").glob("network-*"))


def test_pruned_trials_leave_and_others_join(project_root: Path) -> None:
    with begun(write_project(project_root, PRUNED.replace("trials: 7", "trials: 12"))) as (
        launch,
        pools,
        _,
    ):
        assert work(launch, 4) == 12
        tally = pools["network"].tally()
        assert tally[TrialState.PRUNED] >= 1
        assert tally[TrialState.PRUNED] + tally[TrialState.COMPLETE] == 12
