"""``geno-hpo data``: the catalogue of data sets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, get_args

import typer

from geno_hpo.cli.completion import complete_data

if TYPE_CHECKING:
    from geno_hpo.data.catalogue import Entry

__all__ = ["data_app"]

data_app = typer.Typer(
    name="data",
    help="List, show, preview and fetch the catalogue's data sets.",
    no_args_is_help=True,
)
Name = Annotated[
    str, typer.Argument(help="Data set name.", metavar="NAME", autocompletion=complete_data)
]


@data_app.command("list")
def list_sets() -> None:
    """List the data sets that a study can name."""
    from rich.console import Console
    from rich.table import Table

    from geno_hpo.data.catalogue import entries

    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for head in ("name", "what", "size", "labels"):
        table.add_column(head, overflow="fold")
    for entry in entries():
        ready = entry.name if entry.reader else f"{entry.name} (files only)"
        table.add_row(ready, entry.title, entry.size, entry.labels)
    Console(highlight=False).print(table)


@data_app.command()
def show(name: Name) -> None:
    """Show a data set's origin, licence, citation and files."""
    from geno_hpo.data.catalogue import entry

    found = entry(name)
    rows = {
        "what": found.title,
        "size": found.size,
        "labels": found.labels,
        "simulated": "yes" if found.simulated else "no",
        "licence": found.licence,
        "citation": found.citation,
        "needs": ", ".join(found.needs),
    }
    typer.echo(found.name)
    for key, value in rows.items():
        if value:
            typer.echo(f"  {key:<10} {value}")
    for key, text in found.options.items():
        typer.echo(f"  option     {key}: {text}")
    if found.reader:
        typer.echo("  in a study")
        for line in _study_lines(found):
            typer.echo(f"    {line}")
    for file in found.files:
        typer.echo(f"  file       {file.name} ({file.bytes:,} bytes)")
        typer.echo(f"             {file.url or 'derived: only a mirror folder holds it'}")


@data_app.command()
def fetch(name: Name) -> None:
    """Fetch a data set's files now, each checked against its SHA-256."""
    from geno_hpo.data.catalogue import entry
    from geno_hpo.data.catalogue import fetch as fetch_files

    found = entry(name)
    if not found.files:
        typer.echo(f"{name} is made by this program; there is nothing to fetch")
        return
    typer.echo(f"licence: {found.licence}\nplease cite: {found.citation}")
    for needed in (*found.needs, name):
        typer.echo(f"{needed} is in {fetch_files(needed)}")


@data_app.command()
def preview(
    name: Name,
    target: Annotated[
        list[str] | None, typer.Option(help="Target column; may be given several times.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="binary, multiclass, multilabel or regression.")
    ] = None,
) -> None:
    """Read a data set as a study would and show its size, labels, groups and first samples."""
    from rich.console import Console
    from rich.table import Table

    from geno_hpo import encoding
    from geno_hpo.config import CatalogueData
    from geno_hpo.data.catalogue import entry
    from geno_hpo.data.dataset import Task
    from geno_hpo.data.source import open_dataset
    from geno_hpo.errors import InputError

    found = entry(name)
    kind = task or found.task
    if found.reader and kind not in get_args(Task):
        raise InputError(f"task is one of {', '.join(get_args(Task))}, got {kind!r}")
    if found.files:
        typer.echo(f"licence: {found.licence}\nplease cite: {found.citation}")
    dataset = open_dataset(
        CatalogueData(catalogue=name),
        target=tuple(target or found.target),
        task=kind,  # type: ignore[arg-type]
    )
    variants = dataset.kind == "variants"
    typer.echo(
        f"{dataset.samples:,} samples × {dataset.features:,} {'variants' if variants else 'bases'}"
    )
    for note in dataset.origin.notes:
        typer.echo(f"  {note}")
    for group, names in dataset.groups.items():
        typer.echo(f"  group {group}: {len(set(names)):,} values")
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for head in ("sample", *dataset.target.names, *dataset.groups, "begins"):
        table.add_column(head, no_wrap=True)
    classes = dataset.target.classes
    for row in range(min(5, dataset.samples)):
        values = dataset.target.values[row]
        shown = [classes[int(value)] if classes else f"{value:g}" for value in values]
        first = dataset.codes[row, :20]
        text = " ".join(map(str, first.tolist())) if variants else encoding.decode(first)
        groups = [str(names[row]) for names in dataset.groups.values()]
        table.add_row(dataset.ids[row], *shown, *groups, text)
    Console(highlight=False).print(table)


def _study_lines(found: Entry) -> list[str]:
    """Lines of a study file that asks this data set's example question."""
    names = ", ".join(found.target)
    target = names if len(found.target) == 1 else f"[{names}]"
    return [f"data: {{catalogue: {found.name}}}", f"target: {target}", f"task: {found.task}"]
