"""How many distinct rows are left when what was not called differs from nothing.

Two rows that differ in a gap or an unknown base alone may be one haplotype, read twice. Rows are
taken with the fewest such positions first, and each joins the first haplotype from which it differs
at no position that both have; else it begins one of its own. So the number depends on no order of
the samples, but it is an estimate: compatible is no equivalence (a row may fit two haplotypes).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Kind

__all__ = ["compatible_rows"]

Codes = NDArray[np.int8]

GAP = 4
COMPARISONS = 2e9
"""Cells that are compared at most: about two seconds."""


def compatible_rows(rows: Codes, kind: Kind) -> int | None:
    """Count haplotypes among distinct rows.

    Parameters
    ----------
    rows
        ``(rows, columns)`` int8, each of them once; −1 unknown.
    kind
        Of ``sequence`` a gap (4), too, differs from nothing.

    Returns
    -------
    int or None
        None where it would take too long.
    """
    varying = rows[:, (rows != rows[0]).any(axis=0)]
    if kind == "sequence":
        varying = np.where(varying == GAP, np.int8(-1), varying)
    varying = np.unique(varying, axis=0) if varying.shape[1] else varying[:1]
    known = (varying >= 0).sum(axis=1)
    if known.size and known.min() == varying.shape[1]:
        return len(varying)
    if len(varying) ** 2 * varying.shape[1] > COMPARISONS:
        return None
    found = np.empty_like(varying)
    count = 0
    for row in varying[np.argsort(-known, kind="stable")]:
        here = row >= 0
        held = found[:count, here]
        if not ((held == row[here]) | (held < 0)).all(axis=1).any():
            found[count] = row
            count += 1
    return count
