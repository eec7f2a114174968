"""A picture of its own, and the page's texts and colours as Matplotlib takes them."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from geno_hpo.report.style import LIGHT

__all__ = ["WIDTH", "canvas", "colour_value", "mixed", "plain"]

WIDTH = 9.0  # inches
_TAG = re.compile(r"<[^>]+>")
_RGBA = re.compile(r"rgba?\(([^)]+)\)")


def canvas(width: float, height: float, title: str) -> Any:
    """An empty figure with its title; sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title, fontsize=11, color=LIGHT["ink"], x=0.01, ha="left")
    return figure


def plain(text: Any) -> str:
    """Text without Plotly's tags."""
    return unescape(_TAG.sub("; ", str(text)))


def colour_value(value: Any) -> Any:
    """A colour as Matplotlib takes it."""
    if not isinstance(value, str):
        return value
    found = _RGBA.fullmatch(value)
    if found is None:
        return value
    parts = [float(part) for part in found[1].split(",")]
    return (*(part / 255 for part in parts[:3]), *parts[3:])


def mixed(name: str, share: float) -> tuple[float, float, float]:
    """A colour of the light scheme, mixed with its paper."""
    ink, paper = (
        [int(LIGHT[key][place : place + 2], 16) / 255 for place in (1, 3, 5)]
        for key in (name, "paper")
    )
    red, green, blue = (share * a + (1 - share) * b for a, b in zip(ink, paper, strict=True))
    return red, green, blue
