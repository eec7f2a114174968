"""Differences with their intervals around 0, a line each: of one study, or of several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geno_hpo.report.blocks import Panel
from geno_hpo.report.figures.drawn import short
from geno_hpo.report.style import layout

__all__ = ["difference_panel"]


def difference_panel(
    names: Sequence[str],
    rows: Sequence[dict[str, Any]],
    title: str,
    alt: str,
    *,
    texts: Sequence[str] = (),
    marked: Sequence[bool] = (),
    margin: float | None = None,
) -> Panel:
    """Points with intervals on one axis that has 0 in its middle.

    Parameters
    ----------
    names, rows
        What stands beside each line, and its ``difference`` and ``ci``.
    title, alt
        Of the axis; of the panel in words.
    texts
        What each point tells when it is touched, beside its number.
    marked
        Points drawn larger, as a diamond.
    margin
        Differences up to this are shaded as not worth having.
    """
    farthest = max(abs(end) for row in rows for end in row["ci"])
    reach = max(1.1 * farthest, 1.2 * (margin or 0.0)) or 1.0
    shapes: list[dict[str, Any]] = [
        _from_top_to_bottom(0.0, 0.0, {"type": "line", "line": {"color": "@faint", "width": 1.5}})
    ]
    if margin:
        shade = {"type": "rect", "fillcolor": "@c6/10", "line": {"width": 0}, "layer": "below"}
        shapes.append(_from_top_to_bottom(-margin, margin, shade))
    large = list(marked) or [False] * len(rows)
    trace = {
        "type": "scatter",
        "mode": "markers",
        "x": short(row["difference"] for row in rows),
        "y": list(names),
        "text": list(texts) or [""] * len(rows),
        "hovertemplate": "%{y}: %{x} %{text}<extra></extra>",
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": short(row["ci"][1] - row["difference"] for row in rows),
            "arrayminus": short(row["difference"] - row["ci"][0] for row in rows),
            "thickness": 2,
            "width": 5,
            "color": "@c1",
        },
        "marker": {
            "size": [13 if one else 10 for one in large],
            "symbol": ["diamond" if one else "circle" for one in large],
            "color": "@c1",
        },
    }
    return Panel(
        (trace,),
        layout(
            {"title": title, "nticks": 7, "range": [-reach, reach]},
            {"autorange": "reversed", "ticks": "", "showline": False},
            shapes=shapes,
            margin={"l": 120, "r": 14, "t": 8, "b": 46},
        ),
        alt,
        height=90 + 44 * len(rows),
    )


def _from_top_to_bottom(left: float, right: float, shape: dict[str, Any]) -> dict[str, Any]:
    return {"x0": left, "x1": right, "yref": "paper", "y0": 0, "y1": 1, **shape}
