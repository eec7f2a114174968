import csv
import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from geno_hpo.errors import StorageError
from geno_hpo.outcome import TrialRecord
from geno_hpo.report import page, render, write
from geno_hpo.report.style import LIGHT, resolve

from . import example

EVIL = '<script>alert("x")</script>&amp;"\''


@pytest.fixture(autouse=True)
def _no_library(monkeypatch):
    """Pages without the 5 MB of plotly.js and without pictures; one test puts them back."""
    monkeypatch.setattr(page, "_plotly", lambda: "/*plotly*/")
    monkeypatch.setattr("geno_hpo.report.stills.stills", lambda _: {})


@pytest.fixture(scope="module")
def outcomes():
    return {f.__name__: f() for f in (example.binary, example.multiclass, example.regression)}


def figures(html):
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', html, re.S)
    return json.loads(found[1])


class Tags(HTMLParser):
    VOID = frozenset({"meta", "line", "rect", "circle", "path", "link", "br", "img"})

    def __init__(self, html):
        super().__init__()
        self.open, self.ids, self.addresses, self.faults = [], [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if "id" in named:
            self.ids.append(named["id"])
        self.addresses += [named[a] for a in ("src", "href") if a in named]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)


@pytest.mark.parametrize("name", ["binary", "multiclass", "regression"])
def test_page_is_well_formed_and_needs_no_network(outcomes, name):
    html = render(outcomes[name])
    tags = Tags(html)
    assert not tags.faults
    assert not tags.open
    assert len(set(tags.ids)) == len(tags.ids)
    for address in tags.addresses:
        assert not re.match(r"(https?:)?//", address), address
        if address.startswith("#"):
            assert address[1:] in tags.ids
    assert "url(http" not in html
    assert "@import" not in html
    assert not re.search(
        r"\b(nan|None|inf)\b", re.sub(r"<script.*?</script>", "", html, flags=re.S)
    )


@pytest.mark.parametrize("name", ["binary", "multiclass", "regression"])
def test_figures_are_valid_for_plotly(outcomes, name):
    from plotly.graph_objects import Figure

    html = render(outcomes[name])
    found = figures(html)
    assert found
    for key, figure in found.items():
        Figure(resolve(figure))  # raises for a property or colour that Plotly does not know
        assert f'data-figure="{key}"' in html


def test_first_screen_says_question_answer_and_simulated(outcomes):
    html = render(outcomes["binary"])
    header = html[html.index("<header") : html.index("</header>")]
    for text in (
        "Which changes of katG",
        "No difference was shown",
        "simulated data",
        "Difference in test ROC AUC, network − LightGBM",
        "oracle 0.968",
        "← chance 0.5",
        "4 min 31 s",
    ):
        assert text in header
    assert "simulated data" not in render(outcomes["regression"])


def test_sections_follow_the_outcome(outcomes):
    def sections(outcome):
        return re.findall(r'<section id="(\w+)"', render(outcome))

    everything = ["data", "audit", "search", "learning", "test", "baselines", "errors", "control"]
    everything += ["attention", "methods", "remake"]
    assert sections(outcomes["binary"]) == everything
    assert "control" not in sections(outcomes["multiclass"])
    assert "attention" not in sections(outcomes["regression"])


def test_text_from_outside_is_escaped(outcomes):
    base = outcomes["binary"]
    summary = json.loads(json.dumps(page.plain(base.summary)))
    summary["study"] = summary["comparison"]["sentence"] = summary["data"]["name"] = EVIL
    summary["published"] = [{"what": EVIL, "value": 0.9, "source": EVIL}]
    failed = TrialRecord(99, "search", EVIL, "failed", EVIL, params={EVIL: EVIL})
    done = replace(base.trials[0], params={EVIL: EVIL, "other": 1})
    evil = replace(
        base,
        summary=summary,
        question=EVIL,
        notes=(EVIL,),
        target=(EVIL,),
        classes=(EVIL, EVIL + "2"),
        trials=(*base.trials, failed, done),
        study_yaml=EVIL,
        space_yaml={EVIL: EVIL},
        source=EVIL,
        test=replace(base.test, ids=(EVIL, *base.test.ids[1:])),
        attribution=replace(base.attribution, names=(EVIL, *base.attribution.names[1:])),
    )
    html = render(evil)
    assert "<script>alert" not in html
    assert html.count("<script") == 3  # figures, plotly and the page's own
    assert not Tags(html).faults


def test_sealed_study_shows_no_test(outcomes):
    base = outcomes["binary"]
    summary = json.loads(json.dumps(page.plain(base.summary)))
    summary |= {"seal": None, "comparison": None, "control": None}
    for entry in summary["leaderboard"]:
        entry |= {"test": None, "test_ci": None, "test_seeds": []}
    html = render(replace(base, summary=summary))
    assert "test set still sealed" in html
    assert 'id="test"' not in html
    assert "has not been opened" in html


def test_trials_after_the_seal_are_a_warning(outcomes):
    summary = json.loads(json.dumps(page.plain(outcomes["binary"].summary)))
    summary["seal"]["trials_after"] = 3
    html = render(replace(outcomes["binary"], summary=summary))
    assert "3 trials after the test set" in html
    assert "can no longer count as independent" in html


def test_poor_outcomes_render(outcomes):
    """No trial with a score, one epoch, a flat attribution, no labels."""
    base = outcomes["binary"]
    curves = replace(
        base.curves,
        train_loss=np.full((2, 1), np.nan),
        valid_loss=np.full((2, 1), np.nan),
        valid_score=np.full((2, 1), np.nan),
        train_accuracy=np.full((2, 1), np.nan),
        valid_accuracy=np.full((2, 1), np.nan),
        best_epoch=0,
    )
    poor = replace(
        base,
        trials=(TrialRecord(0, "search", "cnn", "failed", "out of memory"),),
        curves=curves,
        attribution=replace(base.attribution, scores=np.zeros(len(base.attribution.names))),
        labels=None,
        parts=None,
    )
    html = render(poor)
    assert "out of memory" in html
    assert "No position moves" in html
    assert "history-0" not in figures(html)


def test_write_gives_every_file(outcomes, tmp_path, monkeypatch):
    monkeypatch.undo()
    path = write(outcomes["binary"], tmp_path / "deep" / "inh")
    assert path == tmp_path / "deep" / "inh" / "report.html"
    assert {p.name for p in path.parent.iterdir()} == {
        "report.html",
        "summary.json",
        "ACC.png",
        "LOSS.png",
        "leaderboard.csv",
        "trials.csv",
        "curves.csv",
        "test_predictions.csv",
        "comparisons.csv",
        "calibration.csv",
        "thresholds.csv",
        "strata.csv",
        "positions.csv",
        "codons.csv",
        "figures",
    }
    html = path.read_text(encoding="utf-8")
    assert html.count("Plotly.js") + html.count("plotly.js v") >= 1
    assert len(html) < 6_000_000
    for name in ("ACC.png", "LOSS.png"):
        assert (path.parent / name).read_bytes().startswith(b"\x89PNG")
    read = json.loads((path.parent / "summary.json").read_text(encoding="utf-8"))
    assert read == page.plain(outcomes["binary"].summary)
    assert (path.parent / "figures" / "history.svg").exists()


def test_one_validation_part_is_not_called_folds(outcomes):
    summary = outcomes["binary"].summary
    lone = {**summary, "split": {**summary["split"], "folds": 1}}
    html = render(replace(outcomes["binary"], summary=lone))
    assert "on one validation part" in html
    assert "one network, and was judged by its score on the validation part" in html
    assert "1 fold" not in html


def test_csv_holds_every_trial(outcomes, tmp_path):
    write(outcomes["binary"], tmp_path)
    path = write(outcomes["binary"], tmp_path)  # again, over the old files
    with (path.parent / "trials.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(outcomes["binary"].trials)
    assert {row["stage"] for row in rows} == {"search", "baseline"}
    failed = next(row for row in rows if row["state"] == "failed")
    assert failed["score"] == ""
    assert failed["reason"] == "non-finite loss at epoch 3"
    with (path.parent / "test_predictions.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(outcomes["binary"].test.ids)
    assert float(rows[0]["cnn_seed1"]) == pytest.approx(
        float(outcomes["binary"].test.models["cnn"][0, 0, 0]), rel=1e-5
    )


def test_unwritable_folder_is_told_and_leaves_nothing(outcomes, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written to"):
        write(outcomes["regression"], tmp_path / "file")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    target = tmp_path / "report.html"
    target.write_text("old")

    def refuse(self, other):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        page._replace(target, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
    assert target.read_text() == "old"


def test_colours_are_those_of_the_style_sheet():
    css = page._resource("page.css")
    light = css[css.index(":root {") : css.index("@media")]
    declared = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    assert declared.items() >= LIGHT.items()
    dark = css[css.index("prefers-color-scheme: dark") :]
    assert set(dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark))) >= set(LIGHT)


def test_import_loads_no_drawing_library():
    code = (
        "import sys, geno_hpo.report; "
        "heavy = {'plotly', 'matplotlib', 'jinja2', 'pandas', 'tensorflow', 'keras', 'optuna'}; "
        "sys.exit(' '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_evidence_is_told_in_words_and_tables(outcomes):
    html = render(outcomes["binary"])
    part = html[html.index('<section id="baselines"') : html.index('<section id="control"')]
    for text in (
        "with 80 %",
        "Holm p",
        "DeLong p",
        "5 of 5",
        "maximises sensitivity + specificity on the validation folds",
        "Test ROC AUC by lineage",
        "Do the probabilities mean what they say?",
    ):
        assert text.replace(" ", " ") in part.replace(" ", " ")
    assert "among 40 configurations" in html
    assert "DeLong p" not in render(outcomes["multiclass"])


def test_old_summaries_without_evidence_are_still_drawn(outcomes):
    base = outcomes["binary"]
    extra = {"comparisons", "selection", "calibration", "threshold", "strata"}
    summary = {key: value for key, value in base.summary.items() if key not in extra}
    html = render(replace(base, summary=summary))
    assert '<section id="baselines"' not in html
    assert "is flattered by having been chosen" in html
