"""Principal components of standardised variants, learned from a training part in blocks.

The Gram matrix of the training samples holds all that is needed, so that memory stays at
``(samples, samples)`` and one block of variants, however many variants there are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.preprocess.association import blocks

__all__ = ["principal_axes"]

Matrix = NDArray[np.float32]

# An eigenvalue below this share of the largest is rounding.
NOTHING = 1e-6


def principal_axes(
    inputs: Callable[[slice], Matrix], samples: int, variants: int, components: int
) -> Matrix:
    """Axes of the largest variance, the first one first.

    All axes are divided by the standard deviation of the first component, so that inputs are about
    1 and components keep their relative size. The largest entry of each axis is positive.

    Parameters
    ----------
    inputs
        Gives the centred training inputs of a slice of variants, ``(samples, width)``.
    samples, variants
        Shape of all of them.
    components
        Number of axes.

    Returns
    -------
    ndarray
        ``(variants, components)`` float32.

    Raises
    ------
    InputError
        More components than directions in which the training part varies.
    """
    from scipy.linalg import eigh

    gram = np.zeros((samples, samples))
    for here in blocks(variants, samples):
        part = inputs(here)
        gram += part @ part.T
    least = max(samples - components, 0)
    values, vectors = eigh(gram, subset_by_index=[least, samples - 1])
    values, vectors = values[::-1], vectors[:, ::-1]
    found = int((values > NOTHING * max(values[0], 1e-30)).sum()) if values[0] > 0 else 0
    if found < components:
        raise InputError(
            f"components must be at most the {found} directions in which {variants} variants vary "
            f"among {samples} training samples, got {components}"
        )
    scaled = (vectors / np.sqrt(values) * np.sqrt(samples / values[0])).astype(np.float32)
    axes = np.empty((variants, components), np.float32)
    for here in blocks(variants, samples):
        axes[here] = inputs(here).T @ scaled
    strongest = axes[np.abs(axes).argmax(axis=0), np.arange(components)]
    axes *= np.sign(strongest)
    return axes
