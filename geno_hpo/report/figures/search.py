"""How the search went: history, every trial's curve, and slices through the hyperparameters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from geno_hpo.outcome import TrialRecord
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import line, safe, short
from geno_hpo.report.style import colour_of, layout
from geno_hpo.report.words import model_label, number, value

__all__ = ["curves_of_trials", "explained", "history", "slices"]

SLICES = 6
# A parameter that spans more than this factor is drawn on a logarithmic axis.
LOG_SPAN = 30.0


def history(trials: Sequence[TrialRecord], label: str, maximise: bool) -> Figure | None:
    """Score of every trial in order, with the best so far as a step line."""
    scored = [(t.number, t) for t in trials if _scored(t)]
    if not scored:
        return None
    families = list(dict.fromkeys(t.model for t in trials))
    traces: list[dict[str, Any]] = []
    best_x, best_y = _best_so_far(scored, maximise)
    traces.append(
        line([*best_x, trials[-1].number], [*best_y, best_y[-1]], "best so far", "@ink", width=1.5)
        | {"line": {"color": "@ink", "width": 1.5, "shape": "hv"}, "hoverinfo": "skip"}
    )
    for place, family in enumerate(families):
        for state in ("complete", "pruned"):
            part = [(i, t) for i, t in scored if t.model == family and t.state == state]
            if not part:
                continue
            colour = colour_of(place)
            pruned = state == "pruned"
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [i for i, _ in part],
                    "y": short(t.score for _, t in part),
                    "name": f"{model_label(family)}, {state}",
                    "text": [_hover(t) for _, t in part],
                    "hovertemplate": "%{text}<extra></extra>",
                    "marker": {
                        "size": 7 if pruned else 9,
                        "symbol": "circle-open" if pruned else "circle",
                        "color": colour,
                        "opacity": 0.75 if pruned else 0.9,
                    },
                }
            )
    failed = [t for t in trials if t.state == "failed"]
    if failed:
        worst = min if maximise else max
        floor = worst(float(t.score) for _, t in scored if t.score is not None)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [t.number for t in failed],
                "y": short([floor] * len(failed)),
                "name": "failed (no score)",
                "text": [f"trial {t.number}: {safe(t.reason)}" for t in failed],
                "hovertemplate": "%{text}<extra></extra>",
                "marker": {
                    "size": 9,
                    "symbol": "x-thin-open",
                    "color": "@c5",
                    "line": {"width": 2},
                },
            }
        )
    return Figure(
        "history",
        "The search, trial by trial",
        f"Mean validation {label} over the folds. Filled: ran to the end; open: stopped early"
        + ("; crosses: failed, without a score" if failed else "")
        + ". The line is the best so far, complete trials only.",
        (
            Panel(
                tuple(traces),
                layout(
                    {"title": "trial", "range": [-1, trials[-1].number + 1]},
                    {"title": f"validation {label}"},
                    showlegend=True,
                ),
                f"Scatter of {len(scored)} trials' scores; the best is {number(best_y[-1])}.",
                height=360,
            ),
        ),
    )


def curves_of_trials(
    trials: Sequence[TrialRecord], label: str, best: TrialRecord | None
) -> Figure | None:
    """Every trial's mean validation score against the epoch."""
    drawn = [t for t in trials if len(t.curve) > 0]
    if not drawn:
        return None
    traces = []
    longest = max(len(t.curve) for t in drawn)
    for state, colour, opacity in (("pruned", "@faint", 0.55), ("complete", "@c1", 0.55)):
        x: list[int | None] = []
        y: list[float | None] = []
        text: list[str] = []
        part = [t for t in drawn if t.state == state]
        for t in part:
            x += [*range(1, len(t.curve) + 1), None]
            y += [*short(t.curve), None]
            text += [f"{model_label(t.model)} trial {t.number}"] * (len(t.curve) + 1)
        if part:
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers" if max(len(t.curve) for t in part) < 2 else "lines",
                    "x": x,
                    "y": y,
                    "text": text,
                    "name": f"{state} ({len(part)})",
                    "opacity": opacity,
                    "line": {"color": colour, "width": 1.2},
                    "hovertemplate": "%{text}, epoch %{x}: %{y}<extra></extra>",
                }
            )
    if best is not None and best.curve:
        epochs = range(1, len(best.curve) + 1)
        traces.append(line(epochs, best.curve, f"winner (trial {best.number})", "@c2", width=2.5))
    if not traces:
        return None
    return Figure(
        "trial_curves",
        "Every trial against the epoch",
        f"Mean validation {label} over the folds after each epoch. A grey curve that ends early "
        "was pruned: at that epoch too few trials before it had done worse.",
        (
            Panel(
                tuple(traces),
                layout(
                    {"title": "epoch", "range": [0.5, longest + 0.5]},
                    {"title": f"validation {label}"},
                    showlegend=True,
                ),
                f"Learning curves of {len(drawn)} trials.",
                height=360,
            ),
        ),
    )


def slices(trials: Sequence[TrialRecord], label: str) -> Figure | None:
    """Score against each of the parameters that sort good from poor trials best."""
    scored = [t for t in trials if _scored(t)]
    names = dict.fromkeys(name for t in scored for name in t.params)
    ranked = sorted(((explained(scored, name), name) for name in names), reverse=True)
    chosen = [name for share, name in ranked if share > 0][:SLICES]
    if not chosen or len(scored) < 4:
        return None
    panels = tuple(_slice(scored, name, label) for name in chosen)
    left = len(ranked) - len(chosen)
    return Figure(
        "slices",
        "Hyperparameters against the score",
        f"Filled: complete; open: pruned. The {len(chosen)} parameters that part good from poor "
        "trials most, in order: the share of the scores' variance between the values (numbers cut "
        f"into thirds). {f'{left} more are in trials.csv. ' if left else ''}"
        "A sampler looks where it hopes to win, so these are associations, not effects.",
        panels,
        columns=3,
    )


def explained(trials: Sequence[TrialRecord], name: str) -> float:
    """Share of the scores' variance that lies between a parameter's values, from 0 to 1.

    This is ε², the η² of a one-way analysis of variance less what chance would give so many
    groups of so few trials.

    Numbers with more than four distinct values are cut at their thirds. Trials without the
    parameter (another branch of the space) do not count.
    """
    having = [t for t in trials if name in t.params and t.score is not None]
    values = [t.params[name] for t in having]
    scores = np.array([t.score for t in having], dtype=np.float64)
    total = float(((scores - scores.mean()) ** 2).sum()) if len(scores) else 0.0
    if len(set(map(str, values))) < 2 or total == 0:
        return 0.0
    if all(_numeric(v) for v in values) and len(set(values)) > 4:
        cuts = np.quantile(np.array(values, dtype=np.float64), [1 / 3, 2 / 3])
        groups = np.searchsorted(cuts, np.array(values, dtype=np.float64)).tolist()
    else:
        groups = [str(v) for v in values]
    between = 0.0
    for group in set(groups):
        part = scores[[g == group for g in groups]]
        between += len(part) * float(part.mean() - scores.mean()) ** 2
    spare = len(scores) - len(set(groups))
    if spare <= 0:
        return 0.0
    return max(0.0, 1 - (1 - between / total) * (len(scores) - 1) / spare)


def _slice(trials: Sequence[TrialRecord], name: str, label: str) -> Panel:
    having = [t for t in trials if name in t.params]
    values = [t.params[name] for t in having]
    numeric = all(_numeric(v) for v in values)
    x_axis: dict[str, Any] = {}
    xs: list[Any] = [float(v) for v in values] if numeric else [safe(value(v)) for v in values]
    if numeric:
        low, high = min(xs), max(xs)
        if low > 0 and high / low > LOG_SPAN:
            x_axis = {"type": "log", "exponentformat": "power", "dtick": 1}
        elif len(set(xs)) <= 6 and all(float(f"{x:.3g}") == x for x in xs):
            x_axis = {"tickvals": sorted(set(xs))}
    else:
        x_axis = {"type": "category"}
    families = list(dict.fromkeys(t.model for t in trials))
    return Panel(
        (
            {
                "type": "scatter",
                "mode": "markers",
                "x": xs,
                "y": short(t.score for t in having),
                "text": [_hover(t) for t in having],
                "hovertemplate": f"{safe(name)} %{{x}}<br>%{{text}}<extra></extra>",
                "marker": {
                    "size": 7,
                    "color": [colour_of(families.index(t.model)) for t in having],
                    "symbol": ["circle-open" if t.state == "pruned" else "circle" for t in having],
                    "opacity": 0.85,
                },
            },
        ),
        layout(x_axis, {"nticks": 5}, margin={"l": 46, "r": 8, "t": 6, "b": 34}),
        f"Validation {label} against {name}.",
        title=name,
        height=210,
    )


def _best_so_far(
    scored: Sequence[tuple[int, TrialRecord]], maximise: bool
) -> tuple[list[int], list[float]]:
    x: list[int] = []
    y: list[float] = []
    complete = [(i, t) for i, t in scored if t.state == "complete"] or scored
    for i, t in complete:
        assert t.score is not None
        if not y or (t.score > y[-1] if maximise else t.score < y[-1]):
            x.append(i)
            y.append(t.score)
    return x, y


def _scored(trial: TrialRecord) -> bool:
    return (
        trial.score is not None
        and math.isfinite(trial.score)
        and trial.state in ("complete", "pruned")
    )


def _numeric(x: Any) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _hover(trial: TrialRecord) -> str:
    lines = [f"{name} {value(x)}" for name, x in trial.params.items() if name != "family"]
    head = f"trial {trial.number}: {number(trial.score, 4)} ({trial.state})"
    return "<br>".join([head, *map(safe, lines)])
