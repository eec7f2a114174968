"""Which layout a launch takes, and why."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.study.crew import Crew
from geno_hpo.study.layout import Choice, Layout
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.prepared import prepare
from geno_hpo.study.record import Record
from geno_hpo.study.settle import Settler
from geno_hpo.study.storage import open_storage
from tests.conftest import STUDY, write_project


class Noted(Crew):
    """A crew that only notes which workers it would start."""

    def __init__(self, plan: StudyPlan) -> None:
        super().__init__(plan, "a-session", 1, lambda _: None)
        self.begun: list[Layout] = []

    def start(self, layout: Layout) -> None:
        self.begun.append(layout)


class Found(Settler):
    """Settles the layout of ``tiny`` on eight cores; a probe would find what is given."""

    def __init__(self, root: Path, found: Choice | None = None, workers: int | None = None) -> None:
        self.said: list[str] = []
        self.found = found
        self.plan = load_plan(Project(root), "tiny")
        self.crew = Noted(self.plan)
        super().__init__(
            self.plan, self.crew, self.said.append, cores=8, workers=workers, per_gpu=1
        )

    def _probe(self, record: Record) -> Choice | None:
        return self.found

    def told(self) -> str:
        """Settle the layout of a prepared study; what was said last."""
        self.plan.project.make_writable()
        storage = open_storage(self.plan.project.storage_url)
        pools = open_pools(self.plan, storage, maximise=True, create=True)
        self.settle(Record(pools["network"].study), prepare(self.plan), pools["network"])
        return self.said[-1]


LONG = STUDY.replace("trials: 4, epochs: 5", "trials: 1000, epochs: 1000").replace(
    "workers: 1\n", ""
)
SHORT = STUDY.replace("workers: 1\n", "")


@pytest.fixture
def own_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.usefixtures("own_storage")
@pytest.mark.parametrize(
    ("study", "workers", "said", "layout"),
    [
        (SHORT, None, "8 workers of 1 thread each, without a probe: the search is", Layout(8, 1)),
        (SHORT, 2, "2 workers of 4 threads each, without a probe", Layout(2, 4)),
        (LONG, 8, "8 workers of 1 thread each: no other layout fits 8 cores", Layout(8, 1)),
        (LONG, None, "could not time another layout", Layout(8, 1)),
    ],
)
def test_why_a_layout_is_taken(
    tmp_path: Path, study: str, workers: int | None, said: str, layout: Layout
) -> None:
    settler = Found(write_project(tmp_path, study), workers=workers)
    assert said in settler.told()
    assert settler.layout == layout
    assert settler.crew.begun == []


@pytest.mark.usefixtures("own_storage")
def test_what_a_probe_found_is_taken_from_then_on(tmp_path: Path) -> None:
    root = write_project(tmp_path, LONG)
    choice = Choice(Layout(2, 4), "2 workers of 4 threads each: fastest")
    assert Found(root, choice).told() == choice.why
    again = Found(root)
    assert again.layout == choice.layout, "known before the data are read"
    assert again.told() == f"{choice.why} (probed before)"
    assert again.crew.begun == []
    write_project(tmp_path, LONG.replace("epochs: 1000", "epochs: 2000"))
    sister = Found(root)
    assert sister.layout == Layout(8, 1)
    sister.told()
    assert sister.crew.begun == [choice.layout] == [sister.layout]
