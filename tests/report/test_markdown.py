"""The description of a study's MLflow run."""

from __future__ import annotations

from geno_hpo.report.markdown import markdown

from . import example


def test_a_description_asks_answers_ranks_and_leads_on() -> None:
    summary = example.binary().summary | {"question": "Which?"}
    lines = markdown(summary, {"Report": "#/report", "trials": "#/trials"}).splitlines()
    assert lines[0] == "### Which?"
    assert f"**{summary['comparison']['sentence']}**" in lines
    board = [line.split(" | ")[0].strip("| *") for line in lines if line.startswith("| ")][1:]
    assert [name.partition("*")[0] for name in board] == [
        row["model"] for row in summary["leaderboard"]
    ]
    assert lines[-1] == "[Report](#/report) · [trials](#/trials)"
