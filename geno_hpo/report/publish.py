"""Publish a finished study: the report's files, and what MLflow keeps of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geno_hpo.report.markdown import markdown
from geno_hpo.report.page import write
from geno_hpo.study.paths import Project
from geno_hpo.study.results import Finished, load_finished, outcome_of
from geno_hpo.tracking import Tracking

__all__ = ["Published", "publish"]


@dataclass(frozen=True)
class Published:
    """The report's page, the trials' page below a tracking server's address, and the summary."""

    page: Path
    trials: str
    summary: dict[str, Any]


def publish(project: Project, name: str) -> Published:
    """Write the report of a finished study and keep it with the study's MLflow run.

    Raises
    ------
    InputError
        The study is not finished.
    """
    finished = load_finished(project, name)
    outcome = outcome_of(finished)
    folder = project.report(finished.plan.key)
    page = write(outcome, folder)
    return Published(page, _keep(finished, folder, outcome.summary), outcome.summary)


def _keep(finished: Finished, folder: Path, summary: dict[str, Any]) -> str:
    plan = finished.plan
    local = plan.project.tracking_uri.startswith("sqlite")
    artifacts = plan.project.mlruns / "artifacts" if local else None
    tracking = Tracking(plan.project.tracking_uri, artifacts, plan.config.name)
    run = str(finished.record.get("mlflow_run"))
    comparison = summary["comparison"] or {}
    metrics = {f"test.{row['model']}": row["test"] for row in summary["leaderboard"]}
    metrics |= {f"cv.{row['model']}": row["cv_mean"] for row in summary["leaderboard"]}
    if "difference" in comparison:
        metrics["difference"] = comparison["difference"]
    tracking.describe(
        run,
        note=markdown(summary),
        tags={"verdict": str(comparison.get("verdict", "no baseline")), "stage": "study"},
        metrics={key: value for key, value in metrics.items() if math.isfinite(value)},
    )
    tracking.keep_files(run, folder, "report")
    tracking.finish(run)
    return tracking.trials_page
