"""The leaderboard as dot plot and table in one: places computed here, drawn by the template."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from geno_hpo.metrics import METRICS
from geno_hpo.report.blocks import Forest, ForestRow, Mark
from geno_hpo.report.figures.drawn import nice_ticks
from geno_hpo.report.words import count, duration, interval, metric_label, model_label, number

__all__ = ["control_forest", "leaderboard_forest", "ranked"]

# A reference line farther from the scores than this many times their range is named at the edge
# instead of drawn, so that it does not squeeze the differences that matter.
REACH = 1.0
PADDING = 0.06

Bounds = tuple[float, float]


def ranked(summary: dict[str, Any]) -> list[dict[str, Any]]:
    """Leaderboard with the best test score first; by cross-validation while the test is sealed."""
    metric = METRICS.get(summary["metric"])
    sign = -1.0 if metric is None or metric.maximise else 1.0
    board: list[dict[str, Any]] = list(summary["leaderboard"])
    field = "test" if all(_known(entry["test"]) for entry in board) else "cv_mean"

    def place(entry: dict[str, Any]) -> float:
        return sign * float(entry[field]) if _known(entry[field]) else math.inf

    return sorted(board, key=place)


def leaderboard_forest(summary: dict[str, Any]) -> Forest:
    """Cross-validated and test scores of all models on one axis."""
    board = ranked(summary)
    values = [x for entry in board for x in _scores_of(entry)]
    references = _references(summary)
    bounds = _bounds(values, [at for at, _ in references])
    rows = tuple(_row(entry, bounds) for entry in board)
    label = metric_label(summary["metric"])
    metric = METRICS.get(summary["metric"])
    better = "higher" if metric is None or metric.maximise else "lower"
    sealed = all(entry["test"] is None for entry in board)
    return Forest(
        name="leaderboard",
        title="Every model on the same folds and the same sealed test set",
        caption=(
            "Open diamond: mean over the validation folds ± 1 standard deviation. "
            + (
                "The test set is still sealed."
                if sealed
                else "Filled dot: mean over restarts on the sealed test set with its 95 % "
                "interval; small ticks: single restarts."
            )
            + " Budget: configurations tried, and the time of their trainings together."
        ),
        heads=("Model", "Cross-validation", "Test", "95 % interval", "Budget"),
        rows=rows,
        ticks=tuple(_ticks(bounds)),
        lines=tuple(_line(at, name, bounds) for at, name in references),
        axis=f"{label} ({better} is better)",
        legend=(("network", "network"), ("baseline", "baseline")),
    )


def control_forest(summary: dict[str, Any]) -> Forest | None:
    """The control's two scores on the range that chance allows, the winner beside them."""
    control = summary["control"]
    if control is None:
        return None
    chance = control["chance"]
    best = next((e for e in ranked(summary) if e["kind"] == "network"), None)
    values = [x for x in (control["cv_mean"], control["test"]) if _known(x)]
    values += list(chance) if chance else []
    values += _scores_of(best) if best else []
    bounds = _bounds(values, [])
    shade = (_place(chance[0], bounds), _place(chance[1], bounds)) if chance else None
    entry = {
        "model": "permuted labels",
        "kind": "control",
        "cv_mean": control["cv_mean"],
        "cv_std": None,
        "test": control["test"],
        "test_ci": None,
        "test_seeds": [],
        "trials": None,
    }
    rows = [_row(entry, bounds, shade)]
    if best is not None:
        rows.append(_row(best, bounds))
    return Forest(
        name="control",
        title="The same pipeline on permuted labels",
        caption="Open diamond: validation folds; filled dot: sealed test set"
        + ("; shaded: range that chance allows." if chance else "."),
        heads=("Labels", "Cross-validation", "Test", "95 % interval"),
        rows=tuple(replace(row, cells=row.cells[:3]) for row in rows),
        ticks=tuple(_ticks(bounds)),
        lines=(),
        axis=metric_label(summary["metric"]),
    )


def _row(entry: dict[str, Any], bounds: Bounds, shade: Bounds | None = None) -> ForestRow:
    mean, spread, test, ci = (entry[key] for key in ("cv_mean", "cv_std", "test", "test_ci"))
    band = (mean - spread, mean + spread) if _known(mean) and _known(spread) else None
    cv = number(mean) + (f" ± {number(spread)}" if band else "")
    control = entry["kind"] == "control"
    return ForestRow(
        label="Permuted labels" if control else model_label(entry["model"]),
        sub=entry["kind"],
        style=entry["kind"],
        cv=_place(mean, bounds) if _known(mean) else None,
        cv_band=_band(band, bounds),
        test=_place(test, bounds) if _known(test) else None,
        test_band=_band(ci, bounds),
        seeds=tuple(_place(x, bounds) for x in entry["test_seeds"] if _known(x)),
        cells=(cv, number(test), interval(ci), _budget(entry)),
        values=(mean, *(band or (None, None)), test, *(ci or (None, None))),
        shade=shade,
    )


def _budget(entry: dict[str, Any]) -> str:
    """Configurations tried and their time: budgets need not be equal, but they are told."""
    seconds = entry.get("seconds")
    return count(entry["trials"]) + (f" in {duration(seconds)}" if seconds is not None else "")


def _references(summary: dict[str, Any]) -> list[tuple[float, str]]:
    found: list[tuple[float, str]] = []
    metric = METRICS.get(summary["metric"])
    if metric is not None and metric.chance is not None:
        found.append((metric.chance, "chance"))
    oracle = summary["data"].get("oracle") or {}
    if _known(oracle.get(summary["metric"])):
        found.append((float(oracle[summary["metric"]]), "oracle"))
    return found


def _scores_of(entry: dict[str, Any]) -> list[float]:
    mean, spread = entry["cv_mean"], entry["cv_std"]
    found = [mean, entry["test"], *(entry["test_ci"] or ()), *entry["test_seeds"]]
    if _known(mean) and _known(spread):
        found += [mean - spread, mean + spread]
    return [float(x) for x in found if _known(x)]


def _bounds(values: Sequence[float], references: Sequence[float]) -> Bounds:
    if not values:
        return 0.0, 1.0
    low, high = min(values), max(values)
    reach = REACH * (high - low)
    near = [x for x in references if low - reach <= x <= high + reach]
    low, high = min([low, *near]), max([high, *near])
    pad = PADDING * (high - low) or 0.05 * max(abs(low), 1.0)
    return low - pad, high + pad


def _place(x: float, bounds: Bounds) -> float:
    """Per cent of the way from the left edge to the right one."""
    return round(100 * (x - bounds[0]) / (bounds[1] - bounds[0]), 3)


def _band(band: Sequence[float] | None, bounds: Bounds) -> Bounds | None:
    if band is None or not all(_known(x) for x in band):
        return None
    return _place(band[0], bounds), _place(band[1], bounds)


def _ticks(bounds: Bounds) -> list[Mark]:
    ticks = nice_ticks(*bounds, most=6)
    step = min((b - a for a, b in pairwise(ticks)), default=0.1)
    digits = max(0, min(6, -math.floor(math.log10(step) + 1e-9)))
    if not math.isclose(step * 10**digits, round(step * 10**digits)):
        digits += 1
    return [Mark(_place(x, bounds), number(x, digits)) for x in ticks]


def _line(at: float, name: str, bounds: Bounds) -> Mark:
    label = f"chance {at:g}" if name == "chance" else f"{name} {number(at)}"
    place = _place(at, bounds)
    if place < 0:
        return Mark(0.0, f"← {label}", "beyond-left")
    if place > 100:
        return Mark(100.0, f"{label} →", "beyond-right")
    return Mark(place, label, name)


def _known(x: Any) -> bool:
    return x is not None and math.isfinite(x)
