import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from geno_hpo.explanation import Importance, Motif
from geno_hpo.report import page, render, write
from geno_hpo.report.figures.together import scores
from geno_hpo.report.forest import leaderboard_forest, ranked
from geno_hpo.report.hyper import importance_sentence
from geno_hpo.report.logo import GLYPHS, logo_rows, motif_logos
from geno_hpo.report.mosaic import split_mosaic
from geno_hpo.report.stills import stills
from geno_hpo.report.stills.panels import draw_panels
from geno_hpo.report.style import resolve
from geno_hpo.report.together import render_together, write_together

from . import example, example_why
from .test_page import Tags, figures


@pytest.fixture(autouse=True)
def _no_library(monkeypatch):
    monkeypatch.setattr(page, "_plotly", lambda: "/*plotly*/")


@pytest.fixture(scope="module")
def outcomes():
    binary = example.binary()
    return {
        "aligned": example_why.aligned(binary),
        "unaligned": example_why.unaligned(binary),
        "variants": example_why.variants(example.multiclass()),
    }


@pytest.mark.parametrize("name", ["aligned", "unaligned", "variants"])
def test_pages_are_well_formed_and_their_figures_valid(outcomes, name):
    from plotly.graph_objects import Figure

    html = render(outcomes[name])
    tags = Tags(html)
    assert not tags.faults
    assert not tags.open
    assert len(set(tags.ids)) == len(tags.ids)
    assert "nan" not in html[html.index('id="causes"') : html.index('id="methods"')]
    found = figures(html)
    for one in found.pop("choices", {}).values():
        for choice in one:
            for place, panel in enumerate(choice["panels"]):
                found[f"choice {place}"] = panel
    for figure in found.values():
        Figure(resolve(figure))


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        (
            "aligned",
            [
                "Contributions come from what the network learnt",
                "between restarts it is 0.81 (restarts agree)",
                "an area under the precision-recall curve of 0.91 by",
                "miss less than 0.1 %",
                "All 5 methods put katG S315T first.",
                "they rank the same positions (rank correlation with the restarts 0.86)",
                "Any other trial",
                "Learning rate and filters explain 71 %",
            ],
        ),
        (
            "unaligned",
            [
                "The attributions hold 2 motifs: CGACCGAACTCC (181 sites)",
                "Motif 1 matches planted motif (similarity 0.99, p = 0.002)",
                "220 of 231 positive sequences (95 %)",
                "With one restart nothing can be said",
                "motif: present, positions ",
                "7 complete trials are too few",
            ],
        ),
        (
            "variants",
            ["Take the contributions with care", "Variants that cost the network most"],
        ),
    ],
)
def test_what_is_said(outcomes, name, texts):
    html = render(outcomes[name])
    for text in texts:
        assert text in html


@pytest.mark.parametrize(
    ("shares", "trials", "wanted"),
    [
        ({}, 4, "4 complete trials are too few"),
        ({"a": 0.8, "b": 0.19, "c": 0.01}, 80, "A explains 80 % of what parted the best"),
        ({"a": 0.8, "b": 0.19, "c": 0.01}, 80, "; c hardly matters."),
        ({"a": 0.3, "b": 0.3, "c": 0.2, "d": 0.2}, 80, "A, b and c explain 80 %"),
        ({"a": 1.0}, 12, "a hint, no proof"),
    ],
)
def test_importance_in_words(shares, trials, wanted):
    assert wanted in importance_sentence(Importance(shares, trials, 5))


def test_a_menu_offers_every_other_trial(outcomes):
    outcome = outcomes["aligned"]
    html = render(outcome)
    choices = figures(html)["choices"]["any_trial"]
    best = outcome.summary["best"].get("trial")
    others = [n for n in outcome.trial_curves if n != best]
    assert len(choices) == len(others) == html.count('<option value="')
    assert all(choice["text"] and len(choice["panels"]) == 2 for choice in choices)


def test_every_figure_lies_beside_the_page_in_three_forms(outcomes, tmp_path):
    path = write(outcomes["unaligned"], tmp_path / "motif")
    drawn = {key.rpartition("-")[0] for key in figures(path.read_text()) if key != "choices"}
    drawn |= {"motifs", "filters", "examples", "leaderboard", "control", "split"}
    files = {p.name for p in (path.parent / "figures").iterdir()}
    assert files == {f"{name}.{kind}" for name in drawn for kind in ("png", "svg", "csv")}
    for name in drawn:
        assert (path.parent / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert "<svg" in (path.parent / "figures" / f"{name}.svg").read_text()
        assert len((path.parent / "figures" / f"{name}.csv").read_text().splitlines()) > 1


def test_plain_drawings_give_their_numbers(outcomes):
    outcome = outcomes["aligned"]
    forest, mosaic = leaderboard_forest(outcome.summary), split_mosaic(outcome)
    files = stills([forest, mosaic])
    board = list(csv.DictReader(io.StringIO(files["figures/leaderboard.csv"].decode())))
    for row, entry in zip(board, ranked(outcome.summary), strict=True):
        assert float(row["cv"]) == entry["cv_mean"]
        assert float(row["cv_low"]) == pytest.approx(entry["cv_mean"] - entry["cv_std"])
        assert [float(row["test_low"]), float(row["test_high"])] == entry["test_ci"]
    parts = list(csv.DictReader(io.StringIO(files["figures/split.csv"].decode())))
    assert sum(int(part["samples"]) for part in parts) == len(outcome.labels)
    assert [part["part"] for part in parts if part["sealed"] == "True"] == ["test"]
    for part in parts:
        shares = [float(part[f"share_{name}"]) for name in outcome.classes]
        assert sum(shares) == pytest.approx(1, abs=1e-3)


def test_tables_of_explanations(outcomes, tmp_path, monkeypatch):
    monkeypatch.setattr("geno_hpo.report.stills.stills", lambda _: {})
    write(outcomes["variants"], tmp_path / "v")
    rows = (tmp_path / "v" / "variants.csv").read_text().splitlines()
    assert rows[0] == "name,loss,spread,minus_log10_p,causal"
    losses = [float(row.split(",")[1]) for row in rows[1:]]
    assert losses == sorted(losses, reverse=True)
    head = (tmp_path / "v" / "positions.csv").read_text().splitlines()[0]
    assert head.endswith("folds,folds_spread,integrated,integrated_spread")


def test_letters_are_as_high_as_their_information():
    certain = Motif("known", "x", np.array([[1.0, 0, 0, 0], [0.25] * 4, [0, 0.5, 0.5, 0]]))
    block = motif_logos("x", "x", "", [certain], [])
    assert block is not None
    heights = {(column, base): height for _, column, base, height in logo_rows(block)[1]}
    assert heights == {(1, "A"): 1.0, (3, "C"): 0.25, (3, "G"): 0.25}
    assert set(GLYPHS) == set("ACGT")
    assert motif_logos("x", "x", "", [], []) is None
    assert len(stills([block])) == 3


def test_several_studies_on_one_page(outcomes, tmp_path):
    other = example.regression()
    html = render_together([outcomes["aligned"], other])
    assert not Tags(html).faults
    for text in ("inh + yield", "2 studies", "The winners", "not corrected for the number"):
        assert text in html
    found = figures(html)
    assert {"effects-0", "effects-1", "scores-0", "scores-1"} <= set(found)
    path = write_together([outcomes["aligned"], other], tmp_path / "both")
    assert (path.parent / "figures" / "effects.svg").exists()
    models = (path.parent / "models.csv").read_text().splitlines()
    boards = [o.summary["leaderboard"] for o in (outcomes["aligned"], other)]
    assert len(models) == 1 + sum(map(len, boards))
    summary = json.loads((path.parent / "summary.json").read_text())
    assert [one["study"] for one in summary["studies"]] == ["inh", "yield"]
    with pytest.raises(ValueError, match="at least two"):
        render_together([other])


def test_what_two_networks_share_is_told(outcomes):
    summary = {**outcomes["aligned"].summary, "study": "second"}
    html = render_together([outcomes["aligned"], replace(outcomes["aligned"], summary=summary)])
    assert "S315T" in html
    assert "among the first 5 of more than one study" in html


def test_studies_stand_in_the_order_asked_for(outcomes):
    network, *others = outcomes["aligned"].summary["leaderboard"]
    mine = {**outcomes["aligned"].summary, "study": "mine", "leaderboard": [network, *others]}
    theirs = {**mine, "study": "theirs", "leaderboard": [{**network, "model": "mlp"}, *others]}
    (figure,) = scores([theirs, mine])
    traces = [list(trace["y"]) for trace in figure.panels[0].traces]
    assert len({tuple(names) for names in traces}) > 1, "not every model is in every study"
    assert figure.panels[0].layout["yaxis"]["categoryarray"] == ["theirs", "mine"]
    still = draw_panels(figure)
    assert [tick.get_text() for tick in still.axes[0].get_yticklabels()] == ["theirs", "mine"]
