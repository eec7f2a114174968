"""Differences from every baseline with their intervals, and reliability curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geno_hpo.report.blocks import Figure, Panel
from geno_hpo.report.figures.drawn import line, safe, short
from geno_hpo.report.figures.intervals import difference_panel
from geno_hpo.report.style import colour_of, layout
from geno_hpo.report.words import model_label, percent

__all__ = ["differences", "reliability"]

# Outputs drawn; the others are in the CSV.
OUTPUTS = 4


def differences(
    rows: Sequence[dict[str, Any]], margin: float | None, label: str, network: str
) -> Figure | None:
    """Network minus each baseline, with intervals; the margin shaded around 0."""
    drawn = [row for row in rows if row["ci"] is not None]
    if not drawn:
        return None
    return Figure(
        "differences",
        "The network against every baseline on the sealed test set",
        f"{model_label(network)} minus each baseline, with the 95 % interval of that comparison "
        "alone; diamond: the baseline that cross-validation chose."
        + (" Shaded: differences too small to be worth having." if margin else ""),
        (
            difference_panel(
                [model_label(row["baseline"]) for row in drawn],
                drawn,
                f"difference in test {label}",
                f"Differences of the network from {len(drawn)} baselines with intervals.",
                marked=[row["chosen"] for row in drawn],
                margin=margin,
            ),
        ),
    )


def reliability(entries: Sequence[dict[str, Any]]) -> Figure | None:
    """Reliability curves, a panel an output and a line a model."""
    outputs = list(dict.fromkeys(entry["output"] for entry in entries))
    panels = []
    for output in outputs[:OUTPUTS]:
        traces = [line([0, 1], [0, 1], "perfect", "@faint", width=1, dash="dot")]
        for place, entry in enumerate(e for e in entries if e["output"] == output):
            bins, colour = entry["bins"], colour_of(place)
            ends = [b["ci"] or (b["observed"], b["observed"]) for b in bins]
            pairs = list(zip(bins, ends, strict=True))
            traces.append(
                {
                    "type": "scatter",
                    "mode": "lines+markers",
                    "x": short(b["predicted"] for b in bins),
                    "y": short(b["observed"] for b in bins),
                    "name": model_label(entry["model"]),
                    "line": {"color": colour, "dash": "solid" if place == 0 else "dash"},
                    "marker": {"size": 7, "symbol": "circle" if place == 0 else "square"},
                    "text": [str(b["samples"]) for b in bins],
                    "hovertemplate": "said %{x}, came true %{y} (%{text} samples)<extra></extra>",
                }
                | (
                    {
                        "error_y": {
                            "type": "data",
                            "symmetric": False,
                            "array": short(high - b["observed"] for b, (_, high) in pairs),
                            "arrayminus": short(b["observed"] - low for b, (low, _) in pairs),
                            "thickness": 1.2,
                            "width": 0,
                            "color": f"{colour}/60",
                        }
                    }
                    if place == 0
                    else {}
                )
            )
        panels.append(
            Panel(
                tuple(traces),
                layout(
                    {"title": "predicted probability", "range": [-0.02, 1.02]},
                    {"title": "share that came true", "range": [-0.02, 1.02]},
                    showlegend=True,
                ),
                f"Reliability of {output}: predicted probability against share that came true.",
                title=safe(output) if len(outputs) > 1 else "",
                height=400,
            )
        )
    if not panels:
        return None
    left = len(outputs) - len(panels)
    shares = ", ".join(
        f"{model_label(e['model'])} {percent(e['ece'])}"
        for e in entries
        if e["output"] == outputs[0]
    )
    return Figure(
        "reliability",
        "Do the probabilities mean what they say?",
        "Test samples in bins of equal count; bars: 95 % Wilson intervals of the network. Mean "
        f"distance from the diagonal: {shares}."
        + (f" {left} more outputs are in calibration.csv." if left > 0 else ""),
        tuple(panels),
        columns=2,
    )
