"""``geno-hpo run`` and ``report``: launch, follow, and end with the leaderboard and the verdict."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

import typer

from geno_hpo.cli.display import Display, leaderboard, minutes

if TYPE_CHECKING:
    from geno_hpo.study.paths import Project

LOCAL_PAGE = "http://127.0.0.1:5000"

__all__ = ["report_study", "run_study"]


def run_study(root: Path, name: str, *, workers: int | None, fresh: bool, plain: bool) -> None:
    """Run a study to its report; on Ctrl-C say how to go on."""
    from geno_hpo.study.launch import Launch
    from geno_hpo.study.paths import Project

    signal.signal(signal.SIGTERM, _interrupt)
    with Display(name, plain=plain) as display:
        launch = Launch(
            Project(root),
            name,
            workers=workers,
            fresh=fresh,
            say=display.say,
            watch=display.watch,
        )
        try:
            launch.run()
        except KeyboardInterrupt:
            display.close()
            typer.echo(
                "interrupted; nothing is lost. Go on with: "
                f"geno-hpo run {name}   (or: make study NAME={name})",
                err=True,
            )
            raise
        display.say("drawing the report")
        _publish(Project(root), str(launch.plan.key), display)


def report_study(root: Path, name: str) -> None:
    """Draw a finished study's report again."""
    from geno_hpo.study.paths import Project

    with Display(name, plain=True) as display:
        _publish(Project(root), name, display)


def _publish(project: Project, name: str, display: Display) -> None:
    from geno_hpo.report.publish import publish

    published = publish(project, name)
    display.close()
    summary = published.summary
    typer.echo("")
    leaderboard(summary)
    typer.echo("")
    typer.echo(f"{summary['comparison']['sentence']}")
    if summary["control"] is not None:
        typer.echo(summary["control"]["sentence"])
    if summary["data"]["simulated"]:
        typer.echo(
            "These data are simulated: the numbers show that the pipeline works, no biology."
        )
    typer.echo("")
    typer.echo(f"time     {minutes(summary['seconds']['total'])}")
    typer.echo(f"report   {published.page}")
    server = project.tracking_uri if project.tracking_uri.startswith("http") else LOCAL_PAGE
    typer.echo("trials   start MLflow's page with: make ui   (or: geno-hpo ui), then open")
    typer.echo(f"         {server}/{published.trials}")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
