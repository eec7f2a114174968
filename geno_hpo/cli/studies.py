"""Commands that run a study and show it: run, worker, status, audit, report, results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geno_hpo.cli.arguments import HERE, Name, Root
from geno_hpo.cli.completion import complete_study
from geno_hpo.errors import InputError

__all__ = ["add_studies"]


def add_studies(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (run, worker, status, audit, report, results):
        app.command()(command)


def run(
    name: Name,
    root: Root = HERE,
    workers: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Local workers; default: the study's, else as fits best. 0: others do the work.",
        ),
    ] = None,
    workers_per_gpu: Annotated[
        int, typer.Option(min=1, help="Workers that share a GPU, where there are GPUs.")
    ] = 1,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew; the old trials stay under their name.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Plain lines instead of a live display.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print where each worker would compute, and end.")
    ] = False,
    system_metrics: Annotated[
        bool, typer.Option("--system-metrics", help="Write the machines' load to MLflow, too.")
    ] = False,
) -> None:
    """Run a study to its report, or go on with an interrupted one."""
    from geno_hpo.cli.run import run_study, show_placement

    if dry_run:
        show_placement(root, name, workers=workers, per_gpu=workers_per_gpu)
        return
    if system_metrics:
        from geno_hpo.tracking.system import ask_for_metrics

        ask_for_metrics()
    run_study(root, name, workers=workers, per_gpu=workers_per_gpu, fresh=fresh, plain=plain)


def worker(
    name: Name,
    root: Root = HERE,
    threads: Annotated[int, typer.Option(min=1, help="Threads for training.")] = 1,
    memory_limit: Annotated[
        int | None,
        typer.Option(min=1, help="End after a trial once this many bytes of memory were used."),
    ] = None,
    stay: Annotated[
        bool, typer.Option("--stay", help="Wait for more work until the study is done.")
    ] = False,
    trials_at_once: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=64,
            envvar="GENO_HPO_TRIALS_AT_ONCE",
            help="Trials trained at once (JAX); by default 8 on a GPU, 1 on a CPU.",
        ),
    ] = None,
    session: Annotated[str | None, typer.Option(hidden=True)] = None,
    lease_seconds: Annotated[float, typer.Option(hidden=True, min=1)] = 60.0,
    checkpoint_seconds: Annotated[float, typer.Option(hidden=True, min=0)] = 30.0,
) -> None:
    """Add this process to a study as one more worker; it leaves when nothing waits."""
    from geno_hpo.cli.worker import run_worker

    run_worker(
        root,
        name,
        threads=threads,
        memory_limit=memory_limit,
        session=session,
        stay=stay,
        at_once=trials_at_once,
        lease_seconds=lease_seconds,
        checkpoint_seconds=checkpoint_seconds,
    )


def status(
    name: Name,
    root: Root = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Again every two seconds, until the study is done.")
    ] = False,
) -> None:
    """Show how far a study is, who works at what, and why trials failed."""
    from geno_hpo.cli.status import show_status

    show_status(root, name, as_json=as_json, watch=watch)


def audit(
    name: Name,
    root: Root = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="End with 1 when a finding is serious.")
    ] = False,
) -> None:
    """Look for what could flatter a study: leaks between its parts, relatives, batches."""
    from geno_hpo.cli.audit import audit_study

    audit_study(root, name, as_json=as_json, strict=strict)


def report(
    names: Annotated[
        list[str],
        typer.Argument(
            help="A study; several are compared on one page.", autocompletion=complete_study
        ),
    ],
    root: Root = HERE,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder for several studies' page; by default reports/A+B."
        ),
    ] = None,
    test: Annotated[
        bool,
        typer.Option(
            "--test/--no-test",
            help="Show the sealed test set, or leave it out, also before it is opened.",
        ),
    ] = True,
) -> None:
    """Draw the report of a finished study again, or compare several on one page."""
    from geno_hpo.cli.run import report_studies, report_study

    if len(names) > 1 and not test:
        raise InputError("--no-test belongs to one study, got " + ", ".join(names))
    if len(names) > 1:
        report_studies(root, names, output)
    elif output is not None:
        raise InputError("--output belongs to several studies; one has its place in reports/")
    else:
        report_study(root, names[0], test=test)


def results(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Studies; default: all.", metavar="[NAME…]", autocompletion=complete_study
        ),
    ] = None,
    root: Root = HERE,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Markdown file to write; else shown.")
    ] = None,
) -> None:
    """Put finished studies in one table: published, network, best baseline, verdict."""
    from geno_hpo.cli.results import write_results

    write_results(root, names or [], output)
