"""The sealed test set: ROC curves, confusion matrix, predicted against observed, seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.outcome import TestPredictions
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import line, safe, short
from geno_hpo.report.style import DASHES, colour_of, layout
from geno_hpo.report.words import model_label, number

__all__ = ["confusion", "observed", "roc", "roc_points", "seeds"]

# Outputs drawn; a study with more says how many are left to the CSV.
OUTPUTS = 6
POINTS = 250


def roc_points(
    truth: NDArray[Any], score: NDArray[Any]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """False and true positive rate at every threshold, from (0, 0) to (1, 1); ties are one step.

    Raises
    ------
    ValueError
        Labels of one class only.
    """
    positive = truth == 1
    if not positive.any() or positive.all():
        raise ValueError("an ROC curve needs both classes")
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(positive[order])
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    true = np.concatenate([[0], hits[ends]]) / hits[-1]
    false = np.concatenate([[0], ends + 1 - hits[ends]]) / (~positive).sum()
    return false, true


def roc(
    test: TestPredictions,
    names: Sequence[str],
    models: Sequence[str],
    classes: Sequence[str] = ("0", "1"),
) -> Figure | None:
    """ROC curves of the mean prediction over seeds, a panel an output."""
    panels = []
    for output in range(min(test.truth.shape[1], OUTPUTS)):
        truth = test.truth[:, output]
        known = ~np.isnan(truth)
        if len(np.unique(truth[known])) < 2:
            continue
        traces = [line([0, 1], [0, 1], "chance", "@faint", width=1, dash="dot")]
        for place, model in reversed(list(enumerate(models))):
            score = np.asarray(test.models[model].mean(axis=0), dtype=np.float64)[:, output]
            false, true = _thin(*roc_points(truth[known], score[known]))
            traces.append(
                line(
                    short(false),
                    true,
                    model_label(model),
                    colour_of(place),
                    width=2.5 if place == 0 else 1.6,
                    dash=DASHES[place % len(DASHES)],
                )
                | {"legendrank": place}
            )
        panels.append(
            Panel(
                tuple(traces),
                layout(
                    {"title": "false positive rate", "range": [-0.01, 1.01]},
                    {"title": "true positive rate", "range": [-0.01, 1.01]},
                    showlegend=True,
                ),
                f"ROC curves of {len(models)} models for {names[output]}.",
                title=names[output] if test.truth.shape[1] > 1 else "",
                height=400,
            )
        )
    if not panels:
        return None
    left = test.truth.shape[1] - OUTPUTS
    several = test.truth.shape[1] > 1
    if not several:
        panels.append(_histogram(test, models[0], classes))
    return Figure(
        "roc",
        "ROC curves on the sealed test set",
        "Of each model's mean prediction over its restarts."
        + (
            ""
            if several
            else f" Right: the predictions of {model_label(models[0])}, by true class."
        )
        + (f" {left} more outputs are in test_predictions.csv." if left > 0 else ""),
        tuple(panels),
        columns=min(2, len(panels)),
    )


def confusion(
    test: TestPredictions, classes: Sequence[str], model: str, threshold: float | None = None
) -> Figure | None:
    """Confusion matrix of the mean probabilities over seeds.

    Parameters
    ----------
    test
        Predictions of one output; several classes have a unit each.
    classes
        Their names; two with a single unit, the probability of the second.
    model
        Whose predictions.
    threshold
        Of two classes: the probability from which on the second is called.
    """
    known = ~np.isnan(test.truth[:, 0])
    if not known.any():
        return None
    truth = test.truth[known, 0].astype(np.intp)
    chances = test.models[model].mean(axis=0)[known]
    if threshold is None:
        called, rule = chances.argmax(axis=1), "largest one taken"
    else:
        called = (chances[:, 0] >= threshold).astype(np.intp)
        rule = f"{safe(classes[1])} from {number(threshold)} on"
    many = len(classes)
    table = np.zeros((many, many), dtype=np.int64)
    np.add.at(table, (truth, called), 1)
    shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    names = [safe(name) for name in classes]
    trace = {
        "type": "heatmap",
        "x": list(range(many)),
        "y": list(range(many)),
        "z": [short(row, 4) for row in shares],
        "text": [[str(int(n)) for n in row] for row in table],
        "texttemplate": "%{text}",
        "colorscale": [[0, "@c1/6"], [1, "@c1/75"]],
        "zmin": 0,
        "zmax": 1,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "hovertemplate": "observed %{y}, predicted %{x}: %{text} (%{z:.0%})<extra></extra>",
        "textfont": {"color": "@ink"},
    }
    ticks = {"tickvals": list(range(many)), "ticktext": names, "showgrid": False, "ticks": ""}
    return Figure(
        "confusion",
        "Confusion matrix on the sealed test set",
        f"{model_label(model)}, mean probabilities over its restarts, {rule}. Numbers are samples; "
        "shades are shares of the observed class.",
        (
            Panel(
                (trace,),
                layout(
                    {"title": "predicted", **ticks},
                    {"title": "observed", "autorange": "reversed", **ticks},
                ),
                f"Confusion matrix of {many} classes: {int(np.trace(table))} of {len(truth)} hit.",
                height=max(300, 120 + 44 * many),
            ),
        ),
        columns=2 if many <= 8 else 1,
    )


def observed(test: TestPredictions, names: Sequence[str], model: str) -> Figure | None:
    """Predicted against observed values, a panel a trait."""
    panels = []
    predictions = test.models[model].mean(axis=0)
    for output in range(min(test.truth.shape[1], OUTPUTS)):
        truth = test.truth[:, output]
        known = ~np.isnan(truth)
        if not known.any():
            continue
        seen, said = truth[known], predictions[known, output]
        low, high = float(min(seen.min(), said.min())), float(max(seen.max(), said.max()))
        ids = [sample for sample, keep in zip(test.ids, known, strict=True) if keep]
        panels.append(
            Panel(
                (
                    line([low, high], [low, high], "identity", "@faint", width=1, dash="dot"),
                    {
                        "type": "scatter",
                        "mode": "markers",
                        "x": short(seen),
                        "y": short(said),
                        "text": [safe(i) for i in ids],
                        "hovertemplate": "%{text}: observed %{x}, predicted %{y}<extra></extra>",
                        "marker": {"size": 6, "color": "@c1", "opacity": 0.55},
                    },
                ),
                layout({"title": "observed"}, {"title": "predicted"}),
                f"Predicted against observed {names[output]} of {len(seen)} samples.",
                title=names[output],
                height=380,
            )
        )
    if not panels:
        return None
    left = test.truth.shape[1] - OUTPUTS
    return Figure(
        "observed",
        "Predicted against observed on the sealed test set",
        f"{model_label(model)}, mean prediction over its restarts; the dotted line is a perfect "
        "prediction." + (f" {left} more traits are in test_predictions.csv." if left > 0 else ""),
        tuple(panels),
        columns=min(2, len(panels)),
    )


def seeds(board: Sequence[dict[str, Any]], label: str) -> Figure | None:
    """Test score of each restart, a line a model."""
    rows = [entry for entry in board if entry["test_seeds"]]
    if not any(len(entry["test_seeds"]) > 1 for entry in rows):
        return None
    traces = []
    for place, entry in enumerate(rows):
        scores = entry["test_seeds"]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": short(scores),
                "y": [model_label(entry["model"])] * len(scores),
                "text": [f"restart {i + 1}" for i in range(len(scores))],
                "hovertemplate": "%{y}, %{text}: %{x}<extra></extra>",
                "marker": {"size": 11, "color": colour_of(place), "opacity": 0.55},
            }
        )
    spreads = [
        f"{model_label(e['model'])} {number(float(np.ptp(e['test_seeds'])))}"
        for e in rows
        if len(e["test_seeds"]) > 1
    ]
    return Figure(
        "seeds",
        "How much luck is in a restart",
        f"Test {label} of the same configuration trained from different seeds. "
        f"Largest minus smallest: {', '.join(spreads)}.",
        (
            Panel(
                tuple(traces),
                layout(
                    {"title": f"test {label}", "nticks": 6},
                    {"autorange": "reversed", "ticks": "", "showline": False},
                    margin={"l": 110, "r": 14, "t": 8, "b": 46},
                ),
                f"Test scores by restart for {len(rows)} models.",
                height=90 + 36 * len(rows),
            ),
        ),
    )


def _histogram(test: TestPredictions, model: str, classes: Sequence[str]) -> Panel:
    """How the predicted probabilities of the two true classes lie apart."""
    score = test.models[model].mean(axis=0)[:, 0]
    edges = np.linspace(0, 1, 26)
    middle = short((edges[1:] + edges[:-1]) / 2)
    traces = tuple(
        {
            "type": "bar",
            "x": middle,
            "y": np.histogram(score[test.truth[:, 0] == label], bins=edges)[0].tolist(),
            "name": safe(name),
            "marker": {"color": colour, "line": {"width": 0}},
            "hovertemplate": "%{y} samples near %{x}<extra></extra>",
        }
        for label, name, colour in zip((0, 1), classes, ("@c1/45", "@c2/85"), strict=True)
    )
    return Panel(
        traces,
        layout(
            {"title": f"predicted probability of {safe(classes[1])}", "range": [-0.01, 1.01]},
            {"title": "samples"},
            barmode="stack",
            bargap=0.08,
            showlegend=True,
        ),
        f"Histogram of {model_label(model)}'s predicted probabilities by true class.",
        height=400,
    )


def _thin(
    false: NDArray[np.float64], true: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Leave out points on straight stretches, then all but `POINTS`."""
    bend = np.ones(len(false), dtype=bool)
    dx, dy = np.diff(false), np.diff(true)
    bend[1:-1] = np.abs(dx[:-1] * dy[1:] - dx[1:] * dy[:-1]) > 1e-15
    keep = np.flatnonzero(bend)
    if len(keep) > POINTS:
        keep = keep[np.unique(np.linspace(0, len(keep) - 1, POINTS).astype(np.intp))]
    return false[keep], true[keep]
