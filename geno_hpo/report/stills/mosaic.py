"""The split to scale drawn by Matplotlib, and its parts as a table."""

from __future__ import annotations

from typing import Any

from geno_hpo.report.blocks import Mosaic
from geno_hpo.report.stills.canvas import WIDTH, canvas, mixed
from geno_hpo.report.style import LIGHT

__all__ = ["draw_mosaic", "mosaic_rows"]

PALE = 0.38  # of the first class, as on the page


def mosaic_rows(block: Mosaic) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """Every part: its samples, whether it is sealed, and the share of each class."""
    head = ("part", "samples", "sealed", *(f"share_{name}" for name in block.classes))
    shown = len(block.classes)
    return head, [
        (part.label, part.samples.replace(",", ""), part.sealed, *part.shares[:shown])
        for part in block.parts
    ]


def draw_mosaic(block: Mosaic) -> Any:
    """Parts side by side, as wide as they have samples, divided by class."""
    figure = canvas(WIDTH, 2.6, block.title)
    axes = figure.add_subplot()
    for part in block.parts:
        top = 0.0
        for place, share in enumerate(part.shares or (1.0,)):
            colour = mixed("c1", PALE) if place == 0 else LIGHT[f"c{place + 1}"]
            name = block.classes[place] if part is block.parts[0] and block.classes else None
            axes.bar(
                part.left, share, part.width, top, align="edge", color=colour, lw=0, label=name
            )
            top += share
        if part.sealed:
            axes.bar(
                part.left,
                top,
                part.width,
                align="edge",
                fill=False,
                hatch="////",
                ec=LIGHT["paper"],
                lw=0,
            )
        middle = part.left + part.width / 2
        for at, text, side in ((-0.04, part.label, "bottom"), (1.04, part.samples, "top")):
            axes.text(middle, at, text, ha="center", va=side, fontsize=8.5, color=LIGHT["ink"])
    axes.set(xlim=(0, 100), ylim=(1.16, -0.16))
    axes.axis("off")
    if block.classes:
        axes.legend(frameon=False, fontsize=8, ncols=6, loc="upper left", bbox_to_anchor=(0, -0.02))
    return figure
