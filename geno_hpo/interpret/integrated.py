"""Integrated gradients: the gradient averaged on the straight way from a reference to the input.

    contribution = (input − reference) · mean over the way of the gradient

Contributions add up to the output at the input less that at the reference (completeness). A sum of
finitely many steps misses that a little; `completeness_gap` tells by how much.

References
----------
Sundararajan M, Taly A, Yan Q (2017). Axiomatic attribution for deep networks. ICML 70: 3319-3328.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["completeness_gap", "integrated_gradients"]

Floats = NDArray[np.float64]


def integrated_gradients(
    gradient: Callable[[NDArray[np.float32]], NDArray[np.float32]],
    inputs: NDArray[np.float32],
    reference: NDArray[np.float32],
    steps: int = 32,
) -> Floats:
    """Contribution of every position to every sample's output.

    Parameters
    ----------
    gradient
        From inputs to the output's gradient there, both shaped as `inputs`.
    inputs
        ``(samples, positions, symbols)`` or ``(samples, variants)``.
    reference
        Where the way begins: one input without the samples' axis.
    steps
        Points on the way, at the middles of as many equal parts.

    Returns
    -------
    NDArray
        ``(samples, positions)``, summed over the symbols.

    Raises
    ------
    ValueError
        `steps` is below 1, or the reference has another shape.
    """
    if steps < 1:
        raise ValueError(f"integrated gradients need at least 1 step, got {steps}")
    if reference.shape != inputs.shape[1:]:
        raise ValueError(
            f"the reference must have the shape {inputs.shape[1:]}, got {reference.shape}"
        )
    way = inputs - reference
    total = np.zeros(inputs.shape)
    for step in range(steps):
        total += gradient((reference + np.float32((step + 0.5) / steps) * way).astype(np.float32))
    product = way * (total / steps)
    return product.sum(axis=2) if product.ndim == 3 else product


def completeness_gap(
    contributions: Floats, outputs: NDArray[Any], reference_output: float
) -> float:
    """What the contributions miss of the outputs, as a share of what they should add up to.

    Parameters
    ----------
    contributions
        ``(samples, positions)``.
    outputs, reference_output
        ``(samples,)`` the outputs, and that of the reference.

    Returns
    -------
    float
        Mean absolute miss over mean absolute difference from the reference; 0 is exact.
    """
    wanted = np.asarray(outputs, dtype=np.float64) - reference_output
    missed = np.abs(contributions.sum(axis=1) - wanted).mean()
    return float(missed / max(np.abs(wanted).mean(), 1e-12))
