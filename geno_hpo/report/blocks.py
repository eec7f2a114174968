"""What a page is made of: sections of blocks, each a plain frozen value.

The templates draw a block by its `kind`. Figures are Plotly's JSON as plain dicts whose colours are
tokens (`style`), so that one figure serves light, dark and paper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = [
    "Block",
    "Choice",
    "Code",
    "Facts",
    "Figure",
    "Forest",
    "ForestRow",
    "Letter",
    "Logo",
    "Logos",
    "Mark",
    "Mosaic",
    "MosaicPart",
    "Panel",
    "Paste",
    "Section",
    "Table",
    "Text",
]

Trace = dict[str, Any]


@dataclass(frozen=True)
class Text:
    """A paragraph; `tone` is ``plain``, ``finding`` (large) or ``note`` (small)."""

    kind: ClassVar[str] = "text"
    text: str
    tone: str = "plain"


@dataclass(frozen=True)
class Facts:
    """Names and values side by side; empty values are left out by the template."""

    kind: ClassVar[str] = "facts"
    items: tuple[tuple[str, str], ...]
    title: str = ""


@dataclass(frozen=True)
class Panel:
    """One plot of a figure: Plotly traces and layout, and what it shows in words."""

    traces: tuple[Trace, ...]
    layout: dict[str, Any]
    alt: str
    title: str = ""
    height: int = 340


@dataclass(frozen=True)
class Choice:
    """Other content for a figure's panels, which the reader may choose, and what it says."""

    label: str
    text: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Figure:
    """One or several plots with a common caption; `name` is its id on the page.

    With `choices` a menu puts the panels of one of them in the place of the first's, which are the
    figure's own; `asked` is the menu's name.
    """

    kind: ClassVar[str] = "figure"
    name: str
    title: str
    caption: str
    panels: tuple[Panel, ...]
    columns: int = 1
    choices: tuple[Choice, ...] = ()
    asked: str = ""


@dataclass(frozen=True)
class Letter:
    """A letter of a logo: column, top and height (of 100), upside down where it speaks against."""

    base: str
    x: float
    y: float
    height: float
    below: bool = False


@dataclass(frozen=True)
class Logo:
    """One logo; `width` in columns, `baseline` from the top (of 100), `spans` are underlined.

    `below` are the letters of another logo that it is compared with, called `below_label`.
    """

    title: str
    detail: str
    letters: tuple[Letter, ...]
    width: int
    baseline: float = 100.0
    spans: tuple[tuple[int, int], ...] = ()
    below: tuple[Letter, ...] = ()
    below_label: str = ""

    @property
    def top(self) -> float:
        """Where the highest letter begins, less a little; nothing is drawn above it."""
        return max(0.0, min((one.y for one in self.letters), default=0.0) - 3)


@dataclass(frozen=True)
class Logos:
    """Logos with a common caption."""

    kind: ClassVar[str] = "logos"
    name: str
    title: str
    caption: str
    parts: tuple[Logo, ...]
    columns: int = 1


@dataclass(frozen=True)
class Table:
    """A table of finished texts.

    Parameters
    ----------
    name
        Id on the page, and the CSV file (``NAME.csv``) beside it that holds all rows.
    title
        Caption.
    columns, rows
        Heads and cells.
    numeric
        Columns set to the right.
    note
        A sentence under the table.
    marked
        Rows set in bold.
    """

    kind: ClassVar[str] = "table"
    name: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[int] = frozenset()
    note: str = ""
    marked: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Code:
    """A file's text behind a summary line that opens it."""

    kind: ClassVar[str] = "code"
    summary: str
    text: str


@dataclass(frozen=True)
class Paste:
    """Text meant to be copied, such as a methods paragraph or a command."""

    kind: ClassVar[str] = "paste"
    text: str
    mono: bool = False


@dataclass(frozen=True)
class Mark:
    """A vertical line of a forest plot; `place` in per cent of its width."""

    place: float
    label: str
    style: str = "tick"


@dataclass(frozen=True)
class ForestRow:
    """A model's line in a forest plot; places in per cent of its width, None where missing.

    `values` are the numbers themselves: validation mean with both ends of its band, test score
    with both ends of its interval.
    """

    label: str
    sub: str
    style: str
    cv: float | None
    cv_band: tuple[float, float] | None
    test: float | None
    test_band: tuple[float, float] | None
    seeds: tuple[float, ...]
    cells: tuple[str, ...]
    values: tuple[float | None, ...] = ()
    shade: tuple[float, float] | None = None


@dataclass(frozen=True)
class Forest:
    """Leaderboard as table and dot plot in one, drawn without a script."""

    kind: ClassVar[str] = "forest"
    name: str
    title: str
    caption: str
    heads: tuple[str, ...]
    rows: tuple[ForestRow, ...]
    ticks: tuple[Mark, ...]
    lines: tuple[Mark, ...]
    axis: str
    legend: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class MosaicPart:
    """A part of the split: `left` and `width` in per cent, shares of its classes from 0 to 1."""

    label: str
    samples: str
    left: float
    width: float
    shares: tuple[float, ...]
    sealed: bool = False


@dataclass(frozen=True)
class Mosaic:
    """The split drawn to scale: width is samples, height is the share of each class."""

    kind: ClassVar[str] = "mosaic"
    name: str
    title: str
    caption: str
    parts: tuple[MosaicPart, ...]
    classes: tuple[str, ...]


Block = Text | Facts | Figure | Logos | Table | Code | Paste | Forest | Mosaic


@dataclass(frozen=True)
class Section:
    """A chapter of the page; `short` is its name in the bar of links."""

    key: str
    title: str
    blocks: tuple[Block, ...]
    short: str = ""
