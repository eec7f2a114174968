"""Commands that control a study from anywhere: stop, pause, go on, budget, enqueue, remove.

They write into the storage, where every launcher and worker hears of it within seconds.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from geno_hpo.cli.arguments import HERE, Name, Root
from geno_hpo.errors import InputError

__all__ = ["add_control"]


def add_control(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (stop, pause, resume, budget, enqueue, archive, remove, launch):
        app.command()(command)


def stop(name: Name, root: Root = HERE) -> None:
    """Let all workers of a study end after their epoch, on whatever machine they are."""
    running = _ask(root, name, "stop")
    typer.echo(
        f"{running} running trials are given back after their epoch, with their checkpoints; "
        f"go on with: geno-hpo run {name}"
    )


def pause(name: Name, root: Root = HERE) -> None:
    """Let all workers give their trials back and wait."""
    running = _ask(root, name, "pause")
    typer.echo(
        f"{running} running trials are given back after their epoch; workers wait until: "
        f"geno-hpo resume {name}"
    )


def resume(name: Name, root: Root = HERE) -> None:
    """Let the workers of a paused study go on."""
    _ask(root, name, "")
    typer.echo(f"workers of {name} go on")


def _ask(root: Path, name: str, what: str) -> int:
    from geno_hpo.study.commands import ask
    from geno_hpo.study.paths import Project

    return ask(Project(root), name, what)  # type: ignore[arg-type]


def budget(
    name: Name,
    trials: Annotated[int, typer.Argument(help="Trials of networks in all.", metavar="TRIALS")],
    root: Root = HERE,
) -> None:
    """Change the number of trials, in the study file and in the study at work."""
    from geno_hpo.study.commands import raise_budget
    from geno_hpo.study.paths import Project

    added = raise_budget(Project(root), name, trials)
    now = f"{added} more for the search at work" if added else "taken by the next run"
    typer.echo(f"budget.trials of {name} is {trials}: {now}")


def enqueue(
    name: Name,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A parameter, such as learning_rate=0.01; the rest is drawn."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Take the best configurations of this study.")
    ] = None,
    best: Annotated[int, typer.Option(min=1, help="How many of them.")] = 5,
    root: Root = HERE,
) -> None:
    """Say what the next trial tries, by hand or from another study; it is of the budget."""
    from geno_hpo.config import parse_document
    from geno_hpo.study.commands import enqueue as add
    from geno_hpo.study.commands import warm_start
    from geno_hpo.study.paths import Project

    if bool(settings) == bool(source):
        raise InputError("give either --set NAME=VALUE (once or more) or --from STUDY")
    project = Project(root)
    if source:
        numbers, left_out = warm_start(project, name, source, best)
        for sentence in left_out:
            typer.echo(f"left out: {sentence}")
        typer.echo(f"trials {', '.join(map(str, numbers))} try what was best in {source}")
        return
    pairs = [setting.partition("=") for setting in settings or ()]
    bad = [key for key, sign, _ in pairs if not sign]
    if bad:
        raise InputError(f"--set must be NAME=VALUE, got {bad[0]!r}")
    text = "\n".join(f"{key.strip()}: {value}" for key, _, value in pairs)
    number = add(project, name, parse_document(text, Path("--set")).data)
    typer.echo(f"trial {number} tries {', '.join(settings or ())}")


def archive(
    name: Name,
    undo: Annotated[bool, typer.Option("--undo", help="Show it again.")] = False,
    root: Root = HERE,
) -> None:
    """Hide a study and its runs from MLflow's lists; trials, report and models stay."""
    from geno_hpo.study import commands
    from geno_hpo.study.paths import Project

    if undo:
        commands.unarchive(Project(root), name)
        typer.echo(f"study {name} is back in MLflow's list")
    else:
        commands.archive(Project(root), name)
        typer.echo(f"study {name} is hidden in MLflow; back with: geno-hpo archive {name} --undo")


def remove(
    name: Name,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    root: Root = HERE,
) -> None:
    """Remove a study: trials, runs, work folder and report; study file and spaces stay."""
    from geno_hpo.study.commands import Removal
    from geno_hpo.study.paths import Project

    removal = Removal(Project(root), name)
    typer.echo(f"{removal.trials} trials, their MLflow runs, and:")
    for folder in removal.folders:
        typer.echo(f"  {folder}")
    if not yes and not typer.confirm(f"Remove study {name} for good?"):
        raise typer.Exit(1)
    removal.do()
    typer.echo(f"study {name} is removed; its runs lie in MLflow's bin")


def launch(
    name: Name,
    workers: Annotated[int, typer.Option(min=1, help="Workers: tasks of the array.")],
    slurm: Annotated[bool, typer.Option("--slurm", help="By Slurm's sbatch.")] = False,
    gpus_per_worker: Annotated[int, typer.Option(min=0, help="GPUs of each worker.")] = 0,
    threads: Annotated[int, typer.Option(min=1, help="Cores of each worker.")] = 1,
    partition: Annotated[str, typer.Option(help="Slurm's partition.")] = "",
    time: Annotated[str, typer.Option(help="Slurm's time limit, such as 12:00:00.")] = "",
    leader: Annotated[
        bool, typer.Option("--leader/--no-leader", help="Submit the job that leads the study, too.")
    ] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the scripts only.")] = False,
    root: Root = HERE,
) -> None:
    """Send a study to a cluster: a small job that leads it, and an array of workers."""
    from geno_hpo.study.commands import ask
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.slurm import SlurmJob, check_shared, submit

    if not slurm:
        raise InputError("say --slurm; other schedulers start `geno-hpo worker NAME --stay`")
    project = Project(root)
    key = load_plan(project, name).key
    job = SlurmJob(root, key, workers, threads, gpus_per_worker, partition, time)
    scripts = ([job.leader] if leader else []) + [job.crew]
    if dry_run:
        typer.echo("\n".join(scripts))
        return
    check_shared(project)
    (project.work(key) / "logs").mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(InputError):  # it has not been run yet
        ask(project, name, "")  # an earlier wish to stop is not for these workers
    numbers = [submit(script) for script in scripts]
    typer.echo(f"submitted: {', '.join(numbers)}; see: geno-hpo status {name} --watch")
