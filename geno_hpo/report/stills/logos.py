"""Logos drawn by Matplotlib from the page's own glyphs."""

from __future__ import annotations

import math
import re
from textwrap import fill
from typing import Any

from geno_hpo.report.blocks import Logos
from geno_hpo.report.logo import GLYPHS
from geno_hpo.report.stills.canvas import WIDTH, canvas
from geno_hpo.report.style import LIGHT

__all__ = ["draw_logos"]

NARROWEST = 4.2  # inches
SIGNS = 15  # of a title on an inch
BASES = {"A": "c3", "C": "c1", "G": "c2", "T": "c5"}


def draw_logos(block: Logos) -> Any:
    """Logos with their titles, and below each the one it is compared with."""
    from matplotlib.patches import PathPatch
    from matplotlib.transforms import Affine2D

    columns = min(block.columns, len(block.parts))
    rows = math.ceil(len(block.parts) / columns)
    high = 1.3 + 1.0 * any(part.below for part in block.parts)
    needed = 0.9 + 0.32 * max(part.width for part in block.parts)
    wide = min(WIDTH, columns * max(needed, NARROWEST))
    figure = canvas(wide, rows * high + 0.5, block.title)
    for place, part in enumerate(block.parts):
        axes = figure.add_subplot(rows, columns, place + 1)
        for letters, down in ((part.letters, 0.0), (part.below, 120.0)):
            for one in letters:
                flip = -1 if one.below else 1
                top = down + one.y + (one.height if one.below else 0)
                move = Affine2D().scale(0.0092, flip * one.height / 100)
                move = move.translate(one.x + 0.04, top) + axes.transData
                colour = LIGHT[BASES[one.base]]
                axes.add_patch(
                    PathPatch(_path(GLYPHS[one.base]), color=colour, lw=0, transform=move)
                )
        for start, stop in part.spans:
            axes.plot([start, stop], [103, 103], color=LIGHT["c5"], lw=2)
        axes.axhline(part.baseline, color=LIGHT["faint"], lw=0.8)
        axes.set(xlim=(0, part.width), ylim=(224 if part.below else 106, part.top), yticks=[])
        axes.set_xticks([i + 0.5 for i in range(0, part.width, 5)], range(1, part.width + 1, 5))
        axes.tick_params(labelsize=7, colors=LIGHT["soft"])
        axes.spines[["top", "right", "left"]].set_visible(False)
        named = f"; below: {part.below_label}" if part.below_label else ""
        head = fill(f"{part.title} ({part.detail}{named})", int(SIGNS * wide / columns))
        axes.set_title(head, fontsize=7.5, loc="left")
    return figure


def _path(text: str) -> Any:
    """Matplotlib's path of a glyph's commands M, L, Q and Z."""
    from matplotlib.path import Path

    points: list[tuple[float, float]] = []
    codes: list[int] = []
    for command, numbers in re.findall(r"([MLQZ])([^MLQZ]*)", text):
        values = [float(x) for x in numbers.split()]
        pairs = list(zip(values[::2], values[1::2], strict=True)) or [(0.0, 0.0)]
        kind = {"M": Path.MOVETO, "L": Path.LINETO, "Q": Path.CURVE3, "Z": Path.CLOSEPOLY}[command]
        points += pairs
        codes += [int(kind)] * len(pairs)
    return Path(points, codes)
