"""``geno-hpo audit``: what could flatter a study, as a table or as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from geno_hpo.audit import Audit

__all__ = ["audit_study"]

_COLOURS = {"serious": "bold red", "warning": "yellow", "note": "dim"}


def audit_study(root: Path, name: str, *, as_json: bool, strict: bool) -> None:
    """Prepare the study's data and show what the audit finds; of nested folds, in the first.

    Raises
    ------
    InputError
        There is no such study, or its files or data cannot be used.
    typer.Exit
        With 1 when `strict` is asked for and a finding is serious.
    """
    from geno_hpo.audit import audit
    from geno_hpo.study.nested import fold_plans
    from geno_hpo.study.paths import Project
    from geno_hpo.study.plan import load_plan
    from geno_hpo.study.prepared import prepare

    plan = fold_plans(load_plan(Project(root), name))[0]
    name = str(plan.key)
    prepared = prepare(plan)
    found = audit(prepared.dataset, prepared.split)
    if as_json:
        typer.echo(json.dumps({"study": name, **found.as_dict()}, indent=2, ensure_ascii=False))
    else:
        dataset, split = prepared.dataset, prepared.split
        typer.echo(
            f"study {name}: {dataset.samples:,} samples × {dataset.features:,}, "
            f"{len(split.test):,} sealed for the test, {len(split.folds)} folds"
        )
        _show(found)
    if strict and found.serious:
        raise typer.Exit(1)


def _show(found: Audit) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 1, 0), header_style="bold")
    for head in ("severity", "what was found", "for example", "what to do"):
        table.add_column(head, overflow="fold")
    for finding in found.findings:
        table.add_row(
            Text(finding.severity, style=_COLOURS[finding.severity]),
            Text(f"{finding.check}: {finding.what}"),
            Text("\n".join(finding.examples)),
            Text(finding.advice),
        )
    if table.row_count:
        console.print(table)
    else:
        typer.echo("nothing found that could flatter it")
    for note in found.sampled:
        typer.echo(f"looked at in part: {note}")
