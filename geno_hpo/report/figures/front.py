"""Score against costs: every complete trial, the Pareto front, and the winner."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from geno_hpo.outcome import TrialRecord
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import line, short
from geno_hpo.report.style import layout
from geno_hpo.report.words import model_label, number

__all__ = ["COSTS", "cost", "front_figure"]

COSTS = {
    "parameters": ("trained values", "trained values"),
    "seconds": ("seconds of training", "seconds of training, all folds"),
}
"""Costs by their names in study files: in a sentence, and on an axis."""
LOG_SPAN = 10.0
"""Costs that span more than this factor are drawn on a logarithmic axis."""


def cost(value: float) -> str:
    """A cost for people: whole from a hundred on."""
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"


def front_figure(
    trials: Sequence[TrialRecord],
    found: dict[str, Any],
    names: Sequence[str],
    winner: int,
    label: str,
    maximise: bool,
) -> Figure | None:
    """A panel for each cost; None without a trial to draw.

    Parameters
    ----------
    trials
        Complete trials of the search.
    found
        ``front`` of the summary.
    names
        The costs, in the study's order.
    winner
        Number of the winning trial.
    label, maximise
        The score's name, and whether a higher one is better.
    """
    drawn = [t for t in trials if t.score is not None and all(name in t.costs for name in names)]
    if not drawn:
        return None
    return Figure(
        "front",
        f"Validation {label} against its cost",
        "Each point is a trial. Filled: no other trial is at least as good in every objective; "
        "open: another one is. The shaded band reaches from the best score to one standard error "
        "(over the folds) from it; the cheapest trial inside it, marked by a diamond, wins.",
        tuple(_panel(drawn, found, name, winner, label, maximise, len(names)) for name in names),
        columns=len(names),
    )


def _panel(
    trials: Sequence[TrialRecord],
    found: dict[str, Any],
    name: str,
    winner: int,
    label: str,
    maximise: bool,
    panels: int,
) -> Panel:
    best = {row["trial"] for row in found["rows"]}
    parts = {
        "on the front": [t for t in trials if t.number in best],
        "beaten by another": [t for t in trials if t.number not in best],
        "winner": [t for t in trials if t.number == winner],
    }
    traces: list[dict[str, Any]] = []
    if panels == 1:
        steps = sorted((row["costs"][name], row["score"]) for row in found["rows"])
        style = line([x for x, _ in steps], [y for _, y in steps], "front", "@ink", width=1.5)
        shape = {"color": "@ink", "width": 1.5, "shape": "hv"}
        traces.append(style | {"line": shape, "hoverinfo": "skip", "showlegend": False})
    looks = {
        "beaten by another": {"size": 8, "symbol": "circle-open", "color": "@c6", "opacity": 0.8},
        "on the front": {"size": 9, "symbol": "circle", "color": "@c1"},
        "winner": {"size": 13, "symbol": "diamond", "color": "@c2"},
    }
    for said, look in looks.items():
        if not parts[said]:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": said,
                "x": [t.costs[name] for t in parts[said]],
                "y": short(t.score for t in parts[said]),
                "text": [_hover(t) for t in parts[said]],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": look,
            }
        )
    low, high = sorted((found["limit"], found["best_score"]))
    costs = [t.costs[name] for t in trials]
    axis: dict[str, Any] = {"title": COSTS[name][1]}
    if min(costs) > 0 and max(costs) / min(costs) > LOG_SPAN:
        ends = [math.log10(min(costs)) - 0.08, math.log10(max(costs)) + 0.08]
        axis |= {"type": "log", "range": ends, "exponentformat": "power", "dtick": 1}
    band = {
        "type": "rect",
        "xref": "paper",
        "x0": 0,
        "x1": 1,
        "y0": low,
        "y1": high,
        "fillcolor": "@c2/15",
        "line": {"width": 0},
        "layer": "below",
    }
    aim = "higher" if maximise else "lower"
    return Panel(
        tuple(traces),
        layout(axis, {"title": f"validation {label}"}, showlegend=True, shapes=[band]),
        f"{len(trials)} trials by {COSTS[name][0]} and score ({aim} is better); "
        f"{len(parts['on the front'])} on the front.",
        height=380,
    )


def _hover(trial: TrialRecord) -> str:
    costs = [f"{cost(value)} {COSTS[name][0]}" for name, value in trial.costs.items()]
    head = f"trial {trial.number}, {model_label(trial.model)}: {number(trial.score, 4)}"
    return "<br>".join([head, *costs])
