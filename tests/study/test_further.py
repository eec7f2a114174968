"""A study with everything that comes beside the final fits, from the search to the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from geno_hpo.errors import InputError
from geno_hpo.report.page import write
from geno_hpo.report.publish import publish_sealed
from geno_hpo.report.summary import check_summary
from geno_hpo.study.final import enqueue_final
from geno_hpo.study.finished import load_finished
from geno_hpo.study.results import outcome_of
from tests.conftest import STUDY, write_project

from .test_worker import begun, work

WHOLE = (
    STUDY.replace("trials: 4, epochs: 5", "trials: 3, epochs: 3")
    .replace("ridge: {trials: 2}", "ridge: {trials: 1}, elastic_net: {trials: 1}")
    .replace("lightgbm: false", "lightgbm: false, kernel_ridge: {trials: 1}, kmer: {trials: 1}")
    .replace("{seeds: 2}", "{seeds: 2, runners_up: 1, learning_curve: true}")
    .replace("control: {trials: 1}", "control: {trials: 1, epochs: 2, permutations: 3}")
)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("GENO_HPO_STORAGE", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return write_project(tmp_path / "project", WHOLE)


@pytest.mark.slow
def test_a_study_tells_all_that_was_asked(root: Path) -> None:
    with begun(root) as (launch, pools, record):
        project = launch.project
        work(launch)
        with pytest.raises(InputError, match="is not finished yet; go on with: geno-hpo run tiny"):
            load_finished(project, "tiny")
        page = publish_sealed(project, "tiny")
        before = json.loads((page.parent / "summary.json").read_text())
        check_summary(before)
        assert (before["seal"], before["withheld"]) == (None, False)
        assert all(row["test"] is None for row in before["leaderboard"])
        assert "test set still sealed" in page.read_text()

        record.open_seal(3, "abc")
        restarts, shares, controls = 2 * 2, 2 * 5, 3
        assert enqueue_final(launch.plan, pools) == 2 + 4 + controls + 1 + 1 + restarts + shares
        work(launch)
        reasons = [t.user_attrs.get("traceback", "") for t in pools["final"].trials()]
        assert reasons == [""] * len(reasons)
        outcome = outcome_of(load_finished(project, "tiny"))
        page = write(outcome, root / "whole")
        summary = json.loads((page.parent / "summary.json").read_text())
        check_summary(summary)
        baselines = {"ridge", "elastic_net", "kernel_ridge", "kmer"}
        assert {row["model"] for row in summary["leaderboard"]} == {"mlp", *baselines}
        assert [row["model"] for row in summary["trivial"]] == ["constant", "best_feature"]
        assert summary["trivial"][1]["reads"].endswith(("= T", "= C"))
        assert summary["trivial"][1]["test"] == 1.0, "one base decides the label"
        assert next(row["verdict"] for row in summary["trivial"]) == "better"
        rows = summary["restarts"]["rows"]
        assert sorted(row["place"] for row in rows) == [1, 2]
        assert all(len(row["scores"]) == 2 for row in rows)
        assert len(summary["learning_curve"]) == 2
        assert summary["learning_curve"][0]["samples"] == pytest.approx(
            [0.2 * 128, 0.4 * 128, 0.6 * 128, 0.8 * 128, 128], abs=1
        )
        control = summary["control"]
        assert (control["permutations"], len(control["tests"])) == (3, 3)
        assert control["p_value"] in (0.25, 0.5, 0.75, 1.0)
        assert summary["seal"]["openings"][0]["trials"] == 3
        for name in ("trivial", "restarts", "learning_curve"):
            assert (page.parent / f"{name}.csv").exists()

        pools["network"].fill(4)
        work(launch)
        enqueue_final(launch.plan, pools)
        work(launch)
        assert outcome_of(load_finished(project, "tiny")).summary["seal"]["trials_after"] == 1
        page = publish_sealed(project, "tiny")
        withheld = json.loads((page.parent / "summary.json").read_text())
        assert withheld["withheld"]
        assert withheld["restarts"] is not None
        assert all(row["test"] is None for row in withheld["trivial"])
        assert "test set left out" in page.read_text()
