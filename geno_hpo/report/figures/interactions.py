"""Pairs of hyperparameters that act together: mean score of each combination of values."""

from __future__ import annotations

from collections.abc import Sequence

from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import safe, short
from geno_hpo.report.interactions import Interaction
from geno_hpo.report.style import DASHES, colour_of, layout
from geno_hpo.report.words import p_value

__all__ = ["together"]

SHOWN = 2


def together(found: Sequence[Interaction], label: str) -> Figure | None:
    """A panel a clear pair, a line a level of the first; lines that cross or part act together."""
    clear = [one for one in found if one.clear][:SHOWN]
    if not clear:
        return None
    return Figure(
        "interactions",
        "Hyperparameters that act together",
        f"Mean validation {label} of the trials with each combination of values; numbers are cut "
        "at their median. Parallel lines would mean that each acts on its own. p-values come from "
        "permutations and are corrected for all pairs tried.",
        tuple(_panel(one, label) for one in clear),
        columns=2,
    )


def _panel(one: Interaction, label: str) -> Panel:
    traces = tuple(
        {
            "type": "scatter",
            "mode": "lines+markers",
            "x": list(range(len(one.second_levels))),
            "y": short(one.means[i]),
            "name": f"{safe(one.first)} {safe(level)}",
            "text": [f"{int(count)} trials" for count in one.counts[i]],
            "hovertemplate": "%{y} (%{text})<extra></extra>",
            "line": {"color": colour_of(i), "dash": DASHES[i]},
            "marker": {"size": 8},
        }
        for i, level in enumerate(one.first_levels)
    )
    last = len(one.second_levels) - 1
    return Panel(
        traces,
        layout(
            {
                "title": safe(one.second),
                "tickvals": list(range(last + 1)),
                "ticktext": [safe(level) for level in one.second_levels],
                "range": [-0.3, last + 0.3],
            },
            {"title": f"mean validation {label}", "nticks": 5},
            showlegend=True,
        ),
        f"Mean {label} by {one.second}, a line each {one.first}.",
        title=f"{one.first} and {one.second}, {p_value(one.p_value)}",
        height=300,
    )
