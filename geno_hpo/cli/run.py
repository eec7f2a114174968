"""``geno-hpo run`` and ``report``: launch, follow, and end with the leaderboard and the verdict."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import typer

from geno_hpo.cli.display import Display, leaderboard, minutes, outer_scores

if TYPE_CHECKING:
    from geno_hpo.report.publish import Published
    from geno_hpo.study.paths import Project, StudyKey

LOCAL_PAGE = "http://127.0.0.1:5000"

__all__ = ["report_study", "run_study"]


def run_study(root: Path, name: str, *, workers: int | None, fresh: bool, plain: bool) -> None:
    """Run a study to its report; on Ctrl-C say how to go on."""
    from geno_hpo.study.launch import Launch
    from geno_hpo.study.nested import NestedLaunch
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan

    signal.signal(signal.SIGTERM, _interrupt)
    project = Project(root)
    nested = load_plan(project, name).nested
    with Display(name, plain=plain) as display:
        try:
            if nested:
                key = NestedLaunch(
                    project,
                    name,
                    workers=workers,
                    fresh=fresh,
                    begin=lambda fold: display.rename(str(fold)),
                    say=display.say,
                    watch=display.watch,
                ).run()
            else:
                launch = Launch(
                    project,
                    name,
                    workers=workers,
                    fresh=fresh,
                    say=display.say,
                    watch=display.watch,
                )
                launch.run()
                key = launch.plan.key
        except KeyboardInterrupt:
            display.close()
            typer.echo(
                "interrupted; nothing is lost. Go on with: "
                f"geno-hpo run {name}   (or: make study NAME={name})",
                err=True,
            )
            raise
        display.say("drawing the report")
        if nested:
            _publish_nested(project, key, display)
        else:
            _publish(project, key, display)


def report_study(root: Path, name: str) -> None:
    """Draw a finished study's report again."""
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.record import find_key
    from geno_hpo.study.storage import open_storage

    project = Project(root)
    with Display(name, plain=True) as display:
        if load_plan(project, name).nested and project.has_trials:
            key = find_key(open_storage(project.storage_url), name)
            _publish_nested(project, key, display)
        else:
            _publish(project, name, display)


def _publish(project: Project, key: StudyKey | str, display: Display) -> None:
    from geno_hpo.report.publish import publish

    published = publish(project, str(key))
    display.close()
    summary = published.summary
    typer.echo("")
    leaderboard(summary)
    typer.echo("")
    if summary["comparison"] is not None:
        typer.echo(summary["comparison"]["sentence"])
    if summary["control"] is not None:
        typer.echo(summary["control"]["sentence"])
    _close(project, published)


def _publish_nested(project: Project, key: StudyKey, display: Display) -> None:
    from geno_hpo.report.publish import publish_nested

    published = publish_nested(project, key)
    display.close()
    summary = published.summary
    typer.echo("")
    outer_scores(summary)
    typer.echo("")
    if summary["comparison"] is not None:
        typer.echo(summary["comparison"]["sentence"])
    typer.echo(summary["agreement"]["sentence"])
    _close(project, published)


def _close(project: Project, published: Published) -> None:
    """Say what holds of every report: simulated data, time, and where things lie."""
    summary = published.summary
    if summary["data"]["simulated"]:
        typer.echo(
            "These data are simulated: the numbers show that the pipeline works, no biology."
        )
    typer.echo("")
    typer.echo(f"time     {minutes(summary['seconds']['total'])}")
    typer.echo(f"report   {published.page}")
    if published.model:
        typer.echo(f"model    {published.model}")
    server = project.tracking_uri if project.tracking_uri.startswith("http") else LOCAL_PAGE
    typer.echo("trials   start MLflow's page with: make ui   (or: geno-hpo ui), then open")
    typer.echo(f"         {server}/{published.trials}")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
