"""``geno-hpo status``: how far a study is, from its storage alone."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from geno_hpo.cli.display import label, progress_table

if TYPE_CHECKING:
    from geno_hpo.study.progress import FrontPoint
    from geno_hpo.study.status import AtWork, Status

__all__ = ["show_status"]


WATCH_SECONDS = 2.0


def show_status(root: Path, name: str, *, as_json: bool, watch: bool = False) -> None:
    """Print counts, best scores, workers and the reasons of failures; again and again to watch."""
    while True:
        if watch and not as_json:
            Console().clear()
        done = _show_once(root, name, as_json=as_json, lines=watch)
        if not watch or done:
            return
        time.sleep(WATCH_SECONDS)


def _show_once(root: Path, name: str, *, as_json: bool, lines: bool) -> bool:
    """Print the status once (as JSON on one line where `lines`); whether the study is done."""
    from geno_hpo.study.status import read_outer_status, read_status

    console = Console(highlight=False)
    indent = None if lines else 2
    folds = read_outer_status(root, name)
    if folds is None:
        status = read_status(root, name)
        if as_json:
            typer.echo(json.dumps(dataclasses.asdict(status), indent=indent))
        else:
            _show(console, status)
        return status.phase == "done"
    if as_json:
        told = [None if fold is None else dataclasses.asdict(fold) for fold in folds]
        typer.echo(json.dumps({"name": name, "outer_folds": told}, indent=indent))
    else:
        for number, fold in enumerate(folds, start=1):
            phase = fold.phase if fold else "not begun"
            console.print(f"outer fold {number} of {len(folds)}: {phase}")
            if fold is not None:
                _show(console, fold)
    return all(fold is not None and fold.phase == "done" for fold in folds)


def _show(console: Console, status: Status) -> None:
    console.print(progress_table(status.name, status.progress, status.seconds_spent))
    if status.asked:
        console.print(f"  all workers were asked to {status.asked}", style="yellow")
    for part in status.progress.parts:
        if part.front:
            console.print(_front_table(part.front))
    if status.workers:
        console.print(_workers_table(status.workers))
    for reason, count in status.failures.items():
        console.print(f"  {count} × {reason}", style="red")
    if status.failures:
        console.print("failed trials were replaced where the budget allowed it", style="dim")


def _front_table(front: tuple[FrontPoint, ...]) -> Table:
    """The Pareto front, the best score first; the row that wins in bold."""
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim", title_justify="left")
    for title in ("front: trial", "model", "score", *front[0].costs):
        table.add_column(title, no_wrap=True, justify="left" if title == "model" else "right")
    for one in front:
        costs = [
            f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in one.costs.values()
        ]
        style = "bold" if one.wins else ""
        number = f"{'wins: ' if one.wins else ''}{one.number}"
        table.add_row(number, one.model, f"{one.score:.4f}", *costs, style=style)
    return table


def _workers_table(workers: tuple[AtWork, ...]) -> Table:
    """Who works at what, one row a worker."""
    table = Table(box=None, padding=(0, 2, 0, 2), header_style="dim")
    for title in ("worker", "job", "GPU", "trial", "epoch", "lease renewed"):
        table.add_column(title, no_wrap=True)
    for one in workers:
        trial = f"{label(one.part)} {one.trial}"
        age = f"{one.lease_age:.0f} s ago"
        table.add_row(one.worker, one.job or "–", one.gpu or "–", trial, str(one.epoch), age)
    return table
