"""Hyperparameters: importance, pairs of them, all at once, and when trials were stopped."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.explanation import Importance
from geno_hpo.outcome import TrialRecord
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import safe, short
from geno_hpo.report.style import layout
from geno_hpo.report.words import model_label, number, percent, value

__all__ = ["contour", "importances", "parallel", "timeline"]

BARS = 10
AXES = 7
GRID = 25
# A parameter that spans more than this factor is drawn on a logarithmic axis.
LOG_SPAN = 30.0
FEWEST = 8
Trace = dict[str, Any]


def importances(found: Importance) -> Figure | None:
    """Bars of the largest shares."""
    if not found.shares:
        return None
    names = list(found.shares)[:BARS]
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": short(found.shares[name] for name in names),
        "y": [safe(name) for name in names],
        "text": [percent(found.shares[name]) for name in names],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": "@c1"},
        "hovertemplate": "%{y}: %{text}<extra></extra>",
    }
    widest = max(len(name) for name in names)
    return Figure(
        "importance",
        "Which hyperparameters mattered",
        f"Share of each in being among the best {found.best} of {found.trials} complete trials "
        "(conditional PED-ANOVA). It tells associations inside the searched ranges: a parameter "
        "whose whole range works well has a small share.",
        (
            Panel(
                (bars,),
                layout(
                    {"title": "share", "tickformat": ".0%", "rangemode": "tozero", "nticks": 6},
                    {"autorange": "reversed", "ticks": "", "showline": False},
                    margin={"l": 30 + 7 * widest, "r": 52, "t": 8, "b": 46},
                ),
                "Bars of importance: "
                + ", ".join(f"{name} {percent(found.shares[name])}" for name in names),
                height=80 + 27 * len(names),
            ),
        ),
    )


def contour(
    trials: Sequence[TrialRecord], pair: tuple[str, str], label: str, maximise: bool
) -> Figure | None:
    """Scores over two numeric hyperparameters, smoothed; every trial as a point."""
    having = [t for t in trials if _scored(t) and all(_numeric(t.params.get(n)) for n in pair)]
    axes = [np.array([float(t.params[n]) for t in having]) for n in pair]
    if len(having) < FEWEST or any(len(set(x.tolist())) < 4 for x in axes):
        return None
    logs = [_logarithmic(x) for x in axes]
    inner = [np.log10(x) if log else x for x, log in zip(axes, logs, strict=True)]
    scores = np.array([t.score for t in having], dtype=np.float64)
    grids = [np.linspace(x.min(), x.max(), GRID) for x in inner]
    surface = _smoothed(inner, scores, grids)
    shown = [10**g if log else g for g, log in zip(grids, logs, strict=True)]
    traces = (
        {
            "type": "contour",
            "x": short(shown[0]),
            "y": short(shown[1]),
            "z": [short(row, 4) for row in surface],
            "ncontours": 10,
            "colorscale": [[0, "@paper"], [1, "@c1"]] if maximise else [[0, "@c1"], [1, "@paper"]],
            "contours": {"coloring": "fill"},
            "line": {"width": 0.6, "color": "@faint"},
            "hoverinfo": "skip",
            "colorbar": {"title": {"text": label, "side": "right"}, "thickness": 12, "len": 0.9},
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": short(axes[0]),
            "y": short(axes[1]),
            "text": [f"trial {t.number}: {number(t.score, 4)} ({t.state})" for t in having],
            "hovertemplate": "%{text}<extra></extra>",
            "marker": {
                "size": 7,
                "color": "@ink",
                "symbol": ["circle-open" if t.state == "pruned" else "circle" for t in having],
            },
        },
    )
    kinds: list[dict[str, Any]] = [
        {"type": "log", "exponentformat": "power", "dtick": 1} if log else {} for log in logs
    ]
    return Figure(
        "contour",
        f"{pair[0]} and {pair[1]} together",
        f"Smoothed validation {label} (a Gaussian of a sixth of each range) over two of the most "
        "important numbers. Points are trials; open ones were pruned. Where no point is near, the "
        "surface is a guess.",
        (
            Panel(
                traces,
                layout({"title": pair[0], **kinds[0]}, {"title": pair[1], **kinds[1]}),
                f"Contour of {label} over {pair[0]} and {pair[1]}.",
                height=380,
            ),
        ),
    )


def parallel(
    trials: Sequence[TrialRecord], names: Sequence[str], label: str, maximise: bool
) -> Figure | None:
    """Every trial as a line across its hyperparameters; the best quarter in colour."""
    scored = [t for t in trials if _scored(t)]
    drawn = [n for n in names if sum(n in t.params for t in scored) > 1][: AXES - 1]
    if len(scored) < FEWEST or len(drawn) < 2:
        return None
    heights, labels = zip(*(_axis(scored, name) for name in drawn), strict=True)
    scores = np.array([t.score for t in scored], dtype=np.float64)
    low, high = float(scores.min()), float(scores.max())
    heights = (*heights, (scores - low) / ((high - low) or 1.0))
    labels = (*labels, ((0.0, number(low)), (1.0, number(high))))
    order = np.argsort(-scores if maximise else scores, kind="stable")
    best = set(order[: max(1, len(order) // 4)].tolist())
    traces = []
    for chosen, name, colour, width in (
        (False, "other trials", "@faint/45", 1.0),
        (True, "best quarter", "@c1/75", 1.8),
    ):
        x: list[Any] = []
        y: list[Any] = []
        text: list[str] = []
        for place in (i for i in range(len(scored)) if (i in best) is chosen):
            values = [float(h[place]) for h in heights]
            known = [i for i, one in enumerate(values) if math.isfinite(one)]
            trial = scored[place]
            x += [*known, None]
            y += [*short(values[i] for i in known), None]
            text += [f"trial {trial.number}: {number(trial.score, 4)}"] * (len(known) + 1)
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": x,
                "y": y,
                "text": text,
                "name": name,
                "hovertemplate": "%{text}<extra></extra>",
                "line": {"color": colour, "width": width},
            }
        )
    notes: list[dict[str, Any]] = [
        {
            "x": axis,
            "y": short([at])[0],
            "text": safe(told),
            "showarrow": False,
            "xanchor": "left",
            "xshift": 4,
            "font": {"size": 10.5, "color": "@soft"},
            "bgcolor": "@paper",
        }
        for axis, marks in enumerate(labels)
        for at, told in marks
    ]
    bars: list[dict[str, Any]] = [
        {
            "type": "line",
            "x0": axis,
            "x1": axis,
            "y0": 0,
            "y1": 1,
            "line": {"color": "@faint", "width": 1},
        }
        for axis in range(len(heights))
    ]
    heads = [*map(safe, drawn), label]
    return Figure(
        "parallel",
        "Every trial across its hyperparameters",
        "Each line is a trial, from its hyperparameters (the most important first) to its score on "
        "the right. A line skips what its branch of the space does not have.",
        (
            Panel(
                tuple(traces),
                layout(
                    {
                        "tickvals": list(range(len(heads))),
                        "ticktext": [head.replace("_", "<br>") for head in heads],
                        "range": [-0.12, len(heads) - 0.55],
                        "showgrid": False,
                        "showline": False,
                        "ticks": "",
                        "side": "top",
                    },
                    {"visible": False, "range": [-0.06, 1.06]},
                    annotations=notes,
                    shapes=bars,
                    showlegend=True,
                    legend={"orientation": "h", "x": 0, "y": -0.02, "yanchor": "top"},
                    margin={"l": 10, "r": 10, "t": 46, "b": 34},
                ),
                f"Parallel coordinates of {len(scored)} trials.",
                height=400,
            ),
        ),
    )


def timeline(trials: Sequence[TrialRecord]) -> Figure | None:
    """Epochs that each trial was given, and where the pruner stopped it."""
    drawn = [t for t in trials if t.epochs > 0 and t.state in ("complete", "pruned")]
    pruned = [t for t in drawn if t.state == "pruned"]
    if not pruned:
        return None
    traces: list[Trace] = []
    for state, colour in (("complete", "@c1"), ("pruned", "@c2")):
        part = [t for t in drawn if t.state == state]
        traces.append(
            {
                "type": "bar",
                "x": [t.number for t in part],
                "y": [t.epochs for t in part],
                "name": f"{state} ({len(part)})",
                "width": 0.85,
                "marker": {"color": colour},
                "text": [f"{model_label(t.model)} trial {t.number}: {t.reason}" for t in part],
                "textposition": "none",
                "hovertemplate": "%{text}, %{y} epochs<extra></extra>",
            }
        )
    spent = sum(t.epochs for t in drawn)
    longest = max(t.epochs for t in drawn)
    return Figure(
        "pruning",
        "What pruning saved",
        f"Epochs of every trial. {len(pruned)} trials were stopped early; all trials together took "
        f"{spent:,} epochs, {percent(spent / (longest * len(drawn)))} of what as many trials of "
        f"{longest} epochs would have taken.",
        (
            Panel(
                tuple(traces),
                layout(
                    {"title": "trial"},
                    {"title": "epochs", "rangemode": "tozero"},
                    showlegend=True,
                    barmode="overlay",
                ),
                f"Bars of epochs of {len(drawn)} trials, {len(pruned)} of them pruned.",
                height=260,
            ),
        ),
    )


def _axis(
    trials: Sequence[TrialRecord], name: str
) -> tuple[NDArray[np.float64], tuple[tuple[float, str], ...]]:
    """Height of each trial from 0 to 1 (NaN without the parameter), and what marks to write."""
    values = [t.params.get(name) for t in trials]
    known = [v for v in values if v is not None]
    if all(_numeric(v) for v in known) and len(set(known)) > 1:
        numbers = np.array([math.nan if v is None else float(v) for v in values])
        inner = np.log10(numbers) if _logarithmic(numbers) else numbers
        low, high = float(np.nanmin(inner)), float(np.nanmax(inner))
        ends = ((0.0, value(min(known))), (1.0, value(max(known))))
        return (inner - low) / (high - low), ends
    kinds = sorted({value(v) for v in known})
    step = 1.0 / max(len(kinds) - 1, 1)
    place = {kind: i * step if len(kinds) > 1 else 0.5 for i, kind in enumerate(kinds)}
    heights = np.array([math.nan if v is None else place[value(v)] for v in values])
    return heights, tuple((at, kind) for kind, at in place.items())


def _smoothed(
    points: list[NDArray[np.float64]], scores: NDArray[np.float64], grids: list[NDArray[np.float64]]
) -> NDArray[np.float64]:
    """Kernel mean of the scores on the grid, ``(second grid, first grid)``."""
    widths = [(np.ptp(x) or 1.0) / 6 for x in points]
    first, second = np.meshgrid(grids[0], grids[1])
    distance = ((first[..., None] - points[0]) / widths[0]) ** 2
    distance += ((second[..., None] - points[1]) / widths[1]) ** 2
    nearest = distance.min(axis=-1, keepdims=True)
    weights = np.exp(-0.5 * (distance - nearest))
    surface: NDArray[np.float64] = (weights * scores).sum(axis=-1) / weights.sum(axis=-1)
    return surface


def _logarithmic(values: NDArray[np.float64]) -> bool:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    return low > 0 and high / low > LOG_SPAN


def _scored(trial: TrialRecord) -> bool:
    return (
        trial.score is not None
        and math.isfinite(trial.score)
        and trial.state in ("complete", "pruned")
    )


def _numeric(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
