"""``geno-hpo results``: finished studies in one table."""

from __future__ import annotations

from pathlib import Path

import typer

from geno_hpo.config import shown

__all__ = ["write_results"]


def write_results(root: Path, names: list[str], output: Path | None) -> None:
    """Write the page of these studies (of all, without names) to `output`, or show it."""
    from geno_hpo.report.results import read_summaries, results_page

    summaries = read_summaries(root / "reports", names)
    page = results_page(summaries)
    if output is None:
        typer.echo(page)
        return
    output.write_text(page, encoding="utf-8")
    typer.echo(f"{shown(output)}: {len(summaries)} studies")
