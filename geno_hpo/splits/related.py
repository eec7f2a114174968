"""Groups of related samples, found from their codes alone; no label is looked at.

- ``clones``: samples that differ at no more than a share of the sites called in both, and chains
  of such samples (single linkage).
- ``kinship``: samples whose entry in the genomic relationship matrix reaches a threshold, and
  chains of such samples.
- ``clusters``: Ward's clustering of the first principal components, cut into a number of groups.

All are deterministic. Codes are ``(samples, sites)`` int8, −1 unknown; products are taken in
blocks, so that memory stays at some blocks, plus the ``(samples, samples)`` float32 matrix of
kinship and clusters.

References
----------
VanRaden (2008). Efficient methods to compute genomic predictions. J. Dairy Sci. 91, 4414-4423.
Manichaikul et al. (2010). Robust relationship inference in genome-wide association studies.
Bioinformatics 26, 2867-2873 (for the bounds of degrees of kinship).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError

__all__ = ["THRESHOLDS", "find_groups", "relationship"]

Codes = NDArray[np.int8]
Matrix = NDArray[np.float32]

# Clones differ at no more than this share of sites; 2^-1.5 divides first- from second-degree kin.
THRESHOLDS = {"clones": 0.001, "kinship": 2**-1.5}
COMPONENTS = 10
ROWS = 1024
SITES = 4096


def find_groups(
    codes: Codes,
    kind: str,
    *,
    by: str,
    threshold: float | None = None,
    count: int = 20,
) -> NDArray[np.str_]:
    """Group of each sample, numbered by its first member.

    Parameters
    ----------
    codes
        ``(samples, sites)`` int8, −1 unknown.
    kind
        ``sequence`` or ``variants``.
    by
        ``clones``, ``kinship`` or ``clusters``.
    threshold
        ``clones``: largest share of differing sites; ``kinship``: smallest relationship. None
        takes the default in `THRESHOLDS`.
    count
        ``clusters``: number of groups.

    Returns
    -------
    ndarray
        ``(samples,)`` names such as ``clones7``.

    Raises
    ------
    InputError
        An unknown way, kinship of sequences, or more clusters than samples.
    """
    if by == "clones":
        links = _clone_links(codes, THRESHOLDS[by] if threshold is None else threshold)
        members = _connected(links, len(codes))
    elif by == "kinship":
        if kind != "variants":
            raise InputError("groups by kinship need variants; sequences have clones and clusters")
        least = THRESHOLDS[by] if threshold is None else threshold
        matrix = relationship(codes, kind)
        members = _connected([np.argwhere(np.triu(matrix >= least, 1))], len(codes))
    elif by == "clusters":
        members = _clusters(relationship(codes, kind), count)
    else:
        raise InputError(f"groups are found by clones, kinship or clusters, got {by!r}")
    _, first, inverse = np.unique(members, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))
    return np.array([f"{by}{number + 1}" for number in place[inverse]])


def _blocks(stop: int, size: int) -> list[slice]:
    edges = [*range(0, stop, size), stop]
    return [slice(a, b) for a, b in pairwise(edges)]


def _clone_links(codes: Codes, threshold: float) -> list[NDArray[np.intp]]:
    """Pairs that differ at no more than `threshold` of the sites called in both."""
    sites = _blocks(codes.shape[1], SITES)
    uneven, alike = [], 0
    for block in sites:
        here = np.asarray(codes[:, block])
        low, high = here.min(axis=0), here.max(axis=0)
        constant = (low == high) & (low >= 0)
        alike += int(constant.sum())
        uneven.append(np.flatnonzero(~constant) + block.start)
    rows, links = _blocks(len(codes), ROWS), []
    for i, first in enumerate(rows):
        for second in rows[i:]:
            shape = (first.stop - first.start, second.stop - second.start)
            both = np.full(shape, alike, np.float64)
            same = both.copy()
            for columns in uneven:
                if len(columns):
                    a, b = codes[first][:, columns], codes[second][:, columns]
                    both += _product(a >= 0, b >= 0)
                    for symbol in range(max(int(a.max()), int(b.max())) + 1):
                        same += _product(a == symbol, b == symbol)
            near = (both > 0) & (both - same <= threshold * both)
            links.append(np.argwhere(near) + np.array([first.start, second.start]))
    return links


def _product(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Matrix:
    """Counts of sites that hold in both, ``(rows of a, rows of b)``; exact below 2^24 sites."""
    counts: Matrix = a.astype(np.float32) @ b.astype(np.float32).T
    return counts


def _connected(links: list[NDArray[np.intp]], samples: int) -> NDArray[np.intp]:
    """Component of each sample in the graph of linked pairs."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    pairs = np.concatenate(links)
    ones = np.ones(len(pairs), bool)
    graph = coo_matrix((ones, (pairs[:, 0], pairs[:, 1])), shape=(samples, samples))
    _, members = connected_components(graph, directed=False)
    found: NDArray[np.intp] = members.astype(np.intp)
    return found


def relationship(codes: Codes, kind: str) -> Matrix:
    """Genomic relationship matrix, ``(samples, samples)`` float32.

    Variants: mean over the varying variants of the product of dosages with mean 0 and variance 1
    (unknown is 0). Sequences: the same of centred one-hot symbols, with mean diagonal 1.

    Raises
    ------
    InputError
        No site varies.
    """
    samples = len(codes)
    total = np.zeros((samples, samples), np.float32)
    used = 0
    for block in _blocks(codes.shape[1], SITES):
        here = np.asarray(codes[:, block])
        states: list[NDArray[Any]] = [here]
        if kind == "sequence":
            states = [(here == symbol) for symbol in range(int(here.max()) + 1)]
        for state in states:
            known = here >= 0
            values = np.where(known, state, 0).astype(np.float32)
            calls = np.maximum(known.sum(axis=0), 1)
            values -= values.sum(axis=0, dtype=np.float64) / calls
            values[~known] = 0
            spread = np.sqrt((values.astype(np.float64) ** 2).sum(axis=0) / calls)
            varies = spread > 1e-6
            used += int(varies.sum())
            values = values[:, varies]
            if kind == "variants":
                values /= spread[varies].astype(np.float32)
            total += values @ values.T
    if used == 0:
        raise InputError(f"none of {codes.shape[1]} sites varies: no groups can be found")
    total /= used if kind == "variants" else max(float(np.trace(total)) / samples, 1e-12)
    return total


def _clusters(matrix: Matrix, count: int) -> NDArray[np.intp]:
    """Cluster of each sample by Ward's method on the leading components."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.linalg import eigh

    samples = len(matrix)
    if not 2 <= count <= samples:
        raise InputError(f"clusters must number 2 to {samples} (the samples), got {count}")
    first = max(samples - COMPONENTS, 0)
    values, vectors = eigh(matrix.astype(np.float64), subset_by_index=[first, samples - 1])
    tree = linkage(vectors * np.sqrt(np.maximum(values, 0)), method="ward")
    found: NDArray[np.intp] = fcluster(tree, count, criterion="maxclust").astype(np.intp)
    return found
