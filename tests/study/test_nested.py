"""Outer folds as studies of their own: names, plans, seeds, splits, and what is done already."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.errors import InputError, StudyChangedError
from geno_hpo.study.nested import NestedLaunch, cost, fold_plans, has_met_plan
from geno_hpo.study.parts import open_pools
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.plan import load_plan
from geno_hpo.study.prepared import prepare
from geno_hpo.study.record import Record, check_siblings, find_key, latest_generation
from geno_hpo.study.storage import open_pool, open_storage
from tests.conftest import STUDY, write_project

NESTED = STUDY.replace("split: {folds: 3, test: 0.2}", "split: {folds: 3, outer: 4}")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    found = Project(write_project(tmp_path / "project", NESTED))
    found.make_writable()
    return found


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("inh", StudyKey("inh")),
        ("inh@2", StudyKey("inh", 2)),
        ("inh~3", StudyKey("inh", 1, 3)),
        ("inh@12~3", StudyKey("inh", 12, 3)),
        ("inh~0", StudyKey("inh~0")),
        ("a@b/inh.yaml", StudyKey("a@b/inh.yaml")),
    ],
)
def test_keys_are_read_as_they_are_written(text: str, key: StudyKey) -> None:
    assert StudyKey.parse(text) == key
    assert str(key) == text
    assert StudyKey.parse(key.exact) == key


def test_every_outer_fold_has_a_plan_without_a_control(project: Project) -> None:
    plan = load_plan(project, "tiny")
    assert plan.nested
    plans = fold_plans(plan)
    assert [str(fold.key) for fold in plans] == ["tiny~1", "tiny~2", "tiny~3", "tiny~4"]
    assert not any(fold.nested for fold in plans)
    assert fold_plans(plans[1]) == (plans[1],)
    assert load_plan(project, "tiny~2") == plans[1]
    assert load_plan(project, "tiny@3~2").key == StudyKey("tiny", 3, 2)
    assert plans[1].parts == {"network": "tiny~2", "ridge": "tiny~2:ridge"}
    assert plans[1].work != plans[2].work
    assert plans[1].fold_tag == {"outer_fold": "2"}
    assert len({plan.seed, *(fold.seed for fold in plans)}) == 5, "each draws from its own seed"
    assert plan.seed == plan.config.seed
    assert plan.space.searched == {"neurons", "learning_rate"}, "fixed ones cannot disagree"


@pytest.mark.parametrize(("name", "study"), [("tiny~5", NESTED), ("tiny~1", STUDY)])
def test_an_outer_fold_that_is_not_there_is_told(project: Project, name: str, study: str) -> None:
    (project.studies / "tiny.yaml").write_text(study)
    with pytest.raises(InputError, match=r"the outer fold must be one of split.outer \((4|none)\)"):
        load_plan(project, name)


def test_a_study_without_outer_folds_is_not_launched_as_nested(project: Project) -> None:
    (project.studies / "tiny.yaml").write_text(STUDY)
    with pytest.raises(InputError, match="study tiny has no outer folds"):
        NestedLaunch(project, "tiny").run()


def test_the_cost_is_told(project: Project) -> None:
    told = cost(load_plan(project, "tiny"))
    assert told.startswith("nested cross-validation: 4 searches of 4 trials each, each with")
    assert "(2 of ridge)" in told


def test_every_sample_is_sealed_in_one_outer_fold(project: Project) -> None:
    found = [prepare(fold) for fold in fold_plans(load_plan(project, "tiny"))]
    sealed = np.concatenate([one.split.test for one in found])
    np.testing.assert_array_equal(np.sort(sealed), np.arange(240))
    assert len({one.dataset.fingerprint for one in found}) == 1
    assert len({one.fingerprint for one in found}) == 4
    assert all(len(one.split.folds) == 3 for one in found)
    assert "outer fold 2 of 4" in found[1].dataset.origin.notes


def test_a_fold_has_met_its_plan_until_more_is_asked(project: Project) -> None:
    plan = load_plan(project, "tiny~1")
    storage = open_storage(project.storage_url)
    assert not has_met_plan(plan, storage)
    pools = open_pools(plan, storage, maximise=True, create=True)
    record = Record(pools["network"].study)
    record.agree(plan)
    record.set(phase="done", met=plan.promise)
    for part in ("network", "ridge"):
        trial = pools[part].study.ask()
        params = (plan.space if part == "network" else plan.baselines[part]).suggest(trial)
        assert params["family"]
        trial.set_user_attr("best_epoch", 2)
        pools[part].study.tell(trial, 0.9)
    assert not has_met_plan(plan, storage), "the final fits are not done"
    from geno_hpo.study.final import OPTIONAL, planned_fits

    for fit in planned_fits(plan, pools):
        if fit.kind in OPTIONAL:  # a study that was finished before there were any
            continue
        trial = pools["final"].study.ask()
        trial.set_user_attr("name", fit.name)
        pools["final"].study.tell(trial, 0.8)
    assert has_met_plan(plan, storage)
    study = project.studies / "tiny.yaml"
    study.write_text(NESTED.replace("budget: {trials: 4", "budget: {trials: 6"))
    assert not has_met_plan(load_plan(project, "tiny~1"), storage), "more trials are asked for"
    study.write_text(NESTED.replace("outer: 4", "outer: 5"))
    with pytest.raises(StudyChangedError, match="tiny~1: the study file"):
        has_met_plan(load_plan(project, "tiny~1"), storage)


def open_record(project: Project, name: str, dataset: str) -> Record:
    """A study with one finished trial on `dataset`."""
    storage = open_storage(project.storage_url)
    pool = open_pool(storage, name, maximise=True, lock_folder=project.root, create=True)
    pool.study.tell(pool.study.ask(), 0.5)
    record = Record(pool.study)
    record.set(dataset=dataset)
    return record


def test_siblings_must_see_the_same_data_and_be_nested_alike(project: Project) -> None:
    for name in ("tiny~1", "tiny@2", "tiny@3~2", "tiny_other"):
        open_record(project, name, "data-1")
    storage = open_storage(project.storage_url)
    check_siblings(storage, StudyKey("tiny", 1, 2), "data-1")
    with pytest.raises(StudyChangedError, match=r"the data \(data-2\) are not those of tiny~1"):
        check_siblings(storage, StudyKey("tiny", 1, 2), "data-2")
    with pytest.raises(StudyChangedError, match="with one test set"):
        check_siblings(storage, StudyKey("tiny", 2, 1), "data-1")
    with pytest.raises(StudyChangedError, match="with nested folds"):
        check_siblings(storage, StudyKey("tiny", 3), "data-1")
    check_siblings(storage, StudyKey("tiny", 4), "data-2")
    assert latest_generation(storage, "tiny") == 3
    assert find_key(storage, "tiny~1") == StudyKey("tiny", 3, 1)
