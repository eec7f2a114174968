"""``geno-hpo status``: how far a study is, from its storage alone."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import typer
from rich.console import Console

from geno_hpo.cli.display import progress_table

__all__ = ["show_status"]


def show_status(root: Path, name: str, *, as_json: bool) -> None:
    """Print counts, best scores and the reasons of failures."""
    from geno_hpo.study.status import read_status

    status = read_status(root, name)
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(status), indent=2))
        return
    console = Console(highlight=False)
    console.print(progress_table(status.name, status.progress, status.seconds_spent))
    for reason, count in status.failures.items():
        console.print(f"  {count} × {reason}", style="red")
    if status.failures:
        console.print("failed trials were replaced where the budget allowed it", style="dim")
