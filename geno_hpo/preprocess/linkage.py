"""Leave out variants that say what a better neighbour already says (linkage disequilibrium)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["prune"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]


def prune(
    codes: Codes,
    train_idx: Indices,
    order: Indices,
    fill: NDArray[np.floating[Any]],
    *,
    r2: float,
    window: int,
    keep: int | None = None,
) -> Indices:
    """Keep variants greedily, in the order given, that are not linked to one kept before.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8 dosages, −1 not called.
    train_idx
        Samples to learn from.
    order
        Candidates, the one to prefer first.
    fill
        ``(variants,)`` dosage that stands for one not called.
    r2
        Two variants are linked above this squared correlation in the training part.
    window
        Neighbours on either side, in the table's order, that are compared.
    keep
        Stop after so many.

    Returns
    -------
    ndarray
        The kept candidates, in their order.
    """
    variants = codes.shape[1]
    free = np.zeros(variants, bool)
    free[order] = True
    kept = []
    for candidate in order.tolist():
        if not free[candidate]:
            continue
        kept.append(candidate)
        if keep is not None and len(kept) == keep:
            break
        free[candidate] = False
        low = max(candidate - window, 0)
        here = slice(low, min(candidate + window + 1, variants))
        near = np.flatnonzero(free[here])
        if len(near) == 0:
            continue
        around = np.asarray(codes[train_idx, here])
        own = _centred(around[:, candidate - low, None], fill[candidate : candidate + 1])
        other = _centred(around[:, near], fill[here][near])
        product = (other.T @ own)[:, 0].astype(np.float64) ** 2
        size = float((own**2).sum()) * (other**2).sum(axis=0, dtype=np.float64)
        free[low + near[product > r2 * size]] = False
    return np.array(kept, dtype=np.intp)


def _centred(codes: Codes, fill: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    dosage = codes.astype(np.float32)
    np.copyto(dosage, fill.astype(np.float32), where=codes < 0)
    dosage -= dosage.mean(axis=0)
    return dosage
