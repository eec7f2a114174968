"""Do two hyperparameters act together? The best value of one then depends on the other.

For each pair among the most important hyperparameters the trials' scores, as ranks, are explained
by both values each on their own and then by each combination of values; numbers are cut at their
median. What the combinations explain beyond is the interaction. Its p-value comes from permuting
what the values on their own leave unexplained, and is corrected by Holm over all pairs tried.

A sampler looks where it hopes to win, so these are associations inside the searched ranges.

References
----------
Freedman D, Lane D (1983). A nonstochastic interpretation of reported significance levels. Journal
of Business and Economic Statistics 1: 292-298.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.compare import holm
from geno_hpo.outcome import TrialRecord
from geno_hpo.report.words import join, p_value, percent, plural, value

__all__ = ["Interaction", "find_interactions", "interaction_sentence"]

Floats = NDArray[np.float64]

NAMES = 5  # most important hyperparameters that are paired
MOST_LEVELS = 4
FEWEST = 3  # trials in each combination of values
DRAWS = 999
LEVEL = 0.05


@dataclass(frozen=True)
class Interaction:
    """Two hyperparameters and what their combinations explain.

    Parameters
    ----------
    first, second
        Their names.
    first_levels, second_levels
        Values, or halves of the range in words.
    means
        ``(levels of first, levels of second)`` mean score of the trials.
    counts
        Trials behind each mean.
    share
        Share of the ranks' variance that only the combination explains.
    p_value
        Corrected over all pairs.
    """

    first: str
    second: str
    first_levels: tuple[str, ...]
    second_levels: tuple[str, ...]
    means: Floats
    counts: NDArray[np.intp]
    share: float
    p_value: float

    @property
    def clear(self) -> bool:
        """Whether it is more than chance gives."""
        return self.p_value < LEVEL


def find_interactions(
    trials: Sequence[TrialRecord], names: Sequence[str], *, seed: int = 1
) -> list[Interaction]:
    """All pairs that can be told, the smallest p-value first.

    Parameters
    ----------
    trials
        Trials with a score count, pruned ones included.
    names
        Hyperparameters, the most important first.
    seed
        Of the permutations.
    """
    scored = [t for t in trials if t.state in ("complete", "pruned") and _finite(t.score)]
    found = []
    for pair in combinations(names[:NAMES], 2):
        having = [t for t in scored if all(name in t.params for name in pair)]
        one = _tested(having, pair, seed)
        if one is not None:
            found.append(one)
    corrected = holm([one.p_value for one in found])
    told = [
        Interaction(**{**vars(one), "p_value": float(p)})
        for one, p in zip(found, corrected, strict=True)
    ]
    return sorted(told, key=lambda one: (one.p_value, -one.share))


def interaction_sentence(found: Sequence[Interaction], maximise: bool) -> str:
    """Say which pairs act together and how, or that none was seen to."""
    if not found:
        return "There are too few trials to tell whether hyperparameters act together."
    clear = [one for one in found if one.clear]
    if not clear:
        names = list(dict.fromkeys(name for one in found for name in (one.first, one.second)))
        return (
            f"No two hyperparameters were seen to act together, beyond what each does alone, in "
            f"{plural(len(found), 'pair')} of {join([_name(name) for name in names])}."
        )
    return " ".join(_told(one, maximise) for one in clear[:2])


def _told(one: Interaction, maximise: bool) -> str:
    best = one.means.argmax(axis=1) if maximise else one.means.argmin(axis=1)
    first, second = _name(one.first), _name(one.second)
    head = (
        f"{first[0].upper()}{first[1:]} and {second} act together ({percent(one.share)} of what "
        f"parts the trials, {p_value(one.p_value)}): "
    )
    if len(set(best.tolist())) > 1:
        cases = [
            f"with {first} {level} it is {one.second_levels[b]}"
            for level, b in zip(one.first_levels, best, strict=True)
        ]
        return head + f"which {second} is best depends on it; {join(cases)}."
    ranges = np.ptp(one.means, axis=1)
    most = one.first_levels[int(ranges.argmax())]
    return head + f"{second} matters most with {first} {most}."


def _name(name: str) -> str:
    return name.replace("_", " ")


def _finite(x: float | None) -> bool:
    return x is not None and bool(np.isfinite(x))


def _tested(trials: Sequence[TrialRecord], pair: tuple[str, str], seed: int) -> Interaction | None:
    """The interaction of a pair; None where a combination of values has too few trials."""
    if len(trials) < 4 * FEWEST:
        return None
    parted = [_levels([t.params[name] for t in trials]) for name in pair]
    (a, first), (b, second) = parted
    if not (2 <= len(first) <= MOST_LEVELS and 2 <= len(second) <= MOST_LEVELS):
        return None
    cell = a * len(second) + b
    counts = np.bincount(cell, minlength=len(first) * len(second))
    if counts.min() < FEWEST:
        return None
    from scipy.stats import rankdata

    scores = np.array([t.score for t in trials], dtype=np.float64)
    ranks = rankdata(scores)
    alone = np.concatenate([_dummies(a, len(first)), _dummies(b, len(second))], axis=1)
    share, p = _beyond(ranks, alone, _dummies(cell, len(counts)), seed)
    means = (np.bincount(cell, scores) / counts).reshape(len(first), len(second))
    return Interaction(
        *pair, first, second, means, counts.reshape(means.shape).astype(np.intp), share, p
    )


def _levels(values: Sequence[Any]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Level of each value from 0, and the levels' names: few values as they are, else halves."""
    kinds = sorted(set(values), key=lambda x: (isinstance(x, str), x))
    numeric = all(isinstance(x, int | float) and not isinstance(x, bool) for x in kinds)
    if not numeric or len(kinds) <= MOST_LEVELS:
        place = {kind: i for i, kind in enumerate(kinds)}
        return np.array([place[x] for x in values]), tuple(value(kind) for kind in kinds)
    numbers = np.array(values, dtype=np.float64)
    middle = float(np.median(numbers))
    cut = value(float(f"{middle:.2g}"))
    return (numbers > middle).astype(np.intp), (f"up to {cut}", f"above {cut}")


def _dummies(level: NDArray[np.intp], many: int) -> Floats:
    return np.asarray(level[:, None] == np.arange(many), dtype=np.float64)


def _beyond(ranks: Floats, alone: Floats, cells: Floats, seed: int) -> tuple[float, float]:
    """Share of the variance that only the cells explain, and its p-value by permutation."""
    additive, whole = _basis(alone), _basis(cells)
    fitted = additive @ (additive.T @ ranks)
    left = ranks - fitted
    rng = np.random.default_rng([seed, 0x1AC])
    drawn = np.stack([ranks, *(fitted + rng.permutation(left) for _ in range(DRAWS))], axis=1)
    total = (drawn**2).sum(axis=0)
    by_additive = ((additive.T @ drawn) ** 2).sum(axis=0)
    by_cells = ((whole.T @ drawn) ** 2).sum(axis=0)
    ratio = (by_cells - by_additive) / np.maximum(total - by_cells, 1e-12)
    p = float((ratio >= ratio[0] - 1e-12).sum() / len(ratio))
    spread = float(((ranks - ranks.mean()) ** 2).sum())
    return float((by_cells[0] - by_additive[0]) / spread) if spread else 0.0, p


def _basis(columns: Floats) -> Floats:
    """Orthonormal basis of the columns' space."""
    left, sizes, _ = np.linalg.svd(columns, full_matrices=False)
    return np.asarray(left[:, sizes > 1e-9 * sizes[0]])
