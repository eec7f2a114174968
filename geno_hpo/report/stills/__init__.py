"""Every figure of the page as PNG, SVG and CSV: what the page shows, drawn by Matplotlib.

A module a kind of figure; each draws a block of the page and gives its numbers as a table.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

from geno_hpo.report.blocks import Block
from geno_hpo.report.logo import logo_rows
from geno_hpo.report.stills.forest import draw_forest, forest_rows
from geno_hpo.report.stills.logos import draw_logos
from geno_hpo.report.stills.mosaic import draw_mosaic, mosaic_rows
from geno_hpo.report.stills.panels import draw_panels, panel_rows
from geno_hpo.report.tables import as_csv

__all__ = ["stills"]

DENSE = 130  # dots an inch of PNG
Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]
DRAWN: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Rows]]] = {
    "figure": (draw_panels, panel_rows),
    "logos": (draw_logos, logo_rows),
    "forest": (draw_forest, forest_rows),
    "mosaic": (draw_mosaic, mosaic_rows),
}


def stills(blocks: Sequence[Block]) -> dict[str, bytes]:
    """Files by name, ``figures/NAME.png`` and so on."""
    found: dict[str, bytes] = {}
    for block in blocks:
        if block.kind not in DRAWN:
            continue
        draw, rows = DRAWN[block.kind]
        name = f"figures/{getattr(block, 'name')}"  # noqa: B009
        drawn = draw(block)
        found[f"{name}.csv"] = as_csv(rows(block)).encode()
        for kind in ("png", "svg"):
            stream = io.BytesIO()
            drawn.savefig(stream, format=kind, dpi=DENSE)
            drawn.set_layout_engine("none")  # it is laid out once
            found[f"{name}.{kind}"] = stream.getvalue()
    return found
