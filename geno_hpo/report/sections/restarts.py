"""Would another seed have chosen another winner? The leading configurations, trained again."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Figure, Panel, Section, Table, Text
from geno_hpo.report.figures.drawn import short
from geno_hpo.report.style import layout
from geno_hpo.report.words import metric_label, model_label, number, percent, spread

__all__ = ["restarts"]


def restarts(outcome: StudyOutcome) -> Section | None:
    """Ranking by mean and spread over seeds; None where it was left out."""
    found = outcome.summary.get("restarts")
    if not found:
        return None
    label = metric_label(outcome.summary["metric"])
    lost = (
        f" {found['lost']} trainings ended without a score and are left out."
        if found["lost"]
        else ""
    )
    return Section(
        "restarts",
        "Would another seed have chosen another winner?",
        (
            Text(found["sentence"].partition("? ")[2], "finding"),
            Text(
                "Each leading configuration was trained again from the same number of seeds, on "
                f"the validation folds; the test set had no part in it.{lost}"
            ),
            _figure(found, label),
            _table(found, label),
        ),
        short="Restarts",
    )


def _names(found: dict[str, Any]) -> list[str]:
    return [f"{model_label(row['model'])}, trial {row['trial']}" for row in found["rows"]]


def _figure(found: dict[str, Any], label: str) -> Figure:
    names = _names(found)
    dots = {
        "type": "scatter",
        "mode": "markers",
        "name": "a seed",
        "x": short(score for row in found["rows"] for score in row["scores"]),
        "y": [name for name, row in zip(names, found["rows"], strict=True) for _ in row["scores"]],
        "marker": {"size": 9, "color": "@c1/60"},
        "hovertemplate": "%{y}: %{x}<extra></extra>",
    }
    means = {
        "type": "scatter",
        "mode": "markers",
        "name": "mean over seeds",
        "x": short(row["mean"] for row in found["rows"]),
        "y": names,
        "marker": {"size": 20, "symbol": "line-ns-open", "color": "@c1", "line": {"width": 3}},
        "hovertemplate": "%{y}: mean %{x}<extra></extra>",
    }
    searched = {
        "type": "scatter",
        "mode": "markers",
        "name": "in the search",
        "x": short(row["searched"] for row in found["rows"]),
        "y": names,
        "marker": {"size": 11, "symbol": "diamond-open", "color": "@c2", "line": {"width": 2}},
        "hovertemplate": "%{y}: %{x} in the search<extra></extra>",
    }
    return Figure(
        "restarts",
        "Leading configurations from several seeds",
        "A dot is one seed, the bar their mean, the diamond the score by which the configuration "
        "came to lead; a diamond to the good side of its dots was luck.",
        (
            Panel(
                (dots, means, searched),
                layout(
                    {"title": f"validation {label}", "nticks": 7},
                    {"autorange": "reversed", "ticks": "", "showline": False},
                    showlegend=True,
                    margin={"l": 150, "r": 14, "t": 40, "b": 46},
                ),
                f"Scores of {len(names)} configurations from several seeds each.",
                height=130 + 44 * len(names),
            ),
        ),
    )


def _table(found: dict[str, Any], label: str) -> Table:
    rows = tuple(
        (
            name,
            str(row["place"]),
            number(row["searched"]),
            f"{number(row['mean'])}{spread(row['spread'])}",
            percent(row["wins"]),
        )
        for name, row in zip(_names(found), found["rows"], strict=True)
    )
    return Table(
        "restarts",
        f"Validation {label}, best mean over seeds first",
        ("Configuration", "Place in search", "In the search", "Over seeds", "Would be chosen"),
        rows,
        numeric=frozenset(range(1, 5)),
        note="Would be chosen: how often, with one of its seeds drawn at random for each. "
        f"Spread by the seed {number(found['within'])}, by the configuration "
        f"{number(found['between'])} (standard deviations).",
        marked=frozenset(i for i, row in enumerate(found["rows"]) if row["place"] == 1),
    )
