"""Parts of the split: groups that it cuts, labels that a part has too few of, order of the rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geno_hpo.audit.finding import Finding, some
from geno_hpo.audit.view import View

__all__ = ["cut_groups", "label_counts", "row_order"]

_FEW = 5  # members of a class in a part below which its score is a lottery
_TELLS = 0.1  # share of a label's variance from which a group is said to tell it


def cut_groups(view: View) -> Iterator[Finding]:
    """Find groups of the data whose samples lie on both sides of the test set's border."""
    told: list[str] = []
    tells = False
    most = 0
    usable: list[str] = []
    for name, group in view.dataset.groups.items():
        if name.startswith("haplotype"):
            continue  # told by the checks of identical samples
        names, number = np.unique(group, return_inverse=True)
        if len(names) == 1:
            continue
        present = np.zeros((len(names), 2), bool)
        present[number, (view.part > 0).astype(np.intp)] = True
        cut = int(present.all(axis=1).sum())
        if not cut:
            continue
        share = _told_by(view, number)
        tells |= share >= _TELLS
        most = max(most, cut)
        told.append(
            f"{name}: {cut:,} of {len(names):,} groups, which explain {share:.0%} of the label"
        )
        if line := view.offer(name):
            usable.append(line)
    if not told:
        return
    offer = " or ".join(usable)
    yield Finding(
        check="cut groups",
        severity="warning" if tells else "note",
        what="groups of related samples lie on both sides of the test set's border",
        count=most,
        examples=tuple(told),
        advice=(
            f"To see how well unseen groups are predicted: {offer}"
            if offer
            else "No part could hold whole groups and yet all classes"
        ),
    )


def _told_by(view: View, number: NDArray[np.intp]) -> float:
    """Give the largest share of an output's variance that groups explain, less what chance does."""
    best = 0.0
    for _, values in view.labels:
        known = np.isfinite(values)
        y, g = values[known], number[view.split.development][known]
        if len(y) < 3 or y.var() == 0:
            continue
        sizes = np.bincount(g)
        kept = sizes > 0
        groups = int(kept.sum())
        if groups >= len(y):
            continue
        mean = np.bincount(g, y)[kept] / sizes[kept]
        within = ((y - (np.bincount(g, y) / np.maximum(sizes, 1))[g]) ** 2).sum()
        between = (sizes[kept] * (mean - y.mean()) ** 2).sum()
        unexplained = (within / (len(y) - groups)) / ((within + between) / (len(y) - 1))
        best = max(best, 1 - unexplained)
    return best


def label_counts(view: View) -> Iterator[Finding]:
    """Find classes of which a part has too few members to be scored."""
    target = view.dataset.target
    if target.task == "regression":
        return
    many = target.task == "multiclass"
    told: list[str] = []
    smallest = _FEW
    for column, name in enumerate(target.names):
        values = target.values[:, column]
        for index in range(len(target.classes) if many else 2):
            counts = np.bincount(view.part[values == index], minlength=view.parts)
            if counts.min() >= _FEW:
                continue
            label = target.classes[index] if target.classes else str(index)
            smallest = min(smallest, int(counts.min()))
            listed = ", ".join(str(count) for count in counts[1:])
            told.append(f"{name} {label}: {counts[0]} in the test set, {listed} in the folds")
    if not told:
        return
    yield Finding(
        check="label counts",
        severity="warning",
        what=f"parts have fewer than {_FEW} members of a class (the smallest has {smallest})",
        count=len(told),
        examples=tuple(told[:3]),
        advice="Their scores are a lottery: take fewer folds, or leave the class out",
    )


def row_order(view: View) -> Iterator[Finding]:
    """Find labels that follow the order of the rows: sorted by class, or in batches.

    Counts how often neighbours differ, against what is expected of a shuffled order; for traits
    the correlation of neighbours.
    """
    told: list[tuple[float, str, int]] = []
    for name, values in view.labels:
        known = values[np.isfinite(values)]
        n = len(known)
        if n < 20 or np.ptp(known) == 0:
            continue
        centred = known - known.mean()
        # Correlation of neighbours: 0 when shuffled, standard deviation 1/sqrt(n); the same as
        # counting how often neighbours differ for a label of 0 and 1.
        along = float((centred[1:] * centred[:-1]).sum() / (centred**2).sum())
        if along * np.sqrt(n) < 6 or along < 0.2:
            continue
        changes = int((np.diff(known) != 0).sum())
        shown = f"{name}: neighbours correlate by {along:.2f}"
        if len(np.unique(known)) == 2:
            shown += f", {changes:,} changes in {n:,} rows"
        told.append((along, shown, n))
    if not told:
        return
    told.sort(reverse=True)
    yield Finding(
        check="row order",
        severity="warning",
        what=f"rows stand in an order that tells the label (neighbours correlate by "
        f"{told[0][0]:.2f})",
        count=max(n for _, _, n in told),
        examples=some([shown for _, shown, _ in told]),
        advice=(
            "This split draws by lot, so order alone flatters nothing; but if rows were "
            "collected in batches, give the batch as a column: `split: {group: COLUMN}`"
        ),
    )
