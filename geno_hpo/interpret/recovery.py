"""How well attributions find what a simulation planted."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["average_precision", "peaks_on_copies"]

Floats = NDArray[np.float64]


def average_precision(scores: Floats, causal: NDArray[np.bool_]) -> float:
    """Area under the precision-recall curve of positions ranked by their scores.

    Positions without a score (NaN) rank last. NaN where all or no positions are causal.
    """
    from sklearn.metrics import average_precision_score

    if not 0 < causal.sum() < len(causal):
        return float("nan")
    known = np.isfinite(scores)
    lowest = float(scores[known].min()) if known.any() else 0.0
    return float(average_precision_score(causal, np.where(known, scores, lowest - 1.0)))


def peaks_on_copies(
    contributions: Floats, copies: Iterable[tuple[int, int, int]], window: int = 5
) -> tuple[int, int]:
    """Samples whose highest contribution lies on a planted copy, and samples with a copy.

    Parameters
    ----------
    contributions
        ``(samples, positions)`` signed: what speaks for the class.
    copies
        ``(sample, start, stop)`` of the planted copies.
    window
        Contributions are summed over as many neighbouring positions; the middle of the best such
        window is the peak. A single base of a motif may happen to be mutated.

    Returns
    -------
    tuple
        Hits and samples.
    """
    planted: dict[int, list[tuple[int, int]]] = {}
    for sample, start, stop in copies:
        planted.setdefault(sample, []).append((start, stop))
    ones = np.ones(min(window, contributions.shape[1]))
    hits = 0
    for sample, spans in planted.items():
        peak = int(np.argmax(np.convolve(contributions[sample], ones, mode="same")))
        hits += any(start <= peak < stop for start, stop in spans)
    return hits, len(planted)
