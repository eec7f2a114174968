"""``geno-hpo status``: how far a study is, from its storage alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from geno_hpo.cli.display import progress_table

if TYPE_CHECKING:
    from geno_hpo.study.status import Status

__all__ = ["show_status"]


def show_status(root: Path, name: str, *, as_json: bool) -> None:
    """Print counts, best scores and the reasons of failures."""
    from geno_hpo.study.status import read_outer_status, read_status

    console = Console(highlight=False)
    folds = read_outer_status(root, name)
    if folds is None:
        status = read_status(root, name)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(status), indent=2))
        else:
            _show(console, status)
        return
    if as_json:
        told = [None if fold is None else dataclasses.asdict(fold) for fold in folds]
        typer.echo(json.dumps({"name": name, "outer_folds": told}, indent=2))
        return
    for number, fold in enumerate(folds, start=1):
        console.print(f"outer fold {number} of {len(folds)}: {fold.phase if fold else 'not begun'}")
        if fold is not None:
            _show(console, fold)


def _show(console: Console, status: Status) -> None:
    console.print(progress_table(status.name, status.progress, status.seconds_spent))
    for reason, count in status.failures.items():
        console.print(f"  {count} × {reason}", style="red")
    if status.failures:
        console.print("failed trials were replaced where the budget allowed it", style="dim")
