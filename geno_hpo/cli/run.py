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

__all__ = ["report_study", "run_study", "show_placement"]


def show_placement(root: Path, name: str, *, workers: int | None, per_gpu: int) -> None:
    """Say where each worker of a run would compute, and start nothing."""
    from geno_hpo.study.gpus import places, visible_gpus
    from geno_hpo.study.layout import cores, count
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.shares import fair_part

    project = Project(root)
    plan = load_plan(project, name)
    mine, others = fair_part(project.mlruns, cores())
    gpus = visible_gpus()
    asked = plan.config.workers if workers is None else workers
    number = asked if asked is not None else len(gpus) * per_gpu or mine
    placed = places(number, per_gpu, gpus)[:number] if number else []
    typer.echo(
        f"{count(mine, 'core')} of {cores()} ({count(others, 'other study', 'other studies')} at "
        f"work here), {count(len(gpus), 'GPU')}"
    )
    for index, place in enumerate(placed):
        threads = count(max(mine // len(placed), 1), "thread")
        typer.echo(f"worker {index}: {place}, {threads}")
    if len(placed) < number:
        typer.echo(
            f"{number - len(placed)} of the {number} workers find no place: raise --workers-per-gpu"
        )
    if not placed:
        typer.echo(f"no worker here; elsewhere say: geno-hpo worker {name} --stay")


def run_study(
    root: Path,
    name: str,
    *,
    workers: int | None,
    per_gpu: int,
    fresh: bool,
    plain: bool,
) -> None:
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
                    per_gpu=per_gpu,
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
                    per_gpu=per_gpu,
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


def report_study(root: Path, name: str, *, test: bool = True) -> None:
    """Draw a finished study's report again; without `test` one that leaves the test set out."""
    from geno_hpo.errors import InputError
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.record import find_key
    from geno_hpo.study.storage import open_storage

    project = Project(root)
    with Display(name, plain=True) as display:
        nested = load_plan(project, name).nested
        if not test:
            if nested:
                raise InputError(
                    "a nested cross-validation is judged by its outer test sets alone; "
                    f"without them ask for one outer fold: geno-hpo report {name}~1 --no-test"
                )
            from geno_hpo.report.publish import publish_sealed

            page = publish_sealed(project, name)
            display.close()
            typer.echo(f"report   {page} (without the test set)")
        elif nested and project.has_trials:
            key = find_key(open_storage(project.storage_url), name)
            _publish_nested(project, key, display)
        else:
            _publish(project, name, display)


def report_studies(root: Path, names: list[str], output: Path | None) -> None:
    """Compare several finished studies on one page."""
    from geno_hpo.report.publish import publish_together
    from geno_hpo.study.paths import Project

    page = publish_together(Project(root), names, output)
    typer.echo(f"report   {page}")


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
    from geno_hpo.study.paths import masked

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
    server = LOCAL_PAGE
    if project.tracking_uri.startswith("http"):
        server = masked(project.tracking_uri)
    typer.echo("trials   start MLflow's page with: make ui   (or: geno-hpo ui), then open")
    typer.echo(f"         {server}/{published.trials}")


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
