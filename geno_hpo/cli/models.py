"""Commands about a single model: export a winner, predict by it, train one configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from geno_hpo.cli.arguments import HERE, Name, Root
from geno_hpo.cli.completion import complete_study

__all__ = ["add_models"]


def add_models(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (export, predict, train):
        app.command()(command)


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
