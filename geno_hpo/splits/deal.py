"""Dealing samples, or whole groups of them, to parts in given shares.

Every function takes the labels ``(samples, labels)`` that each sample carries and gives the part
of each sample, ``(samples,)`` from 0.

References
----------
Sechidis, Tsoumakas, Vlahavas (2011). On the stratification of multi-label data. ECML PKDD,
145-158.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Target

__all__ = ["deal", "deal_groups", "label_table"]

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]

# Number of equally large classes a trait is cut into, so that folds share its whole range.
TRAIT_BINS = 10


def label_table(target: Target) -> NDArray[np.bool_]:
    """Tell which labels each sample carries, ``(samples, labels)``.

    One column a class, a tenth of the trait, or an output's 0 and 1.
    """
    values = target.values
    if target.task in ("binary", "multiclass"):
        return np.equal(values[:, :1], np.arange(len(target.classes)))
    if target.task == "multilabel":
        return np.concatenate([values == 0, values == 1], axis=1)
    spread = np.nanstd(values, axis=0)
    scores = (values - np.nanmean(values, axis=0)) / np.where(spread > 0, spread, 1)
    known = ~np.isnan(scores)
    trait = np.where(known, scores, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    rank = np.argsort(np.argsort(trait, kind="stable"), kind="stable")
    return np.equal((rank * TRAIT_BINS // len(rank))[:, None], np.arange(TRAIT_BINS))


def deal(labels: NDArray[np.bool_], shares: Floats, rng: np.random.Generator) -> Indices:
    """Part of each sample, by its labels."""
    if (labels.sum(axis=1) == 1).all():
        return _deal_classes(labels.argmax(axis=1), shares, rng)
    return _deal_labels(labels, shares, rng)


def _deal_classes(classes: Indices, shares: Floats, rng: np.random.Generator) -> Indices:
    """Shuffle each class, line the classes up, and cut the line into evenly spread turns.

    The parts' sizes differ from their shares by less than one, and each class's by less than
    two, however small the class.
    """
    lot = rng.permutation(len(classes))
    line = lot[np.argsort(classes[lot], kind="stable")]
    parts = np.empty(len(classes), np.intp)
    parts[line] = _turns(len(classes), shares)
    return parts


def _turns(n: int, shares: Floats) -> Indices:
    """Whose turn it is, ``(n,)``: at every point the part furthest behind its share."""
    turns = np.empty(n, np.intp)
    taken = np.zeros(len(shares))
    for i in range(n):
        turns[i] = np.argmax(shares * (i + 1) - taken)
        taken[turns[i]] += 1
    return turns


def _deal_labels(labels: NDArray[np.bool_], shares: Floats, rng: np.random.Generator) -> Indices:
    """Stratify iteratively (Sechidis et al. 2011), the rarest label first.

    Each of its samples goes to the part that still wants most of that label, then most samples.
    """
    parts = np.full(len(labels), -1, np.intp)
    wanted = shares[:, None] * labels.sum(axis=0)
    room = shares * len(labels)
    lot = rng.permutation(len(labels))
    while len(free := lot[parts[lot] < 0]):
        left = labels[free].sum(axis=0)
        if left.any():
            label = int(np.argmin(np.where(left > 0, left, len(labels) + 1)))
            chosen = free[labels[free, label]]
        else:
            label, chosen = -1, free
        for sample in chosen:
            need = wanted[:, label] if label >= 0 else room
            part = int(np.lexsort((-room, -np.round(need, 9)))[0])
            parts[sample] = part
            room[part] -= 1
            wanted[part, labels[sample]] -= 1
    return parts


def deal_groups(
    codes: Indices,
    labels: NDArray[np.bool_],
    shares: Floats,
    least: Indices,
    rng: np.random.Generator,
    *,
    shake: bool = False,
) -> Indices:
    """Part of each sample, whole groups together; each part gets at least `least` groups.

    Groups are dealt largest first, the seed decides between groups of one size. With `shake` each
    size counts up to half more or less, by lot: so repeats of a split differ.
    """
    _, group = np.unique(codes, return_inverse=True)
    table = np.zeros((group.max() + 1, labels.shape[1] + 1))
    np.add.at(table, group, np.column_stack([np.ones(len(labels)), labels]))
    # Deviations count as shares of a label's total, so that a rare label weighs like a common one.
    table /= np.maximum(table.sum(axis=0), 1)
    lot = rng.permutation(len(table))
    size = table[:, 0] * (rng.uniform(0.5, 1.5, len(table)) if shake else 1.0)
    order = lot[np.argsort(-size[lot], kind="stable")]
    held = np.zeros((len(shares), table.shape[1]))
    count = np.zeros(len(shares), np.intp)
    part_of = np.empty(len(table), np.intp)
    for done, g in enumerate(order):
        short = np.maximum(least - count, 0)
        # Squared deviation from the share after taking the group, less that before.
        gap = shares[:, None] - held
        cost = ((gap - table[g]) ** 2 - gap**2).sum(axis=1)
        if short.sum() >= len(order) - done:
            cost[short == 0] = np.inf
        part_of[g] = np.argmin(cost)
        held[part_of[g]] += table[g]
        count[part_of[g]] += 1
    return part_of[group]
