"""The control's labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.splits import Split

__all__ = ["permuted"]


def permuted(values: NDArray[np.float32], split: Split, seed: int) -> NDArray[np.float32]:
    """Labels shuffled over the samples, within the development and the test part each."""
    shuffled = values.copy()
    for number, part in enumerate((split.development, split.test)):
        order = np.random.default_rng([seed, number]).permutation(len(part))
        shuffled[part] = values[part[order]]
    return shuffled
