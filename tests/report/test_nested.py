import csv
import json
import re
from dataclasses import replace

import pytest

from geno_hpo.report.nested import NestedOutcome, nested_markdown, render_nested, write_nested
from geno_hpo.study.pooled import pooled_summary
from tests.report.test_page import EVIL, Tags
from tests.study.test_pooled import folds


@pytest.fixture(scope="module")
def outcome():
    summary = pooled_summary(folds(), frozenset({"layers", "rate", "neurons"}))
    return NestedOutcome(summary, "split: {outer: 3}\n", {"cnn": "family: cnn\n"})


def test_page_is_well_formed_and_needs_no_script_library(outcome):
    html = render_nested(outcome)
    tags = Tags(html)
    assert not tags.faults
    assert not tags.open
    assert len(set(tags.ids)) == len(tags.ids)
    assert all(a[1:] in tags.ids for a in tags.addresses if a.startswith("#"))
    assert "ACC.png" not in html
    assert "Plotly" not in re.sub(r'"use strict".*', "", html, flags=re.S)
    text = re.sub(r"<(script|style).*?</\1>", "", html, flags=re.S)
    assert not re.search(r"\b(nan|None|inf)\b", text)
    assert "0.907 ± 0.025" in text
    assert "CNN in 2, MLP in 1" in text
    assert "Do the winners agree?" in text


def test_names_from_outside_are_escaped(outcome):
    summary = {**outcome.summary, "question": EVIL, "study": EVIL}
    assert EVIL not in render_nested(replace(outcome, summary=summary, study_yaml=EVIL))


def test_files_lie_beside_the_page(outcome, tmp_path):
    page = write_nested(outcome, tmp_path / "deep")
    names = {path.name for path in page.parent.iterdir()}
    tables = {"leaderboard", "outer_scores", "differences", "winners"}
    assert names == {"report.html", "summary.json", *(f"{name}.csv" for name in tables)}
    assert json.loads((page.parent / "summary.json").read_text())["split"]["outer"] == 3
    rows = list(csv.DictReader((page.parent / "outer_scores.csv").read_text().splitlines()))
    assert [float(row["network"]) for row in rows] == [0.91, 0.93, 0.88]
    winners = list(csv.DictReader((page.parent / "winners.csv").read_text().splitlines()))
    assert [row["neurons"] for row in winners] == ["", "8", ""]


def test_markdown_tells_every_procedure(outcome):
    text = nested_markdown(outcome.summary)
    assert "| network | 0.9067 ± 0.0252 |" in text
    assert "Simulated data" in text
    assert outcome.summary["comparison"]["sentence"] in text
