"""What a notebook shows: a bar that goes on in its cell, and a report's figures.

Outside of a notebook progress is told by plain sentences. IPython is asked only where it runs
already; it is no dependency.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geno_hpo.errors import InputError
from geno_hpo.report.words import number

if TYPE_CHECKING:
    import pandas as pd

    from geno_hpo.study.progress import Progress

__all__ = ["Cell", "Still", "choose", "stills"]

FIGURES = "figures"


@dataclass(frozen=True)
class Still:
    """A figure of a report; a notebook shows it.

    Parameters
    ----------
    png
        The picture. Beside it lie an SVG and a CSV file of the same name.
    """

    png: Path

    @property
    def name(self) -> str:
        """Name of the figure, such as ``history``."""
        return self.png.stem

    @property
    def values(self) -> pd.DataFrame:
        """What is drawn, as a table."""
        import pandas as pd

        return pd.read_csv(self.png.with_suffix(".csv"))

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self.png.read_bytes()


def stills(report: Path) -> dict[str, Still]:
    """Find the figures of a report's folder, by name."""
    return {path.stem: Still(path) for path in sorted((report / FIGURES).glob("*.png"))}


def choose(found: dict[str, Still], name: str) -> Still:
    """Give a figure by its name.

    Raises
    ------
    InputError
        The report has none of this name; those it has are told.
    """
    if name not in found:
        raise InputError(f"the report has no figure {name!r}; it has {', '.join(found) or 'none'}")
    return found[name]


class Cell:
    """Tells progress: by a bar in a notebook's cell, else by sentences.

    Parameters
    ----------
    say
        Called with a sentence when something begins.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._handle: Any = None
        self._shown = ""

    def watch(self, progress: Progress) -> None:
        """Show how far the study is; nothing outside of a notebook."""
        if not in_notebook():
            return
        from IPython.display import HTML, display

        text = bar(progress)
        if text == self._shown:
            return
        self._shown = text
        if self._handle is None:
            self._handle = display(HTML(text), display_id=True)
        else:
            self._handle.update(HTML(text))


def in_notebook() -> bool:
    """Whether this process is a notebook's."""
    module: Any = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return getattr(shell, "kernel", None) is not None


def bar(progress: Progress) -> str:
    """Draw progress as HTML: a bar for the whole, and a line a part."""
    left = progress.seconds_left
    rest = f", some {max(1, round(left / 60))} min left" if left else ""
    drawn = f'<progress value="{progress.done}" max="{max(progress.asked, 1)}"></progress>'
    lines = [f"{drawn} {progress.phase}: {progress.done} of {progress.asked} trials{rest}"]
    for part in progress.parts:
        best = "" if part.best is None else f", best {number(part.best)}"
        failed = f", {part.failed} failed" if part.failed else ""
        lines.append(f"{part.part}: {part.done} of {part.asked}{best}{failed}")
    return "<div>" + "<br>".join(lines) + "</div>"
