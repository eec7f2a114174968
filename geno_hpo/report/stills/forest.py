"""The leaderboard's dot plot drawn by Matplotlib, and its numbers as a table."""

from __future__ import annotations

from typing import Any

from geno_hpo.report.blocks import Forest, ForestRow
from geno_hpo.report.stills.canvas import WIDTH, canvas
from geno_hpo.report.style import LIGHT

__all__ = ["draw_forest", "forest_rows"]

COLOURS = {"network": "c1", "control": "c2"}
LINES = {"chance": ("soft", ":"), "oracle": ("c3", "--")}
# Heights in a row of height 1, from its top: validation folds above, sealed test set below.
FOLDS, TEST, SEEDS = 0.3, 0.68, 0.88


def forest_rows(block: Forest) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Every row's scores with the ends of their intervals."""
    head = ("model", "kind", "cv", "cv_low", "cv_high", "test", "test_low", "test_high")
    return head, [(row.label, row.style, *row.values) for row in block.rows]


def draw_forest(block: Forest) -> Any:
    """Rows as on the page, with model names to the left and scores to the right."""
    figure = canvas(WIDTH, 1.2 + 0.55 * len(block.rows), block.title)
    axes = figure.add_subplot()
    for mark in block.ticks:
        axes.axvline(mark.place, color=LIGHT["rule"], lw=0.7, zorder=0)
    for mark in block.lines:
        _line(axes, mark.place, mark.label, mark.style)
    for place, row in enumerate(block.rows):
        _row(axes, place, row)
    axes.set(xlim=(0, 100), ylim=(len(block.rows), 0))
    axes.set_xticks([mark.place for mark in block.ticks], [mark.label for mark in block.ticks])
    axes.set_xlabel(f"{block.axis}. Open: validation folds; filled: sealed test set", fontsize=9)
    middles = [place + 0.5 for place in range(len(block.rows))]
    axes.set_yticks(middles, [row.label for row in block.rows])
    axes.tick_params(labelsize=8, colors=LIGHT["soft"], length=0)
    axes.tick_params(axis="y", labelsize=9, labelcolor=LIGHT["ink"])
    axes.spines[["top", "right", "left"]].set_visible(False)
    told = axes.secondary_yaxis("right")
    told.set_yticks(middles, [_told(row) for row in block.rows])
    told.tick_params(labelsize=8, labelcolor=LIGHT["ink"], length=0)
    told.spines["right"].set_visible(False)
    return figure


def _row(axes: Any, top: int, row: ForestRow) -> None:
    shade = LIGHT[COLOURS.get(row.style, "c6")]
    folds, test, seeds = (top + part for part in (FOLDS, TEST, SEEDS))
    if row.shade is not None:
        axes.barh(
            top + 0.5, row.shade[1] - row.shade[0], 0.8, row.shade[0], color=LIGHT["rule"], zorder=1
        )
    if row.cv_band is not None:
        axes.plot(row.cv_band, [folds] * 2, color=shade, lw=1.2, zorder=2)
    if row.cv is not None:
        axes.plot(row.cv, folds, "D", ms=6, mfc=LIGHT["paper"], mec=shade, mew=1.4, zorder=3)
    if row.test_band is not None:
        axes.plot(row.test_band, [test] * 2, color=shade, lw=3, alpha=0.42, zorder=2)
    if row.test is not None:
        axes.plot(row.test, test, "o", ms=7, color=shade, zorder=3)
    axes.plot(row.seeds, [seeds] * len(row.seeds), "|", ms=5, color=shade, zorder=2)


def _line(axes: Any, place: float, label: str, style: str) -> None:
    """A reference line, or its name at the edge beyond which it lies."""
    side = {"beyond-left": "left", "beyond-right": "right"}.get(style, "center")
    colour, dash = LINES.get(style, ("soft", ":"))
    if style in LINES:
        axes.axvline(place, color=LIGHT[colour], ls=dash, lw=1.2, zorder=1)
    axes.annotate(
        label,
        (place, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 2),
        textcoords="offset points",
        ha=side,
        va="bottom",
        fontsize=8,
        color=LIGHT[colour],
    )


def _told(row: ForestRow) -> str:
    """Test score with its interval, or the cross-validated one while the test set is sealed."""
    folds, test, *rest = row.cells
    if row.test is None:
        return folds
    return f"{test} ({rest[0]})" if row.test_band is not None else test
