"""Weights that give every class of a training part the same say, as scikit-learn's ``balanced``.

A class with a share *s* of the known labels weighs 1 / (number of classes × *s*), so that the mean
weight of the training part is 1. Each output is balanced for itself, over the labels it has.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["balanced", "class_weights"]

Indices = NDArray[np.intp]
Labels = NDArray[np.float32]


def class_weights(values: Labels, train_idx: Indices, units: int, task: str) -> Labels:
    """Weight of each class of each output.

    Parameters
    ----------
    values
        ``(samples, outputs)`` class numbers, NaN where missing.
    train_idx
        Samples to learn from.
    units
        Width of the prediction: the number of classes for ``multiclass``.
    task
        ``binary``, ``multilabel`` or ``multiclass``.

    Returns
    -------
    ndarray
        ``(outputs, classes)`` float32; 1 for a class that the training part does not hold.
    """
    classes = units if task == "multiclass" else 2
    return np.stack([_weights(column, classes) for column in values[train_idx].T])


def balanced(labels: Labels) -> Labels:
    """Weight of each sample by its class, ``(samples,)``; `labels` without NaN."""
    classes = labels.astype(np.intp)
    return _weights(labels, int(classes.max(initial=0)) + 1)[classes]


def _weights(column: Labels, classes: int) -> Labels:
    known = column[~np.isnan(column)].astype(np.intp)
    counts = np.bincount(known, minlength=classes)
    present = counts > 0
    share = len(known) / (max(int(present.sum()), 1) * np.maximum(counts, 1))
    return np.where(present, share, 1.0).astype(np.float32)
