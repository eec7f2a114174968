"""What a person sees while a study runs: a live table in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from geno_hpo.report.words import number, spread

if TYPE_CHECKING:
    from geno_hpo.study.progress import PartProgress, Progress

__all__ = ["Display", "leaderboard", "minutes", "outer_scores", "progress_table"]

LINE_EVERY_SECONDS = 10.0
SAME_LINE_EVERY_SECONDS = 60.0
LABELS = {
    "network": "networks",
    "ridge": "ridge",
    "elastic_net": "elastic net",
    "kernel_ridge": "kernel ridge",
    "kmer": "k-mer counts",
    "random_forest": "random forest",
    "lightgbm": "LightGBM",
    "control": "control",
    "final": "final fits",
}
PHASES = {"search": "searching", "final": "testing"}


def minutes(seconds: float | None) -> str:
    """``4 min 05 s``; a dash for None."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def label(part: str) -> str:
    """Name of a part for people."""
    return LABELS.get(part, part)


class Display:
    """Shows progress; a context manager, so that the terminal is always left in order.

    Parameters
    ----------
    name
        The study.
    plain
        Plain lines even in a terminal.
    """

    def __init__(self, name: str, *, plain: bool = False) -> None:
        self._console = Console(highlight=False)
        self._live: Live | None = None
        if self._console.is_terminal and not plain:
            self._live = Live(console=self._console, refresh_per_second=4, transient=False)
        self._name = name
        self._start = time.monotonic()
        self._spoke = 0.0
        self._last = ""

    def __enter__(self) -> Display:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def rename(self, name: str) -> None:
        """Show another name from now on: that of the outer fold at work."""
        self._name = name

    def close(self) -> None:
        """Stop the live display; what it last showed stays."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def say(self, sentence: str) -> None:
        """Print one sentence above the live table."""
        stamp = f"[{minutes(time.monotonic() - self._start):>12}]"
        self._console.print(Text(f"{stamp} {sentence}"), soft_wrap=True)
        sys.stdout.flush()

    def watch(self, progress: Progress) -> None:
        """Show the progress: the table now, or a line now and then."""
        if self._live is not None:
            elapsed = time.monotonic() - self._start
            self._live.update(progress_table(self._name, progress, elapsed))
            return
        line = _line(progress)
        now = time.monotonic()
        pause = SAME_LINE_EVERY_SECONDS if line == self._last else LINE_EVERY_SECONDS
        if line and now - self._spoke >= pause:
            self.say(line)
            self._spoke, self._last = now, line


def progress_table(name: str, progress: Progress, elapsed: float) -> Group:
    """The live table: one row a part of the study."""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=True, header_style="dim")
    for title, justify in (
        ("", "left"),
        ("", "left"),
        ("done", "right"),
        ("pruned", "right"),
        ("failed", "right"),
        ("best", "right"),
        ("", "left"),
    ):
        table.add_column(title, justify="right" if justify == "right" else "left", no_wrap=True)
    for part in progress.parts:
        if part.asked:
            table.add_row(*_row(part))
    head = Text.assemble(
        (name, "bold"),
        f" · {PHASES.get(progress.phase, progress.phase)} · {minutes(elapsed)} gone",
        _to_go(progress, " · about {} to go"),
        ("   Ctrl-C stops; nothing is lost" if progress.phase in PHASES else "", "dim"),
    )
    return Group(head, table)


def _to_go(progress: Progress, sentence: str) -> str:
    left = progress.seconds_left
    return sentence.format(minutes(left)) if left is not None and left >= 1 else ""


def _row(part: PartProgress) -> tuple[Any, ...]:
    return (
        label(part.part),
        ProgressBar(total=max(part.asked, 1), completed=part.done, width=12),
        f"{part.done}/{part.asked}",
        str(part.pruned or ""),
        Text(str(part.failed or ""), style="red"),
        "" if part.best is None else f"{part.best:.4f}",
        Text(_doing(part), style="dim"),
    )


def _doing(part: PartProgress) -> str:
    """The best trial, and what the running ones have reached."""
    words = []
    if part.part == "network" and part.best is not None:
        words.append(f"trial {part.best_number} {part.best_model}")
    words += [
        f"#{trial.number} at {trial.epoch}: {trial.score:.3f}"
        for trial in part.now
        if trial.score is not None
    ]
    return "  ".join(words)


def _line(progress: Progress) -> str:
    """What is going on, in one line: the parts that have something running."""
    words = []
    for part in progress.parts:
        if not part.running:
            continue
        text = f"{label(part.part)} {part.done}/{part.asked}"
        if part.pruned:
            text += f" ({part.pruned} pruned)"
        if part.failed:
            text += f" ({part.failed} failed)"
        if part.best is not None:
            text += f" best {part.best:.4f}"
        now = ", ".join(
            f"trial {trial.number} epoch {trial.epoch} {trial.score:.3f}"
            for trial in part.now
            if trial.score is not None
        )
        words.append(f"{text} [{now}]" if now else text)
    return "; ".join(words) + _to_go(progress, "; about {} to go") if words else ""


def leaderboard(summary: dict[str, Any]) -> None:
    """Print the leaderboard of a summary."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("model")
    table.add_column(f"cross-validated {summary['metric']}", justify="right")
    table.add_column("sealed test [95 % interval]", justify="right")
    for row in summary["leaderboard"]:
        low, high = row["test_ci"]
        kind = " (network)" if row["kind"] == "network" else ""
        table.add_row(
            f"{label(row['model'])}{kind}",
            f"{row['cv_mean']:.4f}{spread(row['cv_std'], 4)}",
            f"{row['test']:.4f} [{low:.4f}, {high:.4f}]",
        )
    Console(highlight=False).print(table)


def outer_scores(summary: dict[str, Any]) -> None:
    """Print the pooled scores of a nested cross-validation, one column an outer fold."""
    table = Table(box=None, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("procedure")
    outer = summary["split"]["outer"]
    table.add_column(f"{summary['metric']} over {outer} outer folds", justify="right")
    for fold in summary["outer_folds"]:
        table.add_column(f"{fold['fold']}", justify="right")
    for row in summary["leaderboard"]:
        table.add_row(
            label(row["model"]),
            f"{number(row['test_mean'], 4)}{spread(row['test_std'], 4)}",
            *(number(score, 4) for score in row["test_folds"]),
        )
    Console(highlight=False).print(table)
