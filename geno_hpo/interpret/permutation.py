"""Permutation importance: how much a score loses when one variant is shuffled over the samples.

References
----------
Breiman L (2001). Random forests. Machine Learning 45: 5-32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["permutation_importance"]


def permutation_importance(
    score: Callable[[NDArray[np.float32]], float],
    inputs: NDArray[np.float32],
    columns: NDArray[np.intp],
    *,
    repeats: int,
    seed: int,
    maximise: bool,
) -> NDArray[np.float64]:
    """Loss of score for each column and repeat.

    Parameters
    ----------
    score
        From inputs ``(samples, variants)`` to the score of the network's predictions there.
    inputs
        The true inputs.
    columns
        Which variants are shuffled, one at a time.
    repeats, seed
        How often, and the seed of the shuffles.
    maximise
        Whether a higher score is better; a loss is then the score before less that after.

    Returns
    -------
    NDArray
        ``(len(columns), repeats)`` float64.

    Raises
    ------
    ValueError
        No repeat, or a column that the inputs do not have.
    """
    if repeats < 1:
        raise ValueError(f"permutation needs at least 1 repeat, got {repeats}")
    if len(columns) and not (columns.min() >= 0 and columns.max() < inputs.shape[1]):
        raise ValueError(
            f"columns must lie in [0, {inputs.shape[1]}), got {columns.min()} to {columns.max()}"
        )
    rng = np.random.default_rng(seed)
    sign = 1.0 if maximise else -1.0
    whole = score(inputs)
    losses = np.zeros((len(columns), repeats))
    shuffled: NDArray[Any] = inputs.copy()
    for place, column in enumerate(columns):
        for repeat in range(repeats):
            shuffled[:, column] = rng.permutation(inputs[:, column])
            losses[place, repeat] = sign * (whole - score(shuffled))
        shuffled[:, column] = inputs[:, column]
    return losses
