"""Over- and underfitting, said in words by a fixed rule.

With the mean training and validation loss over the folds, ``b`` the best epoch and ``E`` the last,
the first rule that holds speaks:

1. *underfitting*: by epoch b the training loss fell by less than 10 % of where it started;
2. *still improving*: b lies in the last tenth of the epochs (at least the last one) and the
   validation loss is at its lowest there;
3. *overfitting*: at b the validation loss exceeds the training loss by more than 25 % of the
   validation loss; or after b it rises by more than 25 % while the training loss goes on falling
   (*memorising later*: the weights kept are those from before);
4. *good fit* otherwise.

The training loss is measured while the network learns, with dropout on; a validation loss below it
is therefore no error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.outcome import Curves
from geno_hpo.report.words import number, percent

__all__ = ["Fit", "judge"]

LEARNT = 0.10
GAP = 0.25
LATE = 0.10


@dataclass(frozen=True)
class Fit:
    """What the curves say: `kind` in one or two words, and a sentence."""

    kind: str
    sentence: str


def judge(curves: Curves) -> Fit | None:
    """Judge the winner's learning curves; None where there is no finite loss."""
    train, valid = fold_mean(curves.train_loss), fold_mean(curves.valid_loss)
    known = np.isfinite(train) & np.isfinite(valid)
    train, valid = train[known], valid[known]
    if len(train) == 0:
        return None
    epochs = len(train)
    best = min(max(curves.best_epoch, 1), epochs)
    t, v = float(train[best - 1]), float(valid[best - 1])
    numbers = f"training loss {number(t)}, validation loss {number(v)} at epoch {best}"
    fell = (float(train[0]) - t) / abs(float(train[0])) if train[0] else 0.0
    if best > 1 and fell < LEARNT:
        return Fit(
            "underfitting",
            f"The network hardly learnt its own training data: by epoch {best} the training loss "
            f"fell by {percent(max(fell, 0.0))} only ({numbers}). A larger network, a higher "
            "learning rate or less regularisation may help.",
        )
    late = max(1, round(LATE * epochs))
    if best > epochs - late and v <= float(valid.min()) and epochs > 1:
        return Fit(
            "still improving",
            f"Training ended while the validation loss was still falling ({numbers} of {epochs}): "
            "more epochs may help.",
        )
    gap = (v - t) / abs(v) if v else 0.0
    if gap > GAP:
        return Fit(
            "overfitting",
            f"The network fits its training data better than new data: {numbers}, a gap of "
            f"{percent(gap)}. More dropout or weight decay, a smaller network or more samples may "
            "help.",
        )
    last_v, last_t = float(valid[-1]), float(train[-1])
    if last_v > v * (1 + GAP) and last_t < t:
        return Fit(
            "memorising later",
            f"The fit at epoch {best} is sound ({numbers}); after it the network begins to "
            f"memorise: the validation loss rises to {number(last_v)} while the training loss "
            f"falls to {number(last_t)}. The weights kept are those of epoch {best}.",
        )
    return Fit(
        "good fit",
        f"Training and validation losses stay close ({numbers}): no sign of over- or underfitting.",
    )


def fold_mean(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over the folds that have a number at an epoch, ``(epochs,)``; NaN where none has."""
    known = np.isfinite(curve)
    total = np.where(known, curve, 0.0).sum(axis=0)
    many = known.sum(axis=0)
    return np.where(many > 0, total / np.maximum(many, 1), np.nan)


def fold_spread(curve: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation over the folds, ``(epochs,)``; NaN where there is no number."""
    known = np.isfinite(curve)
    deviation = np.where(known, curve - fold_mean(curve), 0.0)
    many = known.sum(axis=0)
    return np.where(many > 0, np.sqrt((deviation**2).sum(axis=0) / np.maximum(many, 1)), np.nan)
