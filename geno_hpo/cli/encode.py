"""``geno-hpo encode``: BAM or CRAM files → sequences of gene regions, and what was seen."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from geno_hpo.pileup import Encoding, Sample

__all__ = ["encode_files"]

_SHOWN = 60  # rows of the table on the screen


def encode_files(
    work: Encoding,
    output: Path,
    *,
    named: bool | None,
    gaps: bool,
    fasta: bool,
    table: Path | None,
) -> None:
    """Encode with a progress bar, write the output, print the table."""
    from rich.console import Console
    from rich.progress import Progress

    from geno_hpo.pileup import encode_alignments, save

    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("reading alignments", total=len(work.alignments))

        def seen(sample: str, share: float) -> None:
            progress.update(bar, advance=share, description=sample)

        samples = list(encode_alignments(work, seen))
    save(samples, output, named=named, gaps=gaps, fasta=fasta)
    _print_table(samples)
    if table is not None:
        _write_table(samples, table)
    _print_remarks(samples, work, output)


def _print_table(samples: Sequence[Sample]) -> None:
    from rich.console import Console
    from rich.table import Table

    from geno_hpo.pileup import table_rows

    rows = table_rows(samples)
    shown = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    heads = ("region", "bases", "depth", "N", "N %", "del", "ins", "differ")
    for head in ("sample", *heads) if len(samples) > 1 else heads:
        shown.add_column(
            head, justify="left" if head in ("sample", "region") else "right", no_wrap=True
        )
    for sample, region, bases, depth, unknown, share, deleted, inserted, differ in rows[:_SHOWN]:
        cells = (
            region,
            bases,
            depth,
            unknown,
            f"{100 * float(share or 0):.1f}",
            deleted,
            inserted,
            "" if differ is None else differ,
        )
        shown.add_row(*map(str, (sample, *cells) if len(samples) > 1 else cells))
    Console(highlight=False).print(shown)
    if len(rows) > _SHOWN:
        typer.echo(f"… and {len(rows) - _SHOWN} rows more: --table FILE.csv writes all")


def _write_table(samples: Sequence[Sample], path: Path) -> None:
    from geno_hpo.errors import DataError
    from geno_hpo.pileup import HEADS, table_rows

    try:
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(HEADS)
            writer.writerows(table_rows(samples))
    except OSError as error:
        raise DataError(f"{path} cannot be written: {error}") from error


def _print_remarks(samples: Sequence[Sample], work: Encoding, output: Path) -> None:
    called = [each for sample in samples for each in sample.called]
    rules = work.rules
    bases = sum(len(each.codes) for each in called)
    typer.echo(
        f"called where at least {rules.min_depth} reads (mapping quality {rules.mapping_quality}, "
        f"base quality {rules.base_quality}) show a position and {rules.min_share:.0%} agree"
    )
    for doubt in dict.fromkeys(each for sample in samples for each in sample.doubts):
        typer.echo(f"warning: {doubt}", err=True)
    if empty := sum(each.unknown == len(each.codes) for each in called):
        typer.echo(f"warning: {empty} of {len(called)} regions have no called base", err=True)
    if inserted := sum(each.insertions for each in called):
        typer.echo(f"{inserted} insertions have no column and were left out")
    if unrated := sum(each.unrated for each in called):
        typer.echo(f"warning: {unrated} reads have no base qualities; all were taken", err=True)
    reverse = sum(each.region.strand == "-" for each in samples[0].called)
    typer.echo(
        f"{len(samples)} samples × {len(samples[0].called)} regions ({reverse} on the reverse "
        f"strand), {bases:,} positions written to {output}"
    )
