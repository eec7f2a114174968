"""Layouts to try, when a probe pays, what is kept of it, and both sides of a probe."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.errors import TrialFailed
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.evaluation.pace import Pace
from geno_hpo.study import probe as module
from geno_hpo.study.layout import Choice, Choices, Layout, cores, layouts, reckoned_seconds
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.prepared import Prepared, prepare
from geno_hpo.study.probe import Probe, middling, take_part
from geno_hpo.training.setup import configure
from tests.conftest import STUDY, write_project


def pairs(found: tuple[Layout, ...]) -> list[tuple[int, int]]:
    return [(layout.workers, layout.threads) for layout in found]


@pytest.mark.parametrize(
    ("cores", "workers", "wanted"),
    [
        (1, None, [(1, 1)]),
        (2, None, [(2, 1), (1, 2)]),
        (6, None, [(6, 1), (3, 2), (1, 6)]),
        (8, None, [(8, 1), (4, 2), (2, 4), (1, 8)]),
        (2, 1, [(1, 2), (1, 1)]),
        (8, 2, [(2, 4), (2, 2), (2, 1)]),
        (2, 2, [(2, 1)]),
        (2, 5, [(5, 1)]),
    ],
)
def test_layouts_to_try(cores: int, workers: int | None, wanted: list[tuple[int, int]]) -> None:
    assert pairs(layouts(cores, workers)) == wanted
    assert len({threads for _, threads in wanted}) == len(wanted), "threads tell layouts apart"


@pytest.mark.parametrize(
    ("layout", "text"),
    [
        (Layout(2, 1), "2 workers of 1 thread each"),
        (Layout(1, 2), "1 worker of 2 threads"),
        (Layout(4, 2), "4 workers of 2 threads each"),
    ],
)
def test_a_layout_in_words(layout: Layout, text: str) -> None:
    assert str(layout) == text


def test_cores_are_those_that_may_be_used() -> None:
    assert cores() >= 1


@pytest.fixture
def plan(project_root: Path) -> StudyPlan:
    return load_plan(Project(project_root), "tiny")


@pytest.fixture
def prepared(plan: StudyPlan) -> Prepared:
    return prepare(plan)


def test_reckoned_length_grows_with_trials_and_shrinks_with_cores(
    plan: StudyPlan, prepared: Prepared
) -> None:
    one = reckoned_seconds(plan, prepared, 1, 1)
    assert one == pytest.approx(5 * 3 * (0.01 + 128 * 30 / 1e7))
    assert reckoned_seconds(plan, prepared, 10, 2) == pytest.approx(5 * one)
    assert reckoned_seconds(plan, prepared, 0, 2) == 0
    timed = plan.config.budget.model_copy(update={"wall_time": 4.0})
    short = replace(plan, config=plan.config.model_copy(update={"budget": timed}))
    assert reckoned_seconds(short, prepared, 10**6, 2) == 4.0


def test_a_choice_is_kept_for_the_study_and_for_all_of_its_shape(
    plan: StudyPlan, prepared: Prepared, tmp_path: Path
) -> None:
    file = tmp_path / "layouts.json"
    choices = Choices(file, 8, None)
    study, shape = choices.of_study(plan), choices.of_shape(plan, prepared)
    assert choices.get(study) is None
    choice = Choice(Layout(4, 2), "because")
    choices.keep(choice, study, shape)
    choices.keep(Choice(Layout(8, 1), "other"), "another key")
    again = Choices(file, 8, None)
    assert again.get(study) == again.get(shape) == choice
    other = write_project(tmp_path / "other", STUDY.replace("trials: 4, epochs: 5", "epochs: 9"))
    sister = load_plan(Project(other), "tiny")
    assert again.get(again.of_study(sister)) is None
    assert again.get(again.of_shape(sister, prepare(sister))) == choice
    for machine in (Choices(file, 4, None), Choices(file, 8, 2)):
        assert machine.get(machine.of_study(plan)) is None
    wider = replace(prepared.dataset, codes=np.zeros((240, 31), np.int8), axis=("x",) * 31)
    assert again.get(again.of_shape(plan, Prepared(wider, prepared.split))) is None


class Process:
    """Stands for the workers of a layout: they are ready at once and tell a given rate."""

    def __init__(self, folder: Path, rates: dict[int, float]) -> None:
        self.folder, self.rates, self.begun = folder, rates, list[Layout]()

    def begin(self, layout: Layout) -> None:
        self.begun.append(layout)
        for number in range(layout.workers):
            threading.Thread(target=self._work, args=(layout.threads, number)).start()

    def _work(self, threads: int, number: int) -> None:
        (self.folder / f"{threads}-{number}.ready").touch()
        while not (self.folder / "chosen").exists():
            if (self.folder / f"{threads}.go").exists():
                (self.folder / f"{threads}-{number}.rate").write_text(str(self.rates[threads]))
                return
            time.sleep(0.005)


@pytest.mark.parametrize(
    ("rates", "wanted", "tried", "why"),
    [
        ({1: 20, 2: 24, 4: 90}, 1, [4, 2], "4 workers of 1 thread each: 80 replica-epochs"),
        ({1: 10, 2: 24, 4: 40}, 2, [4, 2, 1], "against 40 for 4 workers of 1 thread each and 40"),
        ({1: 10, 2: 24, 4: 60}, 4, [4, 2, 1], "1 worker of 4 threads: 60 replica-epochs"),
        ({1: 10, 2: 20.5, 4: 90}, 1, [4, 2], "against 41 for 2 workers of 2 threads each"),
        ({1: 0.5, 2: 0.0, 4: 9}, 1, [4, 2], "2 replica-epochs a second"),
    ],
)
def test_layouts_are_tried_while_they_get_better(
    tmp_path: Path, rates: dict[int, float], wanted: int, tried: list[int], why: str
) -> None:
    workers = Process(tmp_path / "probe", rates)
    probe = Probe(tmp_path / "probe", workers.begin, lambda: True)
    workers.begin(Layout(4, 1))
    choice = probe.choose(layouts(4))
    assert choice is not None
    assert choice.layout.threads == wanted
    assert why in choice.why
    assert [layout.workers for layout in workers.begun] == tried
    assert (tmp_path / "probe" / "chosen").read_text() == str(wanted)


@pytest.mark.parametrize("trouble", ["a worker dies", "too slow", "no rate"])
def test_without_a_result_the_usual_layout_stays(
    tmp_path: Path, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "READY_SECONDS", 0.1 if trouble == "too slow" else 60)
    folder = tmp_path / "probe"
    workers = Process(folder, {1: 0.0, 2: 0.0})
    begin: Callable[[Layout], None] = workers.begin if trouble == "no rate" else lambda _: None
    probe = Probe(folder, begin, lambda: trouble != "a worker dies")
    if trouble == "no rate":
        begin(Layout(2, 1))
    assert probe.choose(layouts(2)) is None
    assert (folder / "chosen").read_text() == "1"


@pytest.fixture
def evaluation(plan: StudyPlan, prepared: Prepared) -> NetworkEvaluation:
    configure(1)
    return NetworkEvaluation(prepared.dataset, prepared.split, plan.settings, plan.metric)


def test_the_middle_of_a_space(plan: StudyPlan) -> None:
    (params,) = middling(plan.space)
    assert params == {
        "family": "mlp",
        "layers": 1,
        "neurons": 8,
        "batch_size": 16,
        "learning_rate": pytest.approx(0.01),
    }


def test_pace_is_that_of_whole_epochs(plan: StudyPlan, evaluation: NetworkEvaluation) -> None:
    pace = Pace(evaluation, middling(plan.space))
    pace.warm()
    assert evaluation.engine.compiled == 1
    assert pace.rate(0.1) > 0
    ((_, whole),) = pace._plans
    assert whole == 1.0, "128 training samples are 8 batches: the whole epoch is trained"
    ((small, part),) = Pace(evaluation, [{**middling(plan.space)[0], "batch_size": 4}])._plans
    assert part == 64 / 128
    assert len(small.replicas[0].train) == 64


@pytest.mark.parametrize(("chosen", "stays"), [("1", True), ("2", False)])
def test_a_worker_is_timed_and_goes_on_or_leaves(
    tmp_path: Path, plan: StudyPlan, evaluation: NetworkEvaluation, chosen: str, stays: bool
) -> None:
    (tmp_path / "1.go").touch()

    def stop() -> bool:  # asked while it waits for the choice, so the rate is written by now
        (tmp_path / "chosen").write_text(chosen)
        return False

    assert take_part(tmp_path, evaluation, plan.space, 1, stop) == stays
    (rate,) = tmp_path.glob("1-*.rate")
    assert float(rate.read_text()) > 0


def test_a_worker_that_is_told_to_stop_leaves(
    tmp_path: Path, plan: StudyPlan, evaluation: NetworkEvaluation
) -> None:
    assert not take_part(tmp_path, evaluation, plan.space, 1, lambda: True)


def test_what_cannot_be_trained_has_no_rate(
    tmp_path: Path,
    plan: StudyPlan,
    evaluation: NetworkEvaluation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise TrialFailed("memory", "out of memory")

    monkeypatch.setattr(Pace, "warm", fail)
    assert not take_part(tmp_path, evaluation, plan.space, 1, lambda: True)
    (rate,) = tmp_path.glob("1-*.rate")
    assert float(rate.read_text()) == 0
