"""``geno-hpo train``: epochs, curves, words, and an MLflow run of its own."""

from __future__ import annotations

from typer.testing import CliRunner

from geno_hpo.cli.app import app
from geno_hpo.study.finished import Finished
from geno_hpo.tracking import Tracking


def test_one_configuration_is_trained_and_drawn(studies: dict[str, Finished]) -> None:
    plan = studies["drugs"].plan
    words = ["train", "drugs", "--set", "learning_rate=0.01", "--set", "neurons=6"]
    words += ["--epochs", "3", "--threads", "1", "--root", str(plan.project.root)]
    before = len(studies["drugs"].pools["network"].trials())
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert [line[:9] for line in lines if line.startswith("epoch")] == [
        "epoch   1",
        "epoch   2",
        "epoch   3",
    ]
    assert "learning_rate 0.01" in told.output
    assert "the 20 test samples stay sealed" in told.output
    assert any(
        line.startswith(
            ("underfitting:", "still improving:", "good fit:", "overfitting:", "nothing learnt:")
        )
        and "chance" in line
        for line in lines
    ), "what the score is worth is told with the curves"
    folder = plan.project.report(plan.key) / "train" / "001-mlp"
    assert {path.name for path in folder.iterdir()} == {
        *("ACC.png", "LOSS.png", "curves.csv", "index.html", "result.json")
    }
    assert (folder / "ACC.png").read_bytes().startswith(b"\x89PNG")
    assert len((folder / "curves.csv").read_text().splitlines()) == 4
    tracking = Tracking(plan.project.tracking_uri, plan.project.mlruns / "artifacts", "drugs")
    (run,) = tracking.client.search_runs([tracking.experiment_id], "tags.stage = 'train'")
    assert run.info.status == "FINISHED"
    assert "mlflow.parentRunId" not in run.data.tags
    assert run.data.params["learning_rate"] == "0.01"
    history = tracking.client.get_metric_history(run.info.run_id, "valid_loss")
    assert [each.step for each in history] == [1, 2, 3]
    kept = tracking.client.list_artifacts(run.info.run_id, "train")
    assert "train/index.html" in [each.path for each in kept]
    assert len(studies["drugs"].pools["network"].trials()) == before, "the search learns nothing"
