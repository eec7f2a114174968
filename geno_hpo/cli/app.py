"""The commands of ``geno-hpo`` and their exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from geno_hpo import __version__
from geno_hpo.cli.catalogue import data_app
from geno_hpo.cli.spaces import space_app
from geno_hpo.errors import GenoHpoError

__all__ = ["app", "main"]

app = typer.Typer(
    name="geno-hpo",
    help="Hyperparameter-optimisation experiments for genomic deep learning.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data_app, name="data")
app.add_typer(space_app, name="space")

Name = Annotated[str, typer.Argument(help="Study name: studies/NAME.yaml.", metavar="NAME")]
Root = Annotated[
    Path, typer.Option(help="Project folder, with studies/ and search_spaces/.", show_default=True)
]
HERE = Path()


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"geno-hpo {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def run(
    name: Name,
    root: Root = HERE,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Local workers; default: the study's, else all cores.")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew; the old trials stay under their name.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Plain lines instead of a live display.")
    ] = False,
) -> None:
    """Run a study to its report, or go on with an interrupted one."""
    from geno_hpo.cli.run import run_study

    run_study(root, name, workers=workers, fresh=fresh, plain=plain)


@app.command()
def worker(
    name: Name,
    root: Root = HERE,
    threads: Annotated[int, typer.Option(min=1, help="Threads for training.")] = 1,
    memory_limit: Annotated[
        int | None,
        typer.Option(min=1, help="End after a trial once this many bytes of memory were used."),
    ] = None,
    session: Annotated[str | None, typer.Option(hidden=True)] = None,
) -> None:
    """Add this process to a study as one more worker; it leaves when nothing waits."""
    from geno_hpo.cli.worker import run_worker

    run_worker(root, name, threads=threads, memory_limit=memory_limit, session=session)


@app.command()
def status(
    name: Name,
    root: Root = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="Machine-readable.")] = False,
) -> None:
    """Show how far a study is, and why trials failed."""
    from geno_hpo.cli.status import show_status

    show_status(root, name, as_json=as_json)


@app.command()
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


@app.command()
def report(name: Name, root: Root = HERE) -> None:
    """Draw the report of a finished study again."""
    from geno_hpo.cli.run import report_study

    report_study(root, name)


@app.command()
def ui(
    root: Root = HERE,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
) -> None:
    """Serve the MLflow page of all studies on this machine, until Ctrl-C."""
    from geno_hpo.cli.mlflow_page import serve

    serve(root, port)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except GenoHpoError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
