"""``ACC.png`` and ``LOSS.png``: training and validation against the epoch.

All other figures of a report are drawn by `geno_hpo.report.stills`.
"""

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
    spread = f", mean ± sd over {folds} folds" if folds > 1 else ""
    axes.set_title(f"{head}{spread}", fontsize=11)
    axes.set_xlabel("epoch")
    axes.set_ylabel(title)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False)
    return _png(figure)
