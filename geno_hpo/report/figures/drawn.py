"""Small things all figures share: short numbers for JSON, bands, lines, axis ends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["band", "line", "nice_ticks", "safe", "short"]


def short(values: Iterable[Any], digits: int = 5) -> list[float | None]:
    """Numbers with few digits, so that the page stays small; None where there is none."""
    return [
        float(f"{float(x):.{digits}g}") if x is not None and math.isfinite(x) else None
        for x in values
    ]


def safe(text: object) -> str:
    """Text for a label: Plotly reads a few tags there, and none may come from outside."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;")


def line(x: Sequence[Any], y: Iterable[Any], name: str, colour: str, **more: Any) -> dict[str, Any]:
    """Trace of a plain line."""
    style = {"color": colour, "width": more.pop("width", 2), "dash": more.pop("dash", "solid")}
    return {
        "type": "scatter",
        "mode": "lines",
        "x": list(x),
        "y": short(y),
        "name": name,
        "line": style,
        **more,
    }


def band(
    x: Sequence[Any], middle: NDArray[np.float64], half: NDArray[np.float64], colour: str
) -> dict[str, Any]:
    """Trace of a shaded band ``middle ± half``."""
    known = np.isfinite(middle) & np.isfinite(half)
    xs = np.asarray(x)[known].tolist()
    upper, lower = (middle + half)[known], (middle - half)[known]
    return {
        "type": "scatter",
        "mode": "lines",
        "x": [*xs, *xs[::-1]],
        "y": short([*upper, *lower[::-1]]),
        "fill": "toself",
        "fillcolor": f"{colour}/18",
        "line": {"width": 0, "color": colour},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers inside ``[low, high]``, at most `most` of them.

    Raises
    ------
    ValueError
        An empty or infinite range.
    """
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        raise ValueError(f"ticks need a finite range, got [{low}, {high}]")
    power = 10.0 ** (math.floor(math.log10(high - low)) - 2)
    while True:
        for factor in (1.0, 2.0, 2.5, 5.0):
            step = factor * power
            first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
            if last - first < most:
                return [round(i * step, 12) for i in range(first, last + 1)]
        power *= 10
