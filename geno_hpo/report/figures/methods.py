"""Attribution methods side by side, and variants' importance against their univariate test."""

from __future__ import annotations

from typing import Any

import numpy as np

from geno_hpo.explanation import Association, Explanation, Track
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import safe, short
from geno_hpo.report.style import layout
from geno_hpo.report.words import number

__all__ = ["against_univariate", "methods"]

DRAWN = 1500
SEEN = 0.004
NAMED = 6


def methods(found: Explanation, names: tuple[str, ...], truth: tuple[int, ...]) -> Figure | None:
    """One panel a method, each relative to its largest position; causes marked below."""
    panels = [
        panel
        for track in found.tracks
        if track.method != "saliency" and (panel := _panel(track, names, truth)) is not None
    ]
    if not panels:
        return None
    return Figure(
        "methods",
        "The same question asked in other ways",
        "Each relative to its largest position, mean over restarts (or over the folds' networks); "
        "the pale line is one standard deviation over them. Integrated gradients weigh a position "
        "by how many samples differ there; gradient × input and mutagenesis do not, so that rare "
        "causes stand out."
        + (" Triangles: causes that the simulation put there." if truth else ""),
        tuple(panels),
        columns=1 if len(panels) == 1 else 2,
    )


def _panel(track: Track, names: tuple[str, ...], truth: tuple[int, ...]) -> Panel | None:
    known = np.where(np.isfinite(track.scores), track.scores, 0.0)
    top = float(known.max())
    if top <= 0:
        return None
    order = np.argsort(-known, kind="stable")[:DRAWN]
    shown = np.sort(order[known[order] > SEEN * top])
    spread = np.where(np.isfinite(track.spread), track.spread, 0.0)
    stems: dict[str, list[Any]] = {"x": [], "y": [], "text": [], "high": []}
    for i in shown:
        label = f"{safe(names[i])}: {known[i] / top:.2f} ± {spread[i] / top:.2f}"
        stems["x"] += [int(i), int(i), None]
        stems["y"] += [0.0, short([known[i] / top], 3)[0], None]
        stems["high"] += [
            *short([known[i] / top, min((known[i] + spread[i]) / top, 1.3)], 3),
            None,
        ]
        stems["text"] += ["", label, ""]
    line = {"type": "scatter", "mode": "lines", "x": stems["x"], "hoverinfo": "skip"}
    traces: list[dict[str, Any]] = [
        line | {"y": stems["high"], "line": {"color": "@c1/35", "width": 1.2}},
        line
        | {
            "y": stems["y"],
            "text": stems["text"],
            "hoverinfo": "all",
            "hovertemplate": "%{text}<extra></extra>",
            "line": {"color": "@c1", "width": 1.5},
        },
    ]
    if 0 < len(truth) < len(names):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": list(truth),
                "y": [-0.06] * len(truth),
                "text": [safe(names[i]) for i in truth],
                "hovertemplate": "cause: %{text}<extra></extra>",
                "marker": {"symbol": "triangle-up", "size": 6, "color": "@c5"},
            }
        )
    precision = "" if track.precision is None else f", AUPRC of the causes {track.precision:.2f}"
    best = safe(names[int(order[0])])
    return Panel(
        tuple(traces),
        layout(
            {"range": [-0.01 * len(names), 1.01 * len(names)], "showgrid": False, "nticks": 6},
            {"range": [-0.12, 1.32], "tickvals": [0, 0.5, 1]},
            margin={"l": 36, "r": 8, "t": 6, "b": 30},
            dragmode="zoom",
        ),
        f"{track.label} of {len(names)} positions; largest at {best}.",
        title=f"{track.label}: first {names[int(order[0])]}{precision}",
        height=190,
    )


def against_univariate(
    found: Association, names: tuple[str, ...], truth: tuple[int, ...]
) -> Figure:
    """Permutation importance against −log10 p, a point a variant."""
    log_p = found.log_p[found.columns]
    causal = np.isin(found.columns, truth)
    partial = 0 < len(truth) < len(names)
    traces: list[dict[str, Any]] = []
    for chosen, name, colour, symbol in (
        (False, "other variants", "@c6", "circle"),
        (True, "simulated causes", "@c5", "triangle-up"),
    ):
        here = (
            np.flatnonzero(causal == chosen) if partial else np.arange(len(causal) * (not chosen))
        )
        if len(here) == 0:
            continue
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": short(log_p[here], 4),
                "y": short(found.loss[here], 4),
                "name": name if partial else "variants",
                "text": [
                    f"{safe(names[found.columns[i]])}: loss {number(float(found.loss[i]), 4)}, "
                    f"p = {10 ** -log_p[i]:.1e}"
                    for i in here
                ],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": 8 if chosen else 6,
                    "color": colour if partial else "@c1",
                    "symbol": symbol,
                    "opacity": 0.85,
                },
            }
        )
    best = np.argsort(-found.loss, kind="stable")[:NAMED]
    spare = 0.06 * float(np.ptp(found.loss) or 1.0)
    notes: list[dict[str, Any]] = []
    for i in best:
        if all(
            abs(note["y"] - found.loss[i]) > spare
            or abs(note["x"] - log_p[i]) > 0.12 * np.ptp(log_p)
            for note in notes
        ):
            notes.append(
                {
                    "x": short([log_p[i]])[0],
                    "y": short([found.loss[i]])[0],
                    "text": safe(names[found.columns[i]]),
                    "showarrow": False,
                    "yanchor": "bottom",
                    "yshift": 4,
                    "font": {"size": 11, "color": "@ink"},
                }
            )
    return Figure(
        "association",
        "What the network uses, and what a test of one variant at a time sees",
        f"Loss of test {found.metric} when a variant is shuffled over the samples (mean over "
        "restarts), against −log10 p of its univariate test on the development samples. High and "
        "left: the network uses what one-at-a-time tests miss. Low and right: associated, but the "
        "network can do without it, often because a neighbour in linkage says the same.",
        (
            Panel(
                tuple(traces),
                layout(
                    {"title": "−log10 p, one variant at a time", "rangemode": "tozero"},
                    {"title": f"loss of {found.metric} when shuffled"},
                    annotations=notes,
                    showlegend=partial,
                ),
                f"Scatter of {len(found.columns)} variants.",
                height=400,
            ),
        ),
    )
