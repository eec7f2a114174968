"""``geno-hpo data``: the catalogue of data sets."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["data_app"]

data_app = typer.Typer(
    name="data", help="List, show and fetch the catalogue's data sets.", no_args_is_help=True
)
Name = Annotated[str, typer.Argument(help="Data set name.", metavar="NAME")]


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
