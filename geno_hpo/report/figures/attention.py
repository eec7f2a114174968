"""The attribution track: what each position contributes, along the genes."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from geno_hpo.outcome import Attribution
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import nice_ticks, safe, short
from geno_hpo.report.style import colour_of, layout

__all__ = ["outside_codons", "track"]

# Positions drawn at most; one that contributes less than this share of the largest is not drawn.
DRAWN = 3000
SEEN = 0.002
NAMED = 5
LOW = 0.04  # of the highest, below which nothing is named
_CODON = re.compile(r"^.+:(\d+)\.1$")
_IN_CODON = re.compile(r":\d+\.[123](\+\d+)?$")


def track(found: Attribution) -> Figure | None:
    """Stems along the axis, genes below, causes of a simulation as triangles."""
    scores = np.asarray(found.scores, dtype=np.float64)
    top = float(scores.max()) if len(scores) else 0.0
    if top <= 0:
        return None
    order = np.argsort(-scores, kind="stable")[:DRAWN]
    shown = np.sort(order[scores[order] > SEEN * top])
    traces = [_stems(found, scores, shown)]
    if found.truth:
        traces.append(_causes(found, top))
    lay = layout(
        _x_axis(found),
        {
            "title": "mean |contribution|",
            "range": [-0.13 * top, 1.18 * top],
            "tickformat": ".2g",
            "tickvals": _from_zero(top),
        },
        showlegend=bool(found.truth),
        annotations=_labels(found, scores),
        shapes=_genes(found, top),
        dragmode="zoom",
    )
    caption = (
        "Gradient × deviation from the cohort's mean input, absolute, mean over samples and "
        f"{found.restarts} restart{'s' if found.restarts > 1 else ''}. A position that never "
        "changes contributes nothing. Drag to zoom, double-click to go back."
    )
    hidden = int((scores > 0).sum()) - len(shown)
    if hidden > 0:
        caption += f" {hidden:,} positions with smaller contributions are in positions.csv."
    return Figure(
        "track",
        "Contribution of every position",
        caption,
        (
            Panel(
                tuple(traces),
                lay,
                f"Attribution of {len(scores)} positions; largest at {found.names[order[0]]}.",
                height=360,
            ),
        ),
    )


def _stems(found: Attribution, scores: Any, shown: Any) -> dict[str, Any]:
    x: list[float | None] = []
    y: list[float | None] = []
    text: list[str] = []
    for i in shown:
        height = short([scores[i]])[0]
        name = safe(found.names[i])
        label = f"{name}: {scores[i]:.3g} ± {found.spread[i]:.2g}"
        x += [int(i), int(i), None]
        y += [0.0, height, None]
        text += ["", label, ""]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x,
        "y": y,
        "text": text,
        "name": "contribution",
        "hovertemplate": "%{text}<extra></extra>",
        "line": {"color": "@c1", "width": 1.8},
    }


def _causes(found: Attribution, top: float) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(found.truth),
        "y": short([-0.035 * top] * len(found.truth)),
        "text": [safe(found.names[i]) for i in found.truth],
        "name": "simulated cause",
        "hovertemplate": "cause: %{text}<extra></extra>",
        "marker": {"symbol": "triangle-up", "size": 8, "color": "@c5"},
    }


def _x_axis(found: Attribution) -> dict[str, Any]:
    """Codon numbers for a single coding locus, else plain columns; genes are named by `_genes`."""
    length = len(found.names)
    wide: dict[str, Any] = {"range": [-0.01 * length, 1.01 * length]}
    if len(found.loci) == 1 and found.codons:
        starts = {
            int(match[1]): i for i, name in enumerate(found.names) if (match := _CODON.match(name))
        }
        if starts:
            step = _codon_step(max(starts))
            at = [n for n in starts if n == 1 or n % step == 0]
            wide |= {"tickvals": [starts[n] for n in at], "ticktext": [str(n) for n in at]}
            return {"title": f"codon of {safe(found.loci[0][0])}", "showgrid": False, **wide}
    positions = bool(found.loci) or found.names[0].isdigit()
    return {"title": "position" if positions else "variant", "showgrid": False, **wide}


def _codon_step(last: int) -> int:
    return next((s for s in (10, 20, 50, 100, 200, 500) if last / s <= 9), 1000)


def _labels(found: Attribution, scores: Any) -> list[dict[str, Any]]:
    """Names over the best codons and positions; none over another's shoulder."""
    best = [
        (place, named)
        for place, named in _named(found, scores)[:NAMED]
        if scores[place] > LOW * float(scores.max())
    ]
    labels: list[dict[str, Any]] = []
    room, storey = 0.06 * len(found.names), 0.08 * float(scores.max())
    for place, name in best:
        near = [label for label in labels if abs(label["x"] - place) < room]
        if any(abs(label["y"] - scores[place]) < storey for label in near):
            continue
        side = "center" if not near else "left" if place > near[0]["x"] else "right"
        labels.append(
            {
                "x": place,
                "xanchor": side,
                "xshift": {"center": 0, "left": -3, "right": 3}[side],
                "y": short([scores[place]])[0],
                "text": safe(name),
                "showarrow": False,
                "yanchor": "bottom",
                "yshift": 3,
                "font": {"size": 12, "color": "@ink"},
            }
        )
    for place, (name, start, stop) in enumerate(found.loci if len(found.loci) > 1 else ()):
        labels.append(
            {
                "x": (start + stop) / 2,
                "y": 1.0,
                "yref": "paper",
                "text": safe(name),
                "showarrow": False,
                "yanchor": "top",
                "font": {"size": 12, "color": colour_of(place)},
            }
        )
    return labels


def _named(found: Attribution, scores: Any) -> list[tuple[int, str]]:
    """Columns with a name for people, the highest first; of a codon its highest position alone."""
    named = {}
    for codon in found.codons:
        if codon.column >= 0:
            place = codon.column + int(np.argmax(scores[codon.column : codon.column + 3]))
            named[place] = codon.change.partition(",")[0] or f"{codon.locus} {codon.number}"
    outside = outside_codons(found)
    for i in outside if found.codons else range(len(scores)):
        named[int(i)] = found.names[i]
    return sorted(named.items(), key=lambda one: -float(scores[one[0]]))


def outside_codons(found: Attribution) -> list[int]:
    """Columns that no codon holds, such as a promoter's, the highest score first."""
    order = np.argsort(-np.asarray(found.scores, dtype=np.float64), kind="stable")
    return [int(i) for i in order if _IN_CODON.search(found.names[i]) is None]


def _genes(found: Attribution, top: float) -> list[dict[str, Any]]:
    return [
        {
            "type": "rect",
            "x0": start,
            "x1": stop,
            "y0": -0.12 * top,
            "y1": -0.075 * top,
            "fillcolor": f"{colour_of(place)}/30" if len(found.loci) > 1 else "@faint/35",
            "line": {"width": 0},
        }
        for place, (_, start, stop) in enumerate(found.loci)
    ]


def _from_zero(top: float) -> list[float | None]:
    return short(nice_ticks(0.0, top, most=5))
