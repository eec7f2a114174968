"""The program ``geno-hpo``: its commands and exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from geno_hpo import __version__
from geno_hpo.cli.arguments import HERE, Name, Root
from geno_hpo.cli.catalogue import data_app
from geno_hpo.cli.control import add_control
from geno_hpo.cli.models import add_models
from geno_hpo.cli.spaces import space_app
from geno_hpo.cli.studies import add_studies
from geno_hpo.errors import GenoHpoError

__all__ = ["app", "main"]

app = typer.Typer(
    name="geno-hpo",
    help="Hyperparameter-optimisation experiments for genomic deep learning.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


add_studies(app)
add_models(app)


@app.command()
def split(
    name: Name,
    output: Annotated[
        Path, typer.Option(help="File to write; a folder with --outer.", show_default=False)
    ],
    root: Root = HERE,
    outer: Annotated[
        int | None,
        typer.Option(min=2, help="Nested cross-validation: write this many splits, one a file."),
    ] = None,
) -> None:
    """Write which part each sample is in, as a table that ``split: {file: …}`` reads back."""
    from geno_hpo.cli.split import write_study_split

    write_study_split(root, name, output, outer)


@app.command()
def sync(name: Name, root: Root = HERE) -> None:
    """Write MLflow's runs again from the trial storage, where they were lost."""
    from geno_hpo.cli.restore import restore

    restore(root, name)


@app.command()
def ui(
    root: Root = HERE,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 5000,
) -> None:
    """Serve the MLflow page of all studies on this machine, until Ctrl-C."""
    from geno_hpo.cli.mlflow_page import serve

    serve(root, port)


@app.command()
def dashboard(
    root: Root = HERE,
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8080,
) -> None:
    """Serve Optuna's dashboard over the trial storage on this machine, until Ctrl-C."""
    from geno_hpo.cli.optuna_page import serve

    serve(root, port)


@app.command()
def encode(
    alignments: Annotated[
        list[Path], typer.Argument(help="Sorted, indexed BAM or CRAM files.", metavar="BAM…")
    ],
    regions: Annotated[
        Path, typer.Option(help="Regions: BED, or a table with locus, start, end (contig, strand).")
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="One-hot .csv(.gz), .fasta, or a folder (a file a sample)."
        ),
    ],
    reference: Annotated[
        Path | None, typer.Option(help="Reference FASTA: for CRAM, and to count differences.")
    ] = None,
    coordinates: Annotated[
        int | None, typer.Option(min=0, max=1, help="The table counts from 0 or from 1.")
    ] = None,
    min_depth: Annotated[int, typer.Option(help="Reads that must show a position.")] = 5,
    min_share: Annotated[float, typer.Option(help="Share of them that must agree.")] = 0.75,
    min_base_quality: Annotated[int, typer.Option(help="Bases below it do not count.")] = 13,
    min_mapping_quality: Annotated[int, typer.Option(help="Reads below it do not count.")] = 20,
    gaps: Annotated[
        bool, typer.Option("--gaps", help="Deletions get a fifth column; else zeros, as N.")
    ] = False,
    named: Annotated[
        bool | None,
        typer.Option("--named/--bare", help="Rows begin with sample, locus, position, or not."),
    ] = None,
    fasta: Annotated[
        bool, typer.Option("--fasta", help="In a folder, write one FASTA a region.")
    ] = False,
    table: Annotated[
        Path | None, typer.Option(help="Write the table of regions as CSV, too.")
    ] = None,
) -> None:
    """Turn aligned reads into the sequences of gene regions that a study reads."""
    from geno_hpo.cli.encode import encode_files
    from geno_hpo.pileup import Encoding, Rules

    rules = Rules(min_depth, min_share, min_base_quality, min_mapping_quality)
    base: Literal[0, 1] | None = None if coordinates is None else 1 if coordinates else 0
    work = Encoding(tuple(alignments), regions, rules, reference, base)
    encode_files(work, output, named=named, gaps=gaps, fasta=fasta, table=table)


@app.command()
def plugins() -> None:
    """List families, baselines, metrics and readers that installed packages bring."""
    from geno_hpo.cli.plugins import show_plugins

    if not show_plugins():
        raise typer.Exit(2)


@app.command(hidden=True)
def reference(
    folder: Annotated[Path, typer.Argument(help="Folder to write the pages to.")],
) -> None:
    """Write the reference's pages of keys, hyperparameters and commands (docs/reference)."""
    from geno_hpo.cli.reference import write_pages

    write_pages(app, folder)


add_control(app)
app.add_typer(data_app, name="data")
app.add_typer(space_app, name="space")


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app(prog_name="geno-hpo")
    except GenoHpoError as error:
        from geno_hpo.study.paths import masked

        typer.echo(f"error: {masked(str(error))}", err=True)
        sys.exit(error.exit_code)
    except Exception:
        import traceback

        from geno_hpo.study.paths import masked

        typer.echo(masked(traceback.format_exc()), err=True)
        sys.exit(1)
