"""The study's record: agreement of definition and data, the seal, generations."""

from __future__ import annotations

from pathlib import Path

import pytest

from geno_hpo.errors import StudyChangedError
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.plan import load_plan
from geno_hpo.study.record import Record, find_key, latest_generation
from geno_hpo.study.storage import open_pool, open_storage


def open_record(root: Path, name: str = "tiny") -> Record:
    project = Project(root)
    project.make_writable()
    storage = open_storage(project.storage_url)
    return Record(open_pool(storage, name, maximise=True, lock_folder=root, create=True).study)


def finish_a_trial(record: Record) -> None:
    record.study.tell(record.study.ask(), 0.5)


def test_a_change_before_any_trial_is_taken_over(project_root: Path) -> None:
    record = open_record(project_root)
    record.set(definition="old")
    plan = load_plan(Project(project_root), "tiny")
    record.agree(plan)
    assert record.get("definition") == plan.definition


def test_a_change_after_trials_is_refused_and_says_how_to_start_anew(project_root: Path) -> None:
    record = open_record(project_root)
    record.agree(load_plan(Project(project_root), "tiny"))
    finish_a_trial(record)
    study = project_root / "studies" / "tiny.yaml"
    study.write_text(study.read_text().replace("folds: 3", "folds: 4"))
    with pytest.raises(StudyChangedError, match=r"after 1 trials.*geno-hpo run tiny --fresh"):
        record.agree(load_plan(Project(project_root), "tiny"))


def test_a_larger_budget_is_no_change(project_root: Path) -> None:
    record = open_record(project_root)
    record.agree(load_plan(Project(project_root), "tiny"))
    finish_a_trial(record)
    study = project_root / "studies" / "tiny.yaml"
    study.write_text(study.read_text().replace("trials: 4", "trials: 40"))
    record.agree(load_plan(Project(project_root), "tiny"))


def test_other_data_are_refused(project_root: Path) -> None:
    record = open_record(project_root)
    plan = load_plan(Project(project_root), "tiny")
    record.agree(plan, "data-1")
    finish_a_trial(record)
    with pytest.raises(StudyChangedError, match="the data or the split changed after 1 trials"):
        record.agree(plan, "data-2")


def test_going_on_after_the_seal_is_marked(project_root: Path) -> None:
    record = open_record(project_root)
    first = record.open_seal(40, "1.0")
    assert (first["trials_before"], first["trials_after"]) == (40, 0)
    second = record.open_seal(60, "1.1")
    assert second["opened_at"] == first["opened_at"]
    assert (second["trials_before"], second["trials_after"]) == (40, 20)


def test_generations_are_found_by_name(project_root: Path) -> None:
    for name in ("tiny", "tiny@2", "tiny@2:ridge", "tiny@10", "tiny_other@99"):
        open_record(project_root, name)
    storage = open_storage(Project(project_root).storage_url)
    assert latest_generation(storage, "tiny") == 10
    assert find_key(storage, "tiny") == StudyKey("tiny", 10)
    assert find_key(storage, "tiny@2") == StudyKey("tiny", 2)
    assert latest_generation(storage, "unknown") == 1
