"""Part of a training part: what a learning curve over sample size trains on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["thinned"]


def thinned(
    train: NDArray[np.intp],
    share: float,
    *,
    strata: NDArray[Any] | None = None,
    groups: NDArray[Any] | None = None,
    seed: int,
) -> NDArray[np.intp]:
    """Draw a share of the samples; a smaller share of the same seed is part of a larger one.

    Parameters
    ----------
    train
        Sorted sample indices.
    share
        In (0, 1].
    strata
        ``(train samples,)`` classes, each of which keeps its share, and one sample at least.
    groups
        ``(train samples,)`` groups that are drawn whole, until the share is reached.
    seed
        Of the draw.

    Returns
    -------
    ndarray
        Sorted sample indices.

    Raises
    ------
    ValueError
        A share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise ValueError(f"share must lie in (0, 1], got {share}")
    rng = np.random.default_rng([seed, 0x7417])
    if groups is not None:
        names, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
        order = rng.permutation(len(names))
        before = np.cumsum(sizes[order]) - sizes[order]
        whole: NDArray[np.intp] = train[np.isin(place, order[before < share * len(train)])]
        return whole
    kinds = np.zeros(len(train), np.intp)
    if strata is not None:
        kinds = np.unique(strata, return_inverse=True)[1]
    order = rng.permutation(len(train))
    kept = [
        own[: max(1, round(share * len(own)))]
        for own in (order[kinds[order] == kind] for kind in range(int(kinds.max()) + 1))
    ]
    drawn: NDArray[np.intp] = train[np.sort(np.concatenate(kept))]
    return drawn
