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

Curves that lie together are not yet good curves, so the score has a say where its `Standing` is
known. With the score's error over the folds taken as two standard errors:

5. *nothing learnt* stands in the place of rules 1 and 4 where the score is no better than chance;
6. *underfitting* stands in the place of rule 4 and of *memorising later* where the score has come
   less than 90 % of the way from chance to the best that is known on the same folds.

The training loss is measured while the network learns, with dropout on; a validation loss below it
is therefore no error.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.outcome import Curves
from geno_hpo.report.words import missing, number, percent

__all__ = ["Fit", "Standing", "fold_mean", "fold_spread", "judge"]

LEARNT = 0.10
GAP = 0.25
LATE = 0.10
NEAR = 0.90
ALL = 0.995
ERRORS = 2.0
# Falls of the validation loss after it has begun to rise, as a share of its lowest: it jumps.
JUMPS = 0.30


@dataclass(frozen=True)
class Fit:
    """What the curves say: `kind` in one or two words, and a sentence."""

    kind: str
    sentence: str


@dataclass(frozen=True)
class Standing:
    """Where a configuration's score stands among others on the same folds.

    Parameters
    ----------
    score, error
        Mean over the folds at the best epoch, and its standard error; None for a single fold.
    label
        The score's name for people.
    maximise
        Whether higher is better.
    chance
        What knowing the labels' shares alone would score; None where that is not known.
    best, holder
        The best other score on the same folds, and whose it is; None where there is no other.
    """

    score: float
    error: float | None
    label: str
    maximise: bool = True
    chance: float | None = None
    best: float | None = None
    holder: str = ""

    @property
    def lucky(self) -> bool:
        """Whether the score is no better than chance."""
        if self.chance is None:
            return False
        return self._above(self.score, self.chance) <= ERRORS * (self.error or 0.0)

    @property
    def share(self) -> float | None:
        """Share of the way from chance to the best other score; None where there is no way."""
        if self.chance is None or self.best is None:
            return None
        way = self._above(self.best, self.chance)
        return self._above(self.score, self.chance) / way if way > 0 else None

    @property
    def behind(self) -> bool:
        """Whether the score is far behind the best other one, by more than its own error."""
        if self.share is None or self.best is None:
            return False
        clear = self._above(self.best, self.score) > ERRORS * (self.error or 0.0)
        return self.share < NEAR and clear

    def _above(self, one: float, other: float) -> float:
        return one - other if self.maximise else other - one

    @property
    def told(self) -> str:
        """The score beside chance and the best other one, as part of a sentence."""
        text = f"{self.label} {number(self.score)}"
        if self.best is None:
            return text + (f" (chance: {number(self.chance)})" if self.chance is not None else "")
        share = self.share
        if share is not None and share < ALL:
            return (
                f"{text} is {percent(max(share, 0.0))} of the way from chance "
                f"({number(self.chance)}) to the {number(self.best)} of {self.holder}"
            )
        return f"{text}; {self.holder} has {number(self.best)}"


def judge(curves: Curves, standing: Standing | None = None) -> Fit | None:
    """Judge learning curves, and the score they lead to; None where there is no finite loss.

    Parameters
    ----------
    curves
        Of one configuration over its folds.
    standing
        Where its score stands; None judges by the losses alone.
    """
    train, valid = fold_mean(curves.train_loss), fold_mean(curves.valid_loss)
    known = np.isfinite(train) & np.isfinite(valid)
    train, valid = train[known], valid[known]
    if len(train) == 0:
        return None
    best = min(max(curves.best_epoch, 1), len(train))
    found = _by_losses(train, valid, best)
    if standing is None or missing(standing.score):
        return found
    return _by_score(found, standing, _numbers(train, valid, best), jumps(valid))


def _numbers(train: NDArray[np.float64], valid: NDArray[np.float64], best: int) -> str:
    t, v = number(float(train[best - 1])), number(float(valid[best - 1]))
    return f"training loss {t}, validation loss {v} at epoch {best}"


def _by_losses(train: NDArray[np.float64], valid: NDArray[np.float64], best: int) -> Fit:
    """Rules 1 to 4."""
    epochs = len(train)
    t, v = float(train[best - 1]), float(valid[best - 1])
    numbers = _numbers(train, valid, best)
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


def _by_score(found: Fit, standing: Standing, numbers: str, jumping: bool) -> Fit:
    """Rules 5 and 6; else the losses' verdict, with the score beside it."""
    if standing.lucky and found.kind in ("underfitting", "good fit"):
        return Fit(
            "nothing learnt",
            f"{standing.label} {number(standing.score)} is no better than chance "
            f"({number(standing.chance)}), however the losses lie ({numbers}).",
        )
    if standing.behind and found.kind in ("good fit", "memorising later"):
        cure = (
            "The validation loss jumps up and down from epoch to epoch: a lower learning rate may "
            "help."
            if jumping
            else "Another learning rate, a larger network or less regularisation may help."
        )
        return Fit(
            "underfitting",
            f"The losses lie together, but too high ({numbers}): {standing.told}, on the same "
            f"folds. There is more to learn than the network learnt. {cure}",
        )
    end = ", on the same folds." if standing.best is not None else "."
    if standing.best is None and found.kind == "good fit":
        end = "; whether that is good only another model on the same folds can tell."
    told = standing.told[0].upper() + standing.told[1:]
    return Fit(found.kind, f"{found.sentence} {told}{end}")


def jumps(valid: NDArray[np.float64]) -> bool:
    """Whether a validation loss ``(epochs,)`` goes up and down instead of down, then up."""
    steps = np.diff(valid)
    first = int(np.argmax(steps > 0)) if (steps > 0).any() else len(steps)
    falls = -steps[first:][steps[first:] < 0].sum()
    return bool(falls > JUMPS * abs(float(valid.min())))


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
