"""A drawn clonal population: lineages, sub-clades, clones, and who carries each mutation.

Nothing here knows sequences: a mutation event is the array of the isolates below its branch,
``(carriers,)`` intp. Events come in the order in which they happened, root first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["LINEAGES", "ClonalTree", "grow_tree"]

# Share of the cohort, and how readily resistance arises, of each lineage.
LINEAGES = (
    (0.28, 0.9),
    (0.22, 1.4),
    (0.18, 1.0),
    (0.12, 0.7),
    (0.10, 1.0),
    (0.06, 0.5),
    (0.04, 0.8),
)
_LINEAGE_EVENTS = 4  # mutations that define a lineage
_SUBCLADES = 5  # a lineage has this many sub-clades …
_SUBCLADE_EVENTS = 2  # … and each this many mutations
_CLONE_SIZE = 4.0  # mean isolates of a clone
_CLONE_EVENTS = 0.6  # mean mutations of a clone
_PRIVATE_EVENTS = 0.35  # mean mutations of one isolate only
_RESISTANT_CLONES = 0.2  # clones in which resistance spread to all isolates
_RESISTANT_ISOLATES = 0.3  # isolates of other clones in which it arose anew
_RESISTANT = 0.37  # events are kept until this share of all isolates is resistant
_EXPANSION = 3  # one in so many resistant clones grew by an outbreak
_EXPANSION_SIZE = 12.0


@dataclass(frozen=True)
class ClonalTree:
    """Who belongs where and who carries what.

    Parameters
    ----------
    lineage, clone
        ``(isolates,)`` intp.
    events
        Carriers of each neutral mutation.
    resistance
        Carriers of each acquisition of resistance; no isolate is in two.
    """

    lineage: NDArray[np.intp]
    clone: NDArray[np.intp]
    events: tuple[NDArray[np.intp], ...]
    resistance: tuple[NDArray[np.intp], ...]


def grow_tree(rng: np.random.Generator, isolates: int) -> ClonalTree:
    """Draw a population; isolates of a clone stand in no particular order.

    Parameters
    ----------
    rng
        Source of everything drawn.
    isolates
        Number of isolates.
    """
    shares, readiness = (np.array(column) for column in zip(*LINEAGES, strict=True))
    lineage = np.empty(isolates, dtype=np.intp)
    clone = np.empty(isolates, dtype=np.intp)
    subclade = np.empty(isolates, dtype=np.intp)
    order = rng.permutation(isolates)
    spread: list[NDArray[np.intp]] = []
    single: list[NDArray[np.intp]] = []
    filled = number = 0
    while filled < isolates:
        branch = int(rng.choice(len(shares), p=shares / shares.sum()))
        resistant = bool(rng.random() < _RESISTANT_CLONES * readiness[branch])
        grown = resistant and int(rng.integers(_EXPANSION)) == 0
        size = int(rng.geometric(1 / (_EXPANSION_SIZE if grown else _CLONE_SIZE)))
        members = order[filled : filled + size]
        lineage[members], clone[members] = branch, number
        subclade[members] = branch * _SUBCLADES + int(rng.integers(_SUBCLADES))
        if resistant:
            spread.append(members)
        else:
            anew = rng.random(len(members)) < _RESISTANT_ISOLATES * readiness[branch]
            single.extend(members[anew][:, None])
        filled += size
        number += 1
    return ClonalTree(
        lineage=lineage,
        clone=clone,
        events=_events(rng, lineage, subclade, clone),
        resistance=_keep(rng, [*spread, *single], round(_RESISTANT * isolates)),
    )


def _keep(
    rng: np.random.Generator, acquired: list[NDArray[np.intp]], wanted: int
) -> tuple[NDArray[np.intp], ...]:
    """Keep resistance events in random order until `wanted` isolates are resistant."""
    kept: list[NDArray[np.intp]] = []
    for place in rng.permutation(len(acquired)):
        if len(acquired[place]) <= wanted:
            kept.append(acquired[place])
            wanted -= len(acquired[place])
    return tuple(kept)


def _events(rng: np.random.Generator, *levels: NDArray[np.intp]) -> tuple[NDArray[np.intp], ...]:
    """Carriers of neutral mutations, level by level of the tree, then the private ones."""
    lineage, subclade, clone = levels
    isolates = len(lineage)
    events: list[NDArray[np.intp]] = []
    for level, counts in (
        (lineage, np.full(len(LINEAGES), _LINEAGE_EVENTS)),
        (subclade, np.full(len(LINEAGES) * _SUBCLADES, _SUBCLADE_EVENTS)),
        (clone, rng.poisson(_CLONE_EVENTS, int(clone.max()) + 1)),
        (np.arange(isolates), rng.poisson(_PRIVATE_EVENTS, isolates)),
    ):
        for branch, count in enumerate(counts):
            carriers = np.flatnonzero(level == branch)
            if len(carriers):
                events.extend([carriers] * int(count))
    return tuple(events)
