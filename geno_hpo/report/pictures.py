"""PNG files: the winner's training and validation against the epoch, and the test's evidence.

``ACC.png``, ``LOSS.png``; ``DIFFERENCES.png`` with baselines, ``CALIBRATION.png`` with classes.
"""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.outcome import Curves
from geno_hpo.report.fit import fold_mean, fold_spread
from geno_hpo.report.style import LIGHT
from geno_hpo.report.words import metric_label, model_label

__all__ = ["evidence_pictures", "pictures"]

Series = tuple[str, NDArray[np.float64], str, str]


def pictures(curves: Curves, study: str, label: str, of: str = "the winner") -> dict[str, bytes]:
    """PNG files by name.

    Parameters
    ----------
    curves
        The winner's curves; without accuracies ``ACC.png`` shows the validation score.
    study
        Its name, for the titles.
    label
        The score's name for people.
    of
        Whose curves they are, for the titles.
    """
    if curves.train_accuracy is not None and curves.valid_accuracy is not None:
        first: list[Series] = [
            ("training", curves.train_accuracy, "c1", "-"),
            ("validation", curves.valid_accuracy, "c2", "--"),
        ]
        title = "accuracy"
    else:
        first = [("validation", curves.valid_score, "c2", "--")]
        title = f"validation {label}"
    loss: list[Series] = [
        ("training", curves.train_loss, "c1", "-"),
        ("validation", curves.valid_loss, "c2", "--"),
    ]
    return {
        "ACC.png": _picture(first, title, f"{study}: {title} of {of}", curves.best_epoch),
        "LOSS.png": _picture(loss, "loss", f"{study}: loss of {of}", curves.best_epoch),
    }


def evidence_pictures(summary: dict[str, Any]) -> dict[str, bytes]:
    """PNG files of a summary by name: differences from baselines, and reliability."""
    found = {}
    rows = [row for row in summary.get("comparisons") or [] if row["ci"] is not None]
    if rows:
        found["DIFFERENCES.png"] = _differences(rows, summary)
    entries = summary.get("calibration") or []
    first = [entry for entry in entries if entry["output"] == entries[0]["output"]]
    if first:
        found["CALIBRATION.png"] = _calibration(first, summary["study"])
    return found


def _differences(rows: list[dict[str, Any]], summary: dict[str, Any]) -> bytes:
    figure, axes = _canvas((6.4, 1.6 + 0.5 * len(rows)))
    middle = [row["difference"] for row in rows]
    low, high = zip(*(row["ci"] for row in rows), strict=True)
    ends = [np.subtract(middle, low), np.subtract(high, middle)]
    axes.axvline(0, color=LIGHT["soft"], lw=1)
    axes.errorbar(middle, range(len(rows)), xerr=ends, fmt="o", color=LIGHT["c1"], capsize=4)
    axes.set_yticks(range(len(rows)), [model_label(row["baseline"]) for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel(f"difference in test {metric_label(summary['metric'])}, 95 % intervals")
    axes.set_title(f"{summary['study']}: network minus each baseline", fontsize=11)
    return _png(figure)


def _calibration(entries: list[dict[str, Any]], study: str) -> bytes:
    figure, axes = _canvas((5.0, 5.0))
    axes.plot([0, 1], [0, 1], ":", color=LIGHT["faint"], lw=1)
    for place, entry in enumerate(entries):
        said = [one["predicted"] for one in entry["bins"]]
        seen = [one["observed"] for one in entry["bins"]]
        style, colour = ("o-", "c1") if place == 0 else ("s--", "c2")
        axes.plot(said, seen, style, color=LIGHT[colour], label=model_label(entry["model"]))
    axes.set_xlabel("predicted probability")
    axes.set_ylabel("share that came true")
    axes.set_title(f"{study}: calibration, {entries[0]['output']}", fontsize=11)
    axes.legend(frameon=False)
    return _png(figure)


def _canvas(size: tuple[float, float]) -> tuple[Any, Any]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=LIGHT["rule"], lw=0.8)
    axes.set_axisbelow(True)
    return figure, axes


def _png(figure: Any) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=160)
    return stream.getvalue()


def _picture(series: list[Series], title: str, head: str, best: int) -> bytes:
    from matplotlib.ticker import MaxNLocator

    figure, axes = _canvas((6.4, 4.0))
    for name, values, colour, style in series:
        epochs = np.arange(1, values.shape[1] + 1)
        middle, half = fold_mean(values), fold_spread(values)
        axes.fill_between(
            epochs, middle - half, middle + half, color=LIGHT[colour], alpha=0.16, lw=0
        )
        axes.plot(
            epochs,
            middle,
            style,
            color=LIGHT[colour],
            lw=2,
            label=name,
            marker="o" if len(epochs) == 1 else None,
        )
    if best:
        axes.axvline(best, color=LIGHT["soft"], lw=1, ls=":", label=f"best epoch ({best})")
    folds = series[0][1].shape[0]
    axes.set_title(f"{head}, mean ± sd over {folds} folds", fontsize=11)
    axes.set_xlabel("epoch")
    axes.set_ylabel(title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return _png(figure)
