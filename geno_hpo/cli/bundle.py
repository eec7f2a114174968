"""``geno-hpo export`` and ``predict``: write a bundle, and ask one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from geno_hpo.bundle import Bundle, BundleLocus, InputOptions, Predicted
    from geno_hpo.bundle.portable import Format

__all__ = ["export_bare", "export_bundle", "predict_samples"]

_SHOWN = 60  # rows of a table on the screen


def export_bundle(root: Path, name: str, output: Path, *, genotypes: bool) -> None:
    """Write the bundle of a finished study and say what it holds."""
    from geno_hpo.study.export import export_study
    from geno_hpo.study.paths import Project

    manifest = export_study(Project(root), name, output, genotypes=genotypes)
    what = "positions" if manifest.kind == "sequence" else "variants"
    typer.echo(
        f"{len(manifest.models)} {manifest.family} models of {manifest.width} {what} for "
        f"{', '.join(manifest.targets[:15])} written to {output}"
    )
    for each in manifest.thresholds[:15]:
        typer.echo(f"{each.target}: 1 from a probability of {each.value:.4g} on ({each.source})")
    if manifest.provenance["simulated"]:
        typer.echo("The study's data are simulated: the bundle says nothing about real samples.")
    typer.echo(f"predict with: geno-hpo predict {output} -i INPUT -o predictions.csv -v")


def export_bare(root: Path, name: str, output: Path, form: Format) -> None:
    """Write a finished study's winner, or a bundle, as a model that needs no geno-hpo."""
    from geno_hpo.bundle import open_bundle
    from geno_hpo.bundle.manifest import MANIFEST
    from geno_hpo.bundle.portable import write_portable
    from geno_hpo.study.export import export_study
    from geno_hpo.study.paths import Project
    from geno_hpo.training.setup import load_quietly

    load_quietly()
    with TemporaryDirectory() as scratch:
        folder = Path(name)
        if not (folder / MANIFEST).is_file():
            folder = Path(scratch) / "bundle"
            export_study(Project(root), name, folder)
        bundle = open_bundle(folder)
        path = write_portable(bundle, form, output)
    shape = "one-hot sequences" if bundle.manifest.kind == "sequence" else "dosages"
    typer.echo(
        f"{len(bundle.manifest.models)} {bundle.manifest.family} models in one, from {shape} to "
        f"mean and spread, written to {path}; model.json beside it says what stands where"
    )
    typer.echo("it checks nothing: no species, alleles, order, or share that is unknown")


def predict_samples(
    folder: Path,
    inputs: tuple[Path, ...],
    output: Path,
    options: InputOptions,
    *,
    verbose: bool,
    leave_out: bool,
) -> None:
    """Predict with a progress bar, write the table, say what was counted."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    from geno_hpo.bundle import open_bundle, open_samples, predict, write_predictions
    from geno_hpo.training.setup import load_quietly

    bundle = open_bundle(folder)
    samples = open_samples(bundle, inputs, options)
    load_quietly()
    shown: list[Predicted] = []
    left: list[str] = []
    calls: dict[int, int] = {}

    def watched(found: Iterator[Predicted]) -> Iterator[Predicted]:
        for each in found:
            if sum(len(one.ids) for one in shown) < _SHOWN:
                shown.append(each)
            for call in each.calls.ravel().tolist():
                calls[call] = calls.get(call, 0) + 1
            yield each

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("predicting", total=samples.total)
        found = predict(
            bundle,
            samples,
            leave_out=leave_out,
            seen=lambda many: progress.update(bar, advance=many),
            left_out=left.append,
        )
        many = write_predictions(bundle.manifest, watched(found), output)
    for note in samples.notes:
        typer.echo(f"note: {note}", err=True)
    for reason in left:
        typer.echo(f"left out: {reason}", err=True)
    if verbose and shown:
        _print_coverage(bundle, shown)
        _print_answers(bundle, shown)
    _print_end(bundle, many, calls, output)


def _print_coverage(bundle: Bundle, found: list[Predicted]) -> None:
    """What is known of each locus of each sample."""
    from rich.console import Console
    from rich.table import Table

    manifest = bundle.manifest
    variants = manifest.kind == "variants"
    heads = ("sample", "variants" if variants else "locus", "length", "known %")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in (*heads, *(() if variants else ("differs %",))):
        table.add_column(head, justify="left" if head in ("sample", "locus") else "right")
    rows = 0
    for each in found:
        for row, sample in enumerate(each.ids):
            for locus, share in zip(manifest.stretches, each.unknown[row], strict=True):
                rows += 1
                if rows <= _SHOWN:
                    cells = [sample, locus.name or "all", str(locus.stop - locus.start)]
                    cells.append(f"{100 * (1 - share):.1f}")
                    table.add_row(*cells, *(() if variants else (_differs(each, row, locus),)))
    Console(highlight=False).print(table)
    if rows > _SHOWN:
        typer.echo(f"… and {rows - _SHOWN} rows more")


def _differs(each: Predicted, row: int, locus: BundleLocus) -> str:
    """Share of the whole sample that differs; told once a sample, at its first locus."""
    return f"{100 * each.mismatch[row]:.2f}" if locus.start == 0 else ""


def _print_answers(bundle: Bundle, found: list[Predicted]) -> None:
    from rich.console import Console
    from rich.table import Table

    from geno_hpo.bundle.table import heads, rows

    manifest = bundle.manifest
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in heads(manifest)[:5]:
        numbers = head in ("probability", "spread", "value")
        table.add_column(head, justify="right" if numbers else "left")
    shown = 0
    for each in found:
        for cells in rows(manifest, each):
            shown += 1
            if shown <= _SHOWN:
                table.add_row(*(_short(cell) for cell in cells[:5]))
    Console(highlight=False).print(table)
    if shown > _SHOWN:
        typer.echo(f"… and {shown - _SHOWN} rows more in the file")


def _short(cell: str) -> str:
    try:
        return f"{float(cell):.4g}" if "." in cell or "e" in cell else cell
    except ValueError:
        return cell


def _print_end(bundle: Bundle, many: int, calls: dict[int, int], output: Path) -> None:
    from geno_hpo.bundle.predict import CANNOT_TELL

    manifest = bundle.manifest
    doubt = calls.get(CANNOT_TELL, 0)
    if doubt:
        typer.echo(
            f"{doubt} of {sum(calls.values())} answers are `cannot tell`: more than "
            f"{manifest.limits.unknown:.0%} of the sample, or {manifest.limits.locus:.0%} of a "
            "locus, is unknown"
        )
    if manifest.task in ("binary", "multilabel"):
        resistant = manifest.subject == "drug"
        names = ("resistant", "susceptible") if resistant else ("positive", "negative")
        if manifest.classes:
            names = (manifest.classes[1], manifest.classes[0])
        typer.echo(f"1 = {names[0]}: {calls.get(1, 0)}, 0 = {names[1]}: {calls.get(0, 0)}")
    if manifest.provenance.get("simulated"):
        typer.echo("The model was trained on simulated data: it says nothing about real samples.")
    typer.echo(f"{many} samples, {len(manifest.models)} models of study {manifest.name}: {output}")
