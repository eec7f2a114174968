"""Colours and the common layout of the figures.

A colour in a figure is a token, ``@name`` or ``@name/per cent`` for a transparent one. The page's
script looks tokens up among the CSS variables of the scheme in use (light, dark, paper), and
`resolve` does the same here. The series colours are Okabe and Ito's, told apart by readers with
any colour vision, made darker or lighter for each scheme.
"""

from __future__ import annotations

from typing import Any

__all__ = ["LIGHT", "SERIES", "axis", "colour_of", "layout", "resolve"]

SERIES = ("@c1", "@c2", "@c3", "@c4", "@c5", "@c6")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

# The light scheme of templates/page.css; a test holds the two together.
LIGHT = {
    "ink": "#1c2127",
    "soft": "#59626d",
    "faint": "#9aa1a9",
    "rule": "#e2e0da",
    "paper": "#fcfbf8",
    "c1": "#0b67a8",
    "c2": "#c56a00",
    "c3": "#00805e",
    "c4": "#a8528a",
    "c5": "#bf4a16",
    "c6": "#6f7780",
}


def layout(x: dict[str, Any], y: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Layout of a plot with these two axes."""
    base: dict[str, Any] = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 14, "t": 12, "b": 46},
        "font": {"color": "@soft", "size": 12},
        "hoverlabel": {"bgcolor": "@paper", "bordercolor": "@rule", "font": {"color": "@ink"}},
        "showlegend": False,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.02,
            "yanchor": "bottom",
            "bgcolor": "rgba(0,0,0,0)",
        },
        "xaxis": axis(**x),
        "yaxis": axis(**y),
        "dragmode": False,
    }
    if more.get("showlegend"):
        base["margin"] = {"l": 56, "r": 14, "t": 40, "b": 46}
    return base | more


def axis(title: str = "", **more: Any) -> dict[str, Any]:
    """One axis: a faint grid, no frame."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 12}},
        "gridcolor": "@rule",
        "linecolor": "@faint",
        "tickcolor": "@faint",
        "zeroline": False,
        "ticks": "outside",
        "ticklen": 4,
        "automargin": True,
        "showline": True,
        **more,
    }


def colour_of(place: int) -> str:
    """Token of the series at this place."""
    return SERIES[place % len(SERIES)]


def resolve(value: Any, palette: dict[str, str] = LIGHT) -> Any:
    """Put colours in the place of tokens, everywhere in a nested value.

    Raises
    ------
    KeyError
        A token that the palette does not hold.
    """
    if isinstance(value, dict):
        return {key: resolve(part, palette) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [resolve(part, palette) for part in value]
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    name, _, opacity = value[1:].partition("/")
    colour = palette[name]
    if not opacity:
        return colour
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{int(opacity) / 100:g})"
