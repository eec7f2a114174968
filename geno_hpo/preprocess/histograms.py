"""How frequent each genotype of each variant is in each group of a training part's samples.

Groups are the classes of each output, or thirds of each trait (cut at the training part's own
thirds). This is what a diet network knows of a variant before it sees a sample.

References
----------
Romero et al., Diet networks: thin parameters for fat genomics, ICLR 2017.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.preprocess.association import blocks

__all__ = ["genotype_histograms", "label_groups"]

GENOTYPES = 3

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


def label_groups(values: Floats, train_idx: Indices, units: int, task: str) -> Floats:
    """Which training sample is in which group.

    Parameters
    ----------
    values
        ``(samples, outputs)`` labels, NaN where missing.
    train_idx
        Samples to learn from.
    units
        Width of the prediction: the number of classes for ``multiclass``.
    task
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``.

    Returns
    -------
    ndarray
        ``(len(train_idx), groups)`` float32, 1 where the sample is in the group. A sample without
        a label of an output is in none of its groups.
    """
    members = []
    for column in values[train_idx].T:
        count = {"multiclass": units, "regression": 3}.get(task, 2)
        if task == "regression":
            cuts = np.nanquantile(column, [1 / 3, 2 / 3])
            column = np.where(np.isnan(column), np.nan, np.searchsorted(cuts, column))
        members.append(column[:, None] == np.arange(count))
    return np.concatenate(members, axis=1).astype(np.float32)


def genotype_histograms(
    codes: NDArray[np.int8],
    values: Floats,
    train_idx: Indices,
    columns: NDArray[np.int32],
    units: int,
    task: str,
) -> Floats:
    """Shares of the genotypes 0, 1, 2 among the called samples of each group, standardised.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8 dosages, −1 not called.
    values, train_idx, units, task
        See `label_groups`.
    columns
        ``(k,)`` the variants that enter.

    Returns
    -------
    ndarray
        ``(k, groups × 3)`` float32: each column less its mean over the variants, and all divided by
        one standard deviation. Where a group has no called sample, the training part's shares stand
        in; where the training part has none, the mean over the variants.
    """
    members = label_groups(values, train_idx, units, task)
    everyone = np.ones((len(train_idx), 1), np.float32)
    weights = np.concatenate([members, everyone], axis=1)
    shares = np.empty((len(columns), weights.shape[1], GENOTYPES), np.float32)
    for here in blocks(len(columns), len(train_idx)):
        chosen = codes[np.ix_(train_idx, columns[here])]
        counts = np.stack(
            [(chosen == dosage).T.astype(np.float32) @ weights for dosage in range(GENOTYPES)],
            axis=-1,
        )
        called = counts.sum(axis=-1, keepdims=True)
        with np.errstate(invalid="ignore"):
            shares[here] = counts / called
    filled = np.where(np.isnan(shares[:, :-1]), shares[:, -1:], shares[:, :-1])
    flat: Floats = filled.reshape(len(columns), -1)
    known = ~np.isnan(flat[:, 0])
    if not known.any():
        return np.zeros_like(flat)
    centred = flat - flat[known].mean(axis=0)
    centred[~known] = 0.0
    spread = float(centred[known].std())
    told: Floats = (centred / (spread if spread > 0 else 1.0)).astype(np.float32)
    return told
