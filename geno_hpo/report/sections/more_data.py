"""Would more data help? Scores over growing training parts of the same folds."""

from __future__ import annotations

from typing import Any

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Block, Figure, Panel, Section, Text
from geno_hpo.report.figures.drawn import short
from geno_hpo.report.style import layout
from geno_hpo.report.words import metric_label, missing, model_label

__all__ = ["more_data"]

COLOURS = ("@c1", "@c2")


def more_data(outcome: StudyOutcome) -> Section | None:
    """The learning curve over sample size; None where it was left out."""
    entries = outcome.summary.get("learning_curve") or []
    if not entries:
        return None
    label = metric_label(outcome.summary["metric"])
    told: list[Block] = [
        Text(_named(entry), "finding" if not i else "plain") for i, entry in enumerate(entries)
    ]
    return Section(
        "more-data", "Would more data help?", (*told, _figure(entries, label)), short="More data"
    )


def _named(entry: dict[str, Any]) -> str:
    return str(entry["sentence"]).replace(entry["model"], model_label(entry["model"]), 1)


def _figure(entries: list[dict[str, Any]], label: str) -> Figure:
    traces: list[dict[str, Any]] = []
    for entry, colour in zip(entries, COLOURS, strict=False):
        name = model_label(entry["model"])
        known = not any(missing(x) for x in entry["spread"])
        bars = {"type": "data", "array": short(entry["spread"]), "color": colour, "width": 4}
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": name,
                "x": short(entry["samples"]),
                "y": short(entry["scores"]),
                **({"error_y": bars} if known else {}),
                "line": {"color": colour, "width": 2},
                "marker": {"color": colour, "size": 8},
                "hovertemplate": f"{name}: %{{y}} with %{{x}} samples<extra></extra>",
            }
        )
        if not missing(entry["twice"]):
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines",
                    "name": f"{name}, if it goes on",
                    "x": short([entry["samples"][-1], 2 * entry["samples"][-1]]),
                    "y": short([entry["scores"][-1], entry["twice"]]),
                    "line": {"color": colour, "width": 2, "dash": "dot"},
                    "hovertemplate": "%{y}<extra>foretold</extra>",
                }
            )
    return Figure(
        "learning-curve",
        "Score against the number of training samples",
        "Winner and best baseline trained on 20 to 100 % of the folds' training parts, judged on "
        "the whole validation parts; bars: standard deviation over the folds. Dotted: a power law "
        "followed to twice the samples, no further.",
        (
            Panel(
                tuple(traces),
                layout(
                    {"title": "training samples of a fold"},
                    {"title": f"validation {label}"},
                    showlegend=True,
                ),
                f"Validation score of {len(entries)} models over the number of training samples.",
            ),
        ),
    )
