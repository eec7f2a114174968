"""Publish a finished study: the report's files, and what MLflow keeps of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.markdown import linked, markdown
from geno_hpo.report.nested import NestedOutcome, nested_markdown, write_nested
from geno_hpo.report.page import write
from geno_hpo.report.together import write_together
from geno_hpo.study.champion import register_winner
from geno_hpo.study.finished import Finished, load_finished
from geno_hpo.study.nested import fold_plans
from geno_hpo.study.parent import describe_experiment, tracking_of
from geno_hpo.study.paths import Project, StudyKey
from geno_hpo.study.plan import StudyPlan, load_plan
from geno_hpo.study.pooled import pooled_summary
from geno_hpo.study.results import outcome_of
from geno_hpo.tracking import Tracking

__all__ = ["Published", "publish", "publish_nested", "publish_sealed", "publish_together"]


@dataclass(frozen=True)
class Published:
    """What was published.

    Parameters
    ----------
    page
        The report's page.
    trials
        The trials' page below a tracking server's address.
    summary
        The content of ``summary.json``.
    model
        What became of the winner in the model registry; empty for nested studies.
    """

    page: Path
    trials: str
    summary: dict[str, Any]
    model: str = ""


def publish_sealed(project: Project, name: str) -> Path:
    """Write a report that looks at nothing of the test set; return its page.

    It lies in a folder of its own below the report's, and is not kept in MLflow.

    Raises
    ------
    InputError
        The study has no winner yet.
    """
    finished = load_finished(project, name, test=False)
    folder = project.report(finished.plan.key) / "no-test"
    return write(outcome_of(finished, test=False), folder)


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
    trials = _keep(finished, folder, outcome.summary)
    return Published(page, trials, outcome.summary, _register(finished, outcome))


def _register(finished: Finished, outcome: StudyOutcome) -> str:
    """Register the winner; a registry that cannot be used is told, and spoils no report."""
    if finished.plan.key.outer:
        return ""
    run = str(finished.record.get("mlflow_run"))
    network, comparison = str(outcome.summary["best"]["model"]), outcome.summary["comparison"]
    tracking = tracking_of(finished.plan)
    try:
        return register_winner(finished, tracking, run, outcome.test, network, comparison)
    except Exception as error:  # registries differ, and fail in ways of their own
        lines = str(error).splitlines() or [type(error).__name__]
        return f"no model was registered: {lines[0]}"


def publish_nested(project: Project, key: StudyKey) -> Published:
    """Write the reports of all outer folds of a finished nested study, and the pooled one.

    Raises
    ------
    InputError
        An outer fold is not finished.
    StudyChangedError
        The outer folds saw different data or had different budgets.
    """
    plan = load_plan(project, str(key))
    summaries = [publish(project, fold.key.exact).summary for fold in fold_plans(plan)]
    summary = pooled_summary(summaries, plan.space.searched)
    spaces = {space.name: space.text for space in plan.space.spaces}
    folder = project.report(key)
    page = write_nested(NestedOutcome(summary, plan.text, spaces), folder)
    return Published(page, _keep_nested(plan, folder, summary), summary)


def publish_together(project: Project, names: list[str], folder: Path | None) -> Path:
    """Write one page that compares several finished studies; return its path.

    Parameters
    ----------
    project
        Where the studies live.
    names
        At least two different studies.
    folder
        Where to; by default ``reports/A+B``.

    Raises
    ------
    InputError
        A name comes twice, or a study is nested or not finished.
    """
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"every study is named once, got {', '.join(twice)} more often")
    for name in names:
        if load_plan(project, name).nested:
            raise InputError(
                f"study {name} is a nested cross-validation, which is not compared with others on "
                f"one page; its own report: geno-hpo report {name}"
            )
    outcomes = [outcome_of(load_finished(project, name)) for name in names]
    return write_together(outcomes, folder or project.root / "reports" / "+".join(names))


def _keep_nested(plan: StudyPlan, folder: Path, summary: dict[str, Any]) -> str:
    tracking = tracking_of(plan)
    comparison = summary["comparison"] or {}
    tags = {
        "question": plan.config.question,
        "data": summary["data"]["name"],
        "simulated": str(summary["data"]["simulated"]).lower(),
        "data_fingerprint": summary["data"]["fingerprint"],
        "definition": plan.definition,
        "metric": plan.metric,
        "outer_folds": str(summary["split"]["outer"]),
        "verdict": str(comparison.get("verdict", "no baseline")),
    }
    run = tracking.study_run(str(plan.key), tags)
    metrics = {f"test.{row['model']}": row["test_mean"] for row in summary["leaderboard"]}
    metrics |= {f"test_std.{row['model']}": row["test_std"] for row in summary["leaderboard"]}
    if comparison:
        metrics["difference"] = comparison["difference"]
    tracking.describe(
        run,
        note=f"{nested_markdown(summary)}\n\n{linked(_links(tracking, run))}",
        metrics={name: number for name, number in metrics.items() if math.isfinite(number)},
    )
    tracking.keep_files(run, folder, "report")
    tracking.finish(run)
    describe_experiment(plan, tracking)
    return tracking.trials_page


def _keep(finished: Finished, folder: Path, summary: dict[str, Any]) -> str:
    tracking = tracking_of(finished.plan)
    run = str(finished.record.get("mlflow_run"))
    comparison = summary["comparison"] or {}
    metrics = {f"test.{row['model']}": row["test"] for row in summary["leaderboard"]}
    metrics |= {f"cv.{row['model']}": row["cv_mean"] for row in summary["leaderboard"]}
    if "difference" in comparison:
        metrics["difference"] = comparison["difference"]
    tracking.describe(
        run,
        note=markdown(summary, _links(tracking, run)),
        tags={"verdict": str(comparison.get("verdict", "no baseline")), "stage": "study"},
        metrics={key: value for key, value in metrics.items() if math.isfinite(value)},
    )
    tracking.keep_files(run, folder, "report")
    tracking.finish(run)
    describe_experiment(finished.plan, tracking)
    return tracking.trials_page


def _links(tracking: Tracking, run: str) -> dict[str, str]:
    """Pages that a description leads to, by what they are."""
    return {
        "Report": tracking.report_page(run),
        "trials by score": tracking.trials_page,
        "trials as charts": tracking.charts_page,
    }
