"""Several studies in one figure: differences from the best baselines, and all models' scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geno_hpo.metrics import METRICS
from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import safe, short
from geno_hpo.report.figures.intervals import difference_panel
from geno_hpo.report.style import colour_of, layout
from geno_hpo.report.words import metric_label, model_label

__all__ = ["effects", "scores"]

Summary = dict[str, Any]


def effects(summaries: Sequence[Summary]) -> list[Figure]:
    """Network minus best baseline of each study, a panel a metric; none without comparisons."""
    panels = []
    for metric, group in _by_metric(summaries).items():
        drawn = [one for one in group if one["comparison"] and one["comparison"]["ci"]]
        if not drawn:
            continue
        rows = [one["comparison"] for one in drawn]
        better = METRICS[metric].maximise if metric in METRICS else True
        aim = "above 0 the network is better" if better else "below 0 the network is better"
        panels.append(
            difference_panel(
                [safe(one["study"]) for one in drawn],
                rows,
                f"difference in test {metric_label(metric)}: {aim}",
                f"Differences of {len(drawn)} studies with 95 % intervals.",
                texts=[f"against {model_label(row['best_baseline'])}" for row in rows],
            )
        )
    if not panels:
        return []
    return [
        Figure(
            "effects",
            "The network against the best baseline, study by study",
            "On each study's sealed test set, with its 95 % interval; the baseline is the one that "
            "cross-validation called best.",
            tuple(panels),
        )
    ]


def scores(summaries: Sequence[Summary]) -> list[Figure]:
    """Test score of every model, studies below each other, a panel a metric."""
    panels = []
    kinds = {e["model"]: e["kind"] for one in summaries for e in one["leaderboard"]}
    models = sorted(kinds, key=lambda model: kinds[model] != "network")
    for metric, group in _by_metric(summaries).items():
        traces: list[dict[str, Any]] = []
        for place, model in enumerate(models):
            having = [
                (one["study"], entry)
                for one in group
                for entry in one["leaderboard"]
                if entry["model"] == model and entry["test"] is not None
            ]
            if not having:
                continue
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": model_label(model),
                    "x": short(entry["test"] for _, entry in having),
                    "y": [safe(study) for study, _ in having],
                    "hovertemplate": f"{model_label(model)}, %{{y}}: %{{x}}<extra></extra>",
                    "marker": {
                        "size": 13 if kinds[model] == "network" else 10,
                        "color": colour_of(place),
                        "symbol": ("circle", "diamond", "square", "triangle-up")[place % 4],
                    },
                }
            )
        if traces:
            panels.append(
                Panel(
                    tuple(traces),
                    layout(
                        {"title": f"test {metric_label(metric)}", "nticks": 7},
                        {
                            "autorange": "reversed",
                            "ticks": "",
                            "showline": False,
                            "categoryorder": "array",
                            "categoryarray": [safe(one["study"]) for one in group],
                        },
                        showlegend=True,
                        margin={"l": 120, "r": 14, "t": 40, "b": 46},
                    ),
                    f"Test scores of {len(traces)} models in {len(group)} studies.",
                    height=120 + 44 * len(group),
                )
            )
    if not panels:
        return []
    caption = "Mean over restarts on each study's sealed test set; intervals are in the table."
    return [Figure("scores", "Every model, study by study", caption, tuple(panels))]


def _by_metric(summaries: Sequence[Summary]) -> dict[str, list[Summary]]:
    found: dict[str, list[Summary]] = {}
    for one in summaries:
        found.setdefault(str(one["metric"]), []).append(one)
    return found
