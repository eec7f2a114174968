"""Plotly's panels drawn by Matplotlib, and every point of them as a table.

Only what this report's figures use is understood: lines, points with error bars, filled bands,
bars, heat maps and contours; logarithmic and named axes; lines, boxes and texts on top.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.stills.canvas import WIDTH, canvas, colour_value, plain
from geno_hpo.report.style import LIGHT, resolve

__all__ = ["draw_panels", "panel_rows"]

Rows = tuple[tuple[str, ...], list[tuple[Any, ...]]]
PIXELS = 100.0  # of the page on an inch of the picture
MARKERS = {
    "circle": "o",
    "circle-open": "o",
    "diamond": "D",
    "square": "s",
    "triangle-up": "^",
    "x-thin-open": "x",
}
DASHES = {"solid": "-", "dash": "--", "dot": ":", "dashdot": "-.", "longdash": "--"}


def panel_rows(block: Figure) -> Rows:
    """Every point of every trace."""
    rows: list[tuple[Any, ...]] = []
    for number, panel in enumerate(block.panels, start=1):
        title = panel.title or str(number)
        for trace in panel.traces:
            name = trace.get("name", "")
            if trace.get("fill") == "toself":
                name = f"{name} band".strip()
            z, text = trace.get("z"), trace.get("text")
            if z is not None:
                xs, ys = list(trace["x"]), list(trace["y"])
                rows += [
                    (title, name, x, y, value, "")
                    for y, row in zip(ys, z, strict=True)
                    for x, value in zip(xs, row, strict=True)
                ]
                continue
            several = isinstance(text, list | tuple)
            for place, (x, y) in enumerate(zip(trace["x"], trace["y"], strict=True)):
                if x is not None and y is not None:
                    told = plain(text[place]) if several and text else ""
                    rows.append((title, name, x, y, None, told))
    return ("panel", "series", "x", "y", "z", "text"), rows


def draw_panels(block: Figure) -> Any:
    """The figure's panels side by side, as on the page."""
    columns = min(block.columns, len(block.panels))
    rows = math.ceil(len(block.panels) / columns)
    tall = max(panel.height for panel in block.panels) / PIXELS
    figure = canvas(WIDTH, rows * tall + 0.5, block.title)
    for place, panel in enumerate(block.panels):
        _panel(figure.add_subplot(rows, columns, place + 1), panel)
    return figure


def _panel(axes: Any, panel: Panel) -> None:
    plan = resolve(panel.layout)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=LIGHT["soft"])
    if panel.title:
        axes.set_title(panel.title, fontsize=9, loc="left")
    for side in ("x", "y"):
        scale = plan.get(f"{side}axis", {})
        if scale.get("type") == "log":
            getattr(axes, f"set_{side}scale")("log")
        if "categoryarray" in scale:
            getattr(axes, f"{side}axis").update_units(list(scale["categoryarray"]))
    for trace in resolve(list(panel.traces)):
        _TRACES[trace["type"]](axes, trace)
    for side in ("x", "y"):
        _scale(axes, side, plan.get(f"{side}axis", {}))
    for shape in plan.get("shapes", ()):
        _shape(axes, shape)
    for note in plan.get("annotations", ()):
        _note(axes, note)
    handles, labels = axes.get_legend_handles_labels()
    if plan.get("showlegend") and handles:
        axes.legend(
            handles,
            labels,
            frameon=False,
            fontsize=8,
            ncols=min(len(labels), 4),
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
        )


def _scale(axes: Any, side: str, plan: dict[str, Any]) -> None:
    axis = getattr(axes, f"{side}axis")
    title = (plan.get("title") or {}).get("text", "")
    getattr(axes, f"set_{side}label")(plain(title), fontsize=9, color=LIGHT["soft"])
    if plan.get("visible") is False:
        axis.set_visible(False)
        axes.spines["left" if side == "y" else "bottom"].set_visible(False)
    if plan.get("showline") is False:
        axes.spines["left" if side == "y" else "bottom"].set_visible(False)
    if plan.get("showgrid") is not False:
        axis.grid(visible=True, color=LIGHT["rule"], lw=0.7)
        axes.set_axisbelow(True)
    if "tickvals" in plan:
        labels = plan.get("ticktext")
        named = None if labels is None else [plain(x.replace("<br>", "\n")) for x in labels]
        axis.set_ticks(list(plan["tickvals"]), named)
    limits = plan.get("range")
    if limits:
        power = plan.get("type") == "log"
        getattr(axes, f"set_{side}lim")([10**x if power else x for x in limits])
    if plan.get("autorange") == "reversed":
        getattr(axes, f"invert_{side}axis")()


def _numbers(values: Sequence[Any]) -> list[Any]:
    return [math.nan if value is None else value for value in values]


def _scatter(axes: Any, trace: dict[str, Any]) -> None:
    x, y = _numbers(trace["x"]), _numbers(trace["y"])
    label = trace.get("name") if trace.get("showlegend", True) else None
    if trace.get("fill") == "toself":
        axes.fill(x, y, color=colour_value(trace["fillcolor"]), lw=0)
        return
    mode = trace.get("mode", "lines")
    line, marker = trace.get("line", {}), trace.get("marker", {})
    if "lines" in mode:
        axes.plot(
            x,
            y,
            DASHES.get(line.get("dash", "solid"), "-"),
            color=colour_value(line.get("color", LIGHT["c1"])),
            lw=0.75 * line.get("width", 2),
            alpha=trace.get("opacity"),
            drawstyle="steps-post" if line.get("shape") == "hv" else "default",
            label=label,
        )
    if "markers" in mode:
        _points(axes, trace, x, y, marker, None if "lines" in mode else label)


def _points(
    axes: Any, trace: dict[str, Any], x: list[Any], y: list[Any], marker: dict[str, Any], label: Any
) -> None:
    size, symbol, colour = (marker.get(key) for key in ("size", "symbol", "color"))
    for side in ("x", "y"):
        error = trace.get(f"error_{side}")
        if error:
            ends = [_numbers(error.get("arrayminus", error["array"])), _numbers(error["array"])]
            bars = {f"{side}err": np.abs(ends)}
            axes.errorbar(x, y, fmt="none", ecolor=colour_value(error["color"]), capsize=3, **bars)
    symbols = symbol if isinstance(symbol, list) else [symbol or "circle"] * len(x)
    colours = colour if isinstance(colour, list) else [colour or LIGHT["c1"]] * len(x)
    sizes = size if isinstance(size, list) else [size or 6] * len(x)
    for kind in dict.fromkeys(symbols):
        here = [i for i, one in enumerate(symbols) if one == kind]
        shades = [colour_value(colours[i]) for i in here]
        hollow = str(kind) == "circle-open"
        axes.scatter(
            [x[i] for i in here],
            [y[i] for i in here],
            s=[(0.75 * float(sizes[i])) ** 2 for i in here],
            marker=MARKERS.get(str(kind), "o"),
            facecolors="none" if hollow else shades,
            **({"edgecolors": shades} if hollow else {}),
            alpha=marker.get("opacity"),
            label=label,
            zorder=3,
        )
        label = None


def _bars(axes: Any, trace: dict[str, Any]) -> None:
    colour = trace.get("marker", {}).get("color", LIGHT["c1"])
    colours = list(map(colour_value, colour)) if isinstance(colour, list) else colour_value(colour)
    x, y = _numbers(trace["x"]), _numbers(trace["y"])
    if trace.get("orientation") == "h":
        drawn = axes.barh(list(map(str, y)), x, color=colours, label=trace.get("name"))
    else:
        drawn = (
            axes.bar(x, y, color=colours, width=trace.get("width"), label=trace.get("name"))
            if trace.get("width")
            else axes.bar(x, y, color=colours, label=trace.get("name"))
        )
    if trace.get("text") and trace.get("textposition") != "none":
        axes.bar_label(drawn, [plain(one) for one in trace["text"]], padding=3, fontsize=8)


def _shades(scale: Any) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("shades", [(at, colour_value(c)) for at, c in scale])


def _heat(axes: Any, trace: dict[str, Any]) -> None:
    z = np.array([_numbers(row) for row in trace["z"]], dtype=float)
    axes.pcolormesh(
        trace["x"],
        trace["y"],
        z,
        cmap=_shades(trace["colorscale"]),
        edgecolors="white",
        vmin=trace.get("zmin"),
        vmax=trace.get("zmax"),
    )
    for y, row in zip(trace["y"], trace.get("text", ()), strict=False):
        for x, told in zip(trace["x"], row, strict=True):
            axes.text(x, y, plain(told), ha="center", va="center", fontsize=8)


def _contour(axes: Any, trace: dict[str, Any]) -> None:
    z = np.array([_numbers(row) for row in trace["z"]], dtype=float)
    drawn = axes.contourf(
        trace["x"], trace["y"], z, trace.get("ncontours", 10), cmap=_shades(trace["colorscale"])
    )
    title = ((trace.get("colorbar") or {}).get("title") or {}).get("text", "")
    axes.figure.colorbar(drawn, ax=axes, label=title)


_TRACES = {"scatter": _scatter, "bar": _bars, "heatmap": _heat, "contour": _contour}


def _place(axes: Any, thing: dict[str, Any]) -> Any:
    """Transform of a shape or text: the data's, or the panel's on one axis or both."""
    paper = [thing.get(f"{side}ref") == "paper" for side in ("x", "y")]
    if all(paper):
        return axes.transAxes
    if paper[1]:
        return axes.get_xaxis_transform()
    return axes.get_yaxis_transform() if paper[0] else axes.transData


def _shape(axes: Any, shape: dict[str, Any]) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Rectangle

    x, y = (shape["x0"], shape["x1"]), (shape["y0"], shape["y1"])
    line = shape.get("line", {})
    if shape["type"] == "rect":
        thing: Any = Rectangle(
            (x[0], y[0]),
            x[1] - x[0],
            y[1] - y[0],
            lw=0,
            zorder=0,
            facecolor=colour_value(shape.get("fillcolor", LIGHT["rule"])),
            transform=_place(axes, shape),
        )
        axes.add_patch(thing)
        return
    style = DASHES.get(line.get("dash", "solid"), "-")
    colour = colour_value(line.get("color", LIGHT["faint"]))
    axes.add_line(
        Line2D(x, y, color=colour, lw=line.get("width", 1), ls=style, transform=_place(axes, shape))
    )


def _note(axes: Any, note: dict[str, Any]) -> None:
    x, y = note.get("x", 0), note.get("y", 0)
    if axes.get_xscale() == "log" and note.get("xref") != "paper":
        x = 10**x
    axes.annotate(
        plain(note["text"]),
        (x, y),
        xycoords=_place(axes, note),
        xytext=(note.get("xshift", 0), note.get("yshift", 0)),
        textcoords="offset points",
        ha={"left": "left", "right": "right"}.get(note.get("xanchor", ""), "center"),
        va={"bottom": "bottom", "top": "top"}.get(note.get("yanchor", ""), "center"),
        fontsize=8,
        bbox={"fc": LIGHT["paper"], "lw": 0, "pad": 1} if note.get("bgcolor") else None,
        color=colour_value((note.get("font") or {}).get("color", LIGHT["soft"])),
    )
