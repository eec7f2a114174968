"""Learning curves of the winner: training and validation against the epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from geno_hpo.outcome import Curves, TrialRecord
from geno_hpo.report.blocks import Choice, Figure, Panel
from geno_hpo.report.figures.drawn import band, line
from geno_hpo.report.fit import Standing, fold_mean, fold_spread, judge
from geno_hpo.report.style import layout
from geno_hpo.report.words import model_label, number

__all__ = ["learning_curves", "trials_to_choose"]

# Trials that can be chosen on the page, so that it stays small.
CHOICES = 120
Series = tuple[str, NDArray[np.float64], str, str]


def learning_curves(curves: Curves, label: str) -> Figure:
    """Accuracy (or the score, for regression) and loss, side by side."""
    if curves.train_accuracy is not None and curves.valid_accuracy is not None:
        first: list[Series] = [
            ("training", curves.train_accuracy, "@c1", "solid"),
            ("validation", curves.valid_accuracy, "@c2", "dash"),
        ]
        title = "accuracy"
    else:
        first = [("validation", curves.valid_score, "@c2", "dash")]
        title = f"validation {label}"
    loss: list[Series] = [
        ("training", curves.train_loss, "@c1", "solid"),
        ("validation", curves.valid_loss, "@c2", "dash"),
    ]
    folds = curves.train_loss.shape[0]
    return Figure(
        "learning_curves",
        "Learning curves of the winner",
        f"Mean over {folds} folds; the band is ± 1 standard deviation between folds. The dotted "
        f"line marks the best epoch ({curves.best_epoch}), whose weights are kept.",
        (
            _panel(first, title, curves.best_epoch),
            _panel(loss, "loss", curves.best_epoch),
        ),
        columns=2,
    )


def trials_to_choose(
    trials: Sequence[TrialRecord],
    curves: dict[int, Curves],
    label: str,
    standing: Callable[[TrialRecord], Standing],
) -> tuple[Choice, ...]:
    """Curves of every trial with what they say, those that ran to their end first.

    Parameters
    ----------
    trials
        Trials of the search.
    curves
        By number; trials without any cannot be chosen.
    label
        The score's name.
    standing
        Where a trial stands among the others.
    """
    order = sorted(
        (t for t in trials if t.number in curves), key=lambda t: (t.state != "complete", t.number)
    )
    found = []
    for trial in order[:CHOICES]:
        drawn = learning_curves(curves[trial.number], label)
        fit = judge(curves[trial.number], standing(trial))
        head = f"Trial {trial.number}: {model_label(trial.model)}, {label} {number(trial.score)}"
        text = fit.sentence if fit is not None else "No finite loss was recorded."
        if trial.state == "pruned":
            text = f"Stopped early ({trial.reason}). {text}"
        found.append(Choice(f"{head} ({trial.state})", text, drawn.panels))
    return tuple(found)


def _panel(series: list[Series], title: str, best: int) -> Panel:
    traces = []
    for name, values, colour, dash in series:
        epochs = range(1, values.shape[1] + 1)
        middle = fold_mean(values)
        traces.append(band(epochs, middle, fold_spread(values), colour))
        traces.append(
            line(epochs, middle, name, colour, dash=dash)
            | {"hovertemplate": f"{name}, epoch %{{x}}: %{{y}}<extra></extra>"}
        )
    mark = {
        "type": "line",
        "x0": best,
        "x1": best,
        "y0": 0,
        "y1": 1,
        "yref": "paper",
        "line": {"color": "@soft", "width": 1.2, "dash": "dot"},
    }
    return Panel(
        tuple(traces),
        layout(
            {"title": "epoch", "range": [0.5, series[0][1].shape[1] + 0.5]},
            {},
            showlegend=len(series) > 1,
            shapes=[mark] if best else [],
        ),
        f"{title} against the epoch; best epoch {best}.",
        title=title.capitalize() if title in ("accuracy", "loss") else title,
        height=300,
    )
