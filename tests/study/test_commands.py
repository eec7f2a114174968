"""Control from anywhere: what is asked reaches storage, study file and workers."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from optuna.trial import TrialState

from geno_hpo.config import names
from geno_hpo.errors import InputError
from geno_hpo.space import SearchSpace, load_space
from geno_hpo.space.partial import partial
from geno_hpo.study import commands
from geno_hpo.study.commands import (
    Removal,
    archive,
    ask,
    enqueue,
    raise_budget,
    unarchive,
    warm_start,
)
from geno_hpo.study.launch import Launch
from geno_hpo.study.mend import mend_runs
from geno_hpo.study.parent import tracking_of
from geno_hpo.study.paths import Project
from geno_hpo.study.plan import load_plan
from geno_hpo.study.status import read_status
from geno_hpo.study.storage import study_names
from tests.study.test_worker import begun

SPACES = Path(__file__).parents[2] / "search_spaces"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (
            {"family": "mlp", "learning_rate": 0.01},
            {"family": "mlp", "mlp.learning_rate": 0.01},
        ),
        (
            {"family": "mlp", "momentum": 0.9},
            {"family": "mlp", "mlp.optimizer": "sgd", "mlp.optimizer.sgd.momentum": 0.9},
        ),
    ],
)
def test_a_part_of_a_configuration_brings_its_branch(
    params: dict[str, float | str], expected: dict[str, float | str]
) -> None:
    search = SearchSpace(tuple(load_space(SPACES / f"{name}.yaml") for name in ("mlp", "cnn")))
    assert partial(search, params) == expected


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"learning_rat": 0.01}, "must be of one family"),
        ({"family": "mlp", "learning_rat": 0.01}, "learning_rat: not a parameter of mlp here"),
        ({"family": "mlp", "learning_rate": 7}, r"mlp.learning_rate must be in .*, got 7"),
        ({"family": "mlp", "optimizer": "sgd", "weight_decay": 0.1}, "weight_decay: not a param"),
        ({"learning_rate": 0.01}, "say family=… as well: mlp, cnn"),
    ],
)
def test_what_a_space_does_not_have_is_told(params: dict[str, float], message: str) -> None:
    search = SearchSpace(tuple(load_space(SPACES / f"{name}.yaml") for name in ("mlp", "cnn")))
    with pytest.raises(InputError, match=message):
        partial(search, params)


def test_a_study_is_controlled_and_removed(
    project_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(project_root)
    with pytest.raises(InputError, match="has not been run yet"):
        ask(project, "tiny", "stop")
    with begun(project_root) as (launch, pools, record):
        pool = pools["network"]
        claim = pool.claim("host:1")
        assert claim is not None
        assert ask(project, "tiny", "pause") == 1
        assert record.asked == "pause"
        status = read_status(project_root, "tiny")
        assert status.asked == "pause"
        assert [(w.worker, w.part, w.trial) for w in status.workers] == [("host:1", "network", 0)]
        ask(project, "tiny", "")
        assert record.asked == ""

        study = project_root / "studies" / "tiny.yaml"
        comment = "# a remark that stays\n"
        study.write_text(comment + study.read_text())
        assert raise_budget(project, "tiny", 6) == 2
        assert study.read_text().startswith(comment)
        assert Launch(project, "tiny").plan.budgets["network"] == 6
        assert pool.tally() == {TrialState.RUNNING: 1, TrialState.WAITING: 5}
        with pytest.raises(InputError, match=r"budget.trials must be at least 1, got 0"):
            raise_budget(project, "tiny", 0)

        number = enqueue(project, "tiny", {"learning_rate": 0.05})
        assert pool.tally() == {TrialState.RUNNING: 1, TrialState.WAITING: 5}, "of the budget"
        by_hand = pool.claim("host:1")
        assert by_hand is not None
        assert by_hand.trial.number == number
        assert launch.plan.space.suggest(by_hand.trial)["learning_rate"] == 0.05
        with pytest.raises(InputError, match="has no complete trial"):
            warm_start(project, "tiny", "tiny", 2)
        attributes = {"best_epoch": 2, "reason": "epochs"}
        pool.finish(by_hand.trial, 0.8, TrialState.COMPLETE, attributes)
        numbers, left_out = warm_start(project, "tiny", "tiny", 2)
        assert (len(numbers), left_out) == (1, [])
        again = pool.claim("host:1")
        assert again is not None
        assert launch.plan.space.suggest(again.trial) == launch.plan.space.short(
            by_hand.trial.params
        )

        tracking, parent = tracking_of(launch.plan), str(record.get("mlflow_run"))
        assert mend_runs(launch.plan, pools, tracking, parent) == 1, "its worker told nothing"
        assert mend_runs(launch.plan, pools, tracking, parent) == 0
        (run,) = tracking.runs_below(parent)
        assert (run.data.tags["state"], run.info.status) == ("complete", "FINISHED")
        assert run.data.metrics["cv_score"] == 0.8
        assert run.data.params["learning_rate"] == "0.05"

        archive(project, "tiny")
        assert tracking.runs_below(parent) == []
        unarchive(project, "tiny")
        assert len(tracking.runs_below(parent)) == 1

        monkeypatch.setattr(commands, "LEASE_SECONDS", 0.01)
        with (
            FileLock(launch.plan.work / "launcher.lock"),
            pytest.raises(InputError, match="is at work; stop it first: geno-hpo stop tiny"),
        ):
            Removal(project, "tiny")
        removal = Removal(project, "tiny")
        assert removal.trials == 3
        removal.do()
        assert study_names(launch.storage) == []
        assert tracking.runs_below(parent) == []
        assert not launch.plan.work.exists()
        assert study.exists()


def test_a_budget_is_not_written_into_the_package(
    project_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brought = tmp_path / "package" / "shipped"
    (brought / "studies").mkdir(parents=True)
    own = project_root / "studies" / "tiny.yaml"
    text = own.read_text()
    own.rename(brought / "studies" / "tiny.yaml")
    monkeypatch.setattr(names, "SHIPPED", brought)
    assert raise_budget(Project(project_root), "tiny", 2) == 0
    assert (brought / "studies" / "tiny.yaml").read_text() == text
    assert load_plan(Project(project_root), "tiny").config.budget.trials == 2
    assert own.is_file()
