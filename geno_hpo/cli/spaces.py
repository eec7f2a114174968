"""``geno-hpo space``: search spaces, and the schemas that let an editor complete the files."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from geno_hpo.cli.completion import complete_space, complete_study

__all__ = ["space_app"]

space_app = typer.Typer(
    name="space",
    help="List, show and check search spaces; export JSON Schemas.",
    no_args_is_help=True,
)
Name = Annotated[
    str,
    typer.Argument(
        help="Search space: a name or a path.", metavar="NAME", autocompletion=complete_space
    ),
]
Root = Annotated[Path, typer.Option(help="Project folder.")]
HERE = Path()


class SchemaKind(StrEnum):
    """What a schema describes."""

    study = "study"
    space = "space"


@space_app.command("list")
def list_spaces(root: Root = HERE) -> None:
    """List the search spaces of this project."""
    from geno_hpo.space import load_space

    for path in sorted((root / "search_spaces").rglob("*.yaml")):
        space = load_space(path)
        typer.echo(f"{space.name:<16} {space.description}")


@space_app.command()
def show(name: Name, root: Root = HERE) -> None:
    """Show a search space as a table: parameters, ranges, and when each applies."""
    from rich.console import Console
    from rich.table import Table

    from geno_hpo.space import find_space, load_space

    space = load_space(find_space(name, root / "search_spaces"))
    rows = space.describe()
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    for head in ("parameter", "kind", "range", "when"):
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(row.name, row.kind, row.range, row.condition)
    console = Console(highlight=False)
    console.print(f"{space.name} (family {space.family}): {space.description}")
    console.print(table)


@space_app.command()
def check(
    study: Annotated[
        str, typer.Argument(help="Study name.", metavar="STUDY", autocompletion=complete_study)
    ],
    root: Root = HERE,
) -> None:
    """Check a study, its spaces and its data without running anything."""
    from geno_hpo.study.nested import cost
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.prepared import prepare

    plan = load_plan(Project(root), study)
    prepared = prepare(plan)
    dataset = prepared.dataset
    for note in dataset.origin.notes:
        typer.echo(note)
    typer.echo(
        f"study {study} can be run: {dataset.samples} samples × {dataset.features} "
        f"{'positions' if dataset.kind == 'sequence' else 'variants'}, "
        f"{len(prepared.split.folds)} folds, {len(prepared.split.test)} sealed for the test"
    )
    if plan.nested:
        typer.echo(cost(plan))


@space_app.command()
def schema(
    kind: Annotated[SchemaKind, typer.Argument(help="Which file the schema describes.")],
    markdown: Annotated[
        bool, typer.Option("--markdown", help="A page for people instead, with every key.")
    ] = False,
) -> None:
    """Print the JSON Schema of study or space files, for editors, or a page of all keys."""
    if markdown:
        from geno_hpo.cli.reference import space_page, study_page

        typer.echo((study_page if kind is SchemaKind.study else space_page)(), nl=False)
        return
    if kind is SchemaKind.study:
        from geno_hpo.config import study_schema

        typer.echo(json.dumps(study_schema(), indent=2))
        return
    from geno_hpo.space import space_schema

    typer.echo(json.dumps(space_schema(), indent=2))
