"""The reference's pages, written from what the program knows: schemas, families, commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from geno_hpo.config import cell, schema_page, study_schema
from geno_hpo.models import FAMILIES
from geno_hpo.models.parameter import Parameter
from geno_hpo.models.training import TRAINING
from geno_hpo.space import space_schema

__all__ = ["pages", "space_page", "study_page", "write_pages"]

MADE = "This page is made by `geno-hpo reference docs/reference`; do not edit it."


def study_page() -> str:
    """Describe every key of a study file."""
    opening = (
        "A study file (`studies/NAME.yaml`) asks one question of one data set. Keys that are not "
        "named have their default; an unknown key is refused with the nearest known one. For your "
        "editor: `geno-hpo space schema study > study.schema.json`. " + MADE
    )
    return schema_page(study_schema(), "Every key of a study file", opening)


def space_page() -> str:
    """Describe every key of a search space file."""
    opening = (
        "A search space (`search_spaces/NAME.yaml`) names a model family and what may be tried for "
        "each of its [hyperparameters](hyperparameters.md). For your editor: "
        "`geno-hpo space schema space > space.schema.json`. " + MADE
    )
    return schema_page(space_schema(), "Every key of a search space", opening)


def parameters_page() -> str:
    """Describe every hyperparameter of every family."""
    lines = [
        "# Every hyperparameter",
        "",
        "What a search space and `geno-hpo train NAME --set …` may name. A dash means: off unless "
        "it is named. [Model families](../models.md) tells what they are for. " + MADE,
        "",
    ]
    for name, family in FAMILIES.items():
        kinds = " and ".join({"sequence": "sequences"}.get(kind, kind) for kind in family.kinds)
        lines += [f"## `{name}`", "", f"{family.description} Takes {kinds}.", ""]
        lines += [*_parameters(family.parameters), ""]
    lines += ["## Training, of every family", "", *_parameters(TRAINING)]
    return "\n".join(lines) + "\n"


def commands_page(app: typer.Typer) -> str:
    """Describe every command with its arguments and options."""
    lines = [
        "# Every command",
        "",
        "All end with 0 when done, 1 when failed, 2 on bad input and 130 when interrupted. "
        "`--help` after a command shows the same in the terminal. " + MADE,
        "",
    ]
    for name, command in _commands(typer.main.get_command(app), "geno-hpo"):
        context = command.context_class(command, info_name=name)
        usage = " ".join([name, *command.collect_usage_pieces(context)])
        usage = usage.replace("{", "").replace("}", "")
        lines += [f"## {name}", "", " ".join(command.help.split()), "", f"    {usage}", ""]
        records = [parameter.get_help_record(context) for parameter in command.params]
        rows = [
            f"| `{names.replace('|', ', ')}` | {cell(said)} |"
            for names, said in filter(None, records)
        ]
        if rows:
            lines += ["| argument or option | meaning |", "|---|---|", *rows, ""]
    return "\n".join(lines).rstrip() + "\n"


def pages(app: typer.Typer) -> dict[str, str]:
    """Write all pages as text, by the names of their files."""
    return {
        "study.md": study_page(),
        "space.md": space_page(),
        "hyperparameters.md": parameters_page(),
        "commands.md": commands_page(app),
    }


def write_pages(app: typer.Typer, folder: Path) -> None:
    """Write all pages into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages(app).items():
        (folder / name).write_text(text, encoding="utf-8")
        typer.echo(folder / name)


def _parameters(parameters: tuple[Parameter, ...]) -> list[str]:
    rows = ["| name | value | default | meaning |", "|---|---|---|---|"]
    for each in parameters:
        value = each.rule.removeprefix(f"{each.name} must ").removeprefix("be ")
        value = value.removeprefix("lie ").replace("an integer", "whole number")
        default = "–" if each.default is None else f"`{str(each.default).lower()}`"
        rows.append(f"| `{each.name}` | {cell(value)} | {default} | {cell(each.doc)} |")
    return rows


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Commands that are not hidden, in alphabetical order, each with its whole name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for key in sorted(inner):
        if not inner[key].hidden:
            yield from _commands(inner[key], f"{name} {key}")
