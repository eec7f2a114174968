"""Views of a study's experiment: which runs MLflow's page shows, sorted how, in which columns.

MLflow keeps a view that somebody shares as a tag of the experiment; an address names it. Two are
written for every study: its searched trials as a table by score, and the same trials as charts
(parallel coordinates, score by a parameter, curves). What a reader changes on the page stays in
the reader's browser.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

__all__ = ["CHARTS", "TRIALS", "page_of", "views"]

TRIALS = "trials"
CHARTS = "charts"
TAG = "mlflow.sharedViewState."
SCORE = "cv_score"
AXES = 5
"""Parameters that parallel coordinates show at most; more cannot be told apart."""
CURVES = ("score", "train_loss", "valid_loss")
SECTION = "geno-hpo"
RUNS = 100
"""Runs that a chart shows at most."""
TABLE_PARAMS = 2
"""Parameters that have columns of their own beside the score."""


def page_of(experiment: str, view: str) -> str:
    """Page of a view, below a server's address."""
    mode = {"compareRunsMode": "CHART"} if view == CHARTS else {}
    shown = {"workflowType": "machine_learning", **mode, "viewStateShareKey": view}
    query = urlencode(shown, quote_via=quote)
    return f"#/experiments/{experiment}/runs?{query}"


def views(maximise: bool, params: Sequence[str], numeric: Sequence[str]) -> Mapping[str, str]:
    """Tags of an experiment that hold its views.

    Parameters
    ----------
    maximise
        Whether a larger score is better.
    params
        Parameters that the study searches, the most telling first.
    numeric
        Those of them that are numbers.
    """
    facets: dict[str, Any] = {
        "searchFilter": "tags.stage = 'search'",
        "orderByKey": f"metrics.`{SCORE}`",
        "orderByAsc": not maximise,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
    }
    columns = [f"metrics.`{SCORE}`", "tags.`state`", "tags.`reason`", "tags.`model`"]
    columns += [f"params.`{name}`" for name in numeric[:TABLE_PARAMS]]
    table = {**facets, "selectedColumns": columns}
    charts = {
        **table,
        "compareRunCharts": _charts(list(params[:AXES]), list(numeric)),
        "compareRunSections": [
            {"uuid": SECTION, "name": "Trials of the search", "display": True, "isReordered": False}
        ],
        "isAccordionReordered": True,
        "runsHiddenMode": "SHOWALL",
        "hideEmptyCharts": True,
    }
    return {TAG + TRIALS: json.dumps(table), TAG + CHARTS: json.dumps(charts)}


def _charts(params: list[str], numeric: list[str]) -> list[dict[str, Any]]:
    """Cards of the charts' view."""
    score = {"type": "METRIC", "key": SCORE}
    cards: list[dict[str, Any]] = [
        {
            "type": "PARALLEL",
            "selectedParams": params,
            "selectedMetrics": [SCORE],
            "showAllRuns": True,
        }
    ]
    axes = [{"type": "PARAM", "key": name} for name in numeric[:2]]
    cards += [{"type": "SCATTER", "xaxis": axis, "yaxis": score} for axis in axes]
    if len(axes) > 1:
        cards += [{"type": "CONTOUR", "xaxis": axes[0], "yaxis": axes[1], "zaxis": score}]
    cards += [{"type": "LINE", "metricKey": name, "selectedMetricKeys": [name]} for name in CURVES]
    return [
        {
            "runsCountToCompare": RUNS,
            "deleted": False,
            "isGenerated": False,
            "metricSectionId": SECTION,
            "uuid": f"{SECTION}-{number}",
            **card,
        }
        for number, card in enumerate(cards)
    ]
