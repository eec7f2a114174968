"""Would another seed have chosen another winner? Leading configurations, each from several seeds.

All scores are means over the validation folds. The seeds' scores are new: the search's own score of
a configuration, by which it came to lead, is shown but takes no part. Spread within a
configuration (by its seeds) and between configurations are the variance components of a one-way
layout with as many seeds in each.

References
----------
Searle, Casella, McCulloch (1992). Variance components. Wiley, section 3.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.metrics import Metric

__all__ = ["Restarted", "Restarts", "compare_restarts"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Restarted:
    """One configuration's seeds.

    Parameters
    ----------
    place
        Its place in the search from 0, which is the winner.
    searched
        Its score in the search.
    scores
        A score a seed; a seed whose training left the numbers has none.
    mean, spread
        Of those; the spread is NaN with one seed.
    wins
        Chance that it would be chosen were each configuration trained from one of its seeds,
        drawn at random; ties are shared.
    """

    place: int
    searched: float
    scores: tuple[float, ...]
    mean: float
    spread: float
    wins: float


@dataclass(frozen=True)
class Restarts:
    """All configurations, best mean first.

    Parameters
    ----------
    ranked
        The configurations.
    within, between
        Standard deviation by the seed, and by the configuration (0 where seeds explain all).
    lost
        Seeds without a score.
    """

    ranked: tuple[Restarted, ...]
    within: float
    between: float
    lost: int

    @property
    def winner(self) -> Restarted:
        """The search's winner."""
        return next(one for one in self.ranked if one.place == 0)

    @property
    def sentence(self) -> str:
        """Whether another seed would have chosen another winner, in words."""
        winner, best = self.winner, self.ranked[0]
        chance = winner.wins
        if best.place and chance < 1 / len(self.ranked):
            head = "Most likely yes"
        elif chance < 0.5:
            head = "Quite possibly"
        elif chance < 0.9:
            head = "Possibly"
        else:
            head = "Hardly"
        text = (
            f"Would another seed have chosen another winner? {head}: of the "
            f"{len(self.ranked)} leading configurations the winner would be chosen again "
            f"{100 * chance:.0f} % of the time."
        )
        if best.place:
            text += (
                f" By its mean over the seeds the search's number {best.place + 1} leads "
                f"({best.mean:.3f} against {winner.mean:.3f})."
            )
        if not np.isfinite(self.within):
            return text
        spread = f" Seeds move a score by ±{self.within:.3f}"
        if self.between < self.within:
            return text + spread + ", more than these configurations differ: they are as good."
        return text + spread + f", configurations differ by ±{self.between:.3f}."


def compare_restarts(
    scores: Sequence[Sequence[float]], searched: Sequence[float], metric: Metric
) -> Restarts:
    """Rank configurations by their seeds.

    Parameters
    ----------
    scores
        For each configuration, in the search's order, a score a seed; NaN where it has none.
    searched
        Their scores in the search.
    metric
        Tells which is better.

    Raises
    ------
    ValueError
        Fewer than two configurations, or numbers that do not match.
    """
    if len(scores) < 2 or len(scores) != len(searched):
        raise ValueError(
            "restarts need the scores of 2 or more configurations, got "
            f"{len(scores)} and {len(searched)} of the search"
        )
    sign = 1.0 if metric.maximise else -1.0
    given = [np.asarray(own, np.float64) for own in scores]
    known = [own[np.isfinite(own)] for own in given]
    wins = _wins([sign * own for own in known])
    rows = [
        Restarted(
            place,
            float(searched[place]),
            tuple(map(float, own)),
            float(own.mean()) if len(own) else float("nan"),
            float(own.std(ddof=1)) if len(own) > 1 else float("nan"),
            wins[place],
        )
        for place, own in enumerate(known)
    ]
    rows.sort(key=lambda row: (not np.isfinite(row.mean), -sign * row.mean, row.place))
    within, between = _components([own for own in known if len(own)])
    lost = sum(len(own) for own in given) - sum(len(own) for own in known)
    return Restarts(tuple(rows), within, between, lost)


def _wins(scores: list[Floats]) -> list[float]:
    """Chance that each configuration scores best, one of its seeds drawn at random for each."""
    wins = []
    for place, own in enumerate(scores):
        rest = [other for i, other in enumerate(scores) if i != place and len(other)]
        wins.append(float(np.mean([_best(score, rest) for score in own])) if len(own) else 0.0)
    return wins


def _best(score: float, rest: list[Floats]) -> float:
    """Chance that `score` is best; a tie with m others counts 1 / (m + 1)."""
    ties = np.array([1.0])  # chance of 0, 1, … others that score the same, none above
    for other in rest:
        below, same = float(np.mean(other < score)), float(np.mean(other == score))
        ties = np.append(ties * below, 0) + np.append(0, ties * same)
    return float((ties / np.arange(1, len(ties) + 1)).sum())


def _components(scores: list[Floats]) -> tuple[float, float]:
    """Standard deviations within and between configurations."""
    freedom: Any = sum(len(own) - 1 for own in scores)
    if freedom < 1 or len(scores) < 2:
        return float("nan"), float("nan")
    within = sum(float(((own - own.mean()) ** 2).sum()) for own in scores) / freedom
    total = sum(len(own) for own in scores)
    grand = sum(float(own.sum()) for own in scores) / total
    square = sum(len(own) * float((own.mean() - grand) ** 2) for own in scores) / (len(scores) - 1)
    size = (total - sum(len(own) ** 2 for own in scores) / total) / (len(scores) - 1)
    return float(np.sqrt(within)), float(np.sqrt(max(square - within, 0) / size))
