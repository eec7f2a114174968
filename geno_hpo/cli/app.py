"""The commands of ``geno-hpo`` and their exit codes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from geno_hpo import __version__
from geno_hpo.cli.catalogue import data_app
from geno_hpo.cli.completion import complete_study
from geno_hpo.cli.control import add_control
from geno_hpo.cli.spaces import space_app
from geno_hpo.errors import GenoHpoError, InputError

__all__ = ["app", "main"]

app = typer.Typer(
    name="geno-hpo",
    help="Hyperparameter-optimisation experiments for genomic deep learning.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Name = Annotated[
    str,
    typer.Argument(
        help="Study name: studies/NAME.yaml; NAME.TARGET asks it for another target.",
        metavar="NAME",
        autocompletion=complete_study,
    ),
]
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


@app.command()
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


@app.command()
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


@app.command()
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


@app.command()
def export(
    name: Annotated[
        str,
        typer.Argument(
            help="A finished study; or a bundle's folder, to write it in another form.",
            metavar="NAME",
            autocompletion=complete_study,
        ),
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder to write.", show_default=False)
    ],
    root: Root = HERE,
    form: Annotated[
        Literal["bundle", "savedmodel", "onnx"],
        typer.Option("--format", help="A bundle, or a bare model without its checks."),
    ] = "bundle",
    with_genotypes: Annotated[
        bool,
        typer.Option(
            "--with-genotypes",
            help="After impute: knn, write the training samples' genotypes into the bundle.",
        ),
    ] = False,
) -> None:
    """Write a finished study's winner as a bundle: models, encoding, thresholds, provenance."""
    from geno_hpo.cli.bundle import export_bare, export_bundle

    if form == "bundle":
        export_bundle(root, name, output, genotypes=with_genotypes)
    else:
        export_bare(root, name, output, form)


@app.command()
def predict(
    bundle: Annotated[Path, typer.Argument(help="Folder of `geno-hpo export`.", metavar="BUNDLE")],
    inputs: Annotated[
        list[Path],
        typer.Option(
            "--input",
            "-i",
            help="FASTA, one-hot CSV, BAM (may be repeated), VCF, PLINK or SNP table.",
            show_default=False,
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV file to write.")] = Path(
        "predictions.csv"
    ),
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show answers and what was known of each locus.")
    ] = False,
    regions: Annotated[
        Path | None, typer.Option(help="BAM: regions, where the bundle does not know them.")
    ] = None,
    reference: Annotated[Path | None, typer.Option(help="CRAM: the reference FASTA.")] = None,
    id_column: Annotated[
        str | None, typer.Option("--id", help="Tables: column of the sample ids.")
    ] = None,
    leave_out: Annotated[
        bool, typer.Option("--leave-out", help="Leave out samples of another species, and say so.")
    ] = False,
) -> None:
    """Predict samples without labels by a bundle."""
    from geno_hpo.bundle import InputOptions
    from geno_hpo.cli.bundle import predict_samples

    options = InputOptions(regions, reference, id_column)
    predict_samples(bundle, tuple(inputs), output, options, verbose=verbose, leave_out=leave_out)


@app.command()
def train(
    name: Name,
    root: Root = HERE,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hyperparameter, as key=value; may be repeated."),
    ] = None,
    family: Annotated[
        str | None, typer.Option(help="Model family; default: the study's first space's.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Passes over the data; default: the study's.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads for training; default: all cores.")
    ] = None,
) -> None:
    """Train one configuration on a study's folds and draw its curves; no search, no test set."""
    from geno_hpo.cli.train import train_one

    train_one(root, name, values or [], family=family, epochs=epochs, threads=threads)


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
