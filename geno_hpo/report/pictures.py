"""``ACC.png`` and ``LOSS.png``: the winner's training and validation against the epoch."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.outcome import Curves
from geno_hpo.report.fit import fold_mean, fold_spread
from geno_hpo.report.style import LIGHT

__all__ = ["pictures"]

Series = tuple[str, NDArray[np.float64], str, str]


def pictures(curves: Curves, study: str, label: str) -> dict[str, bytes]:
    """PNG files by name.

    Parameters
    ----------
    curves
        The winner's curves; without accuracies ``ACC.png`` shows the validation score.
    study
        Its name, for the titles.
    label
        The score's name for people.
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
        "ACC.png": _picture(first, title, study, curves.best_epoch),
        "LOSS.png": _picture(loss, "loss", study, curves.best_epoch),
    }


def _picture(series: list[Series], title: str, study: str, best: int) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes: Any = figure.add_subplot()
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
    axes.set_title(f"{study}: {title} of the winner, mean ± sd over {folds} folds", fontsize=11)
    axes.set_xlabel("epoch")
    axes.set_ylabel(title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(color=LIGHT["rule"], lw=0.8)
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=160)
    return stream.getvalue()
