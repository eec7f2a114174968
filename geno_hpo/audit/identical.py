"""Identical samples: across parts, over single loci, and with labels that contradict each other.

Rows are compared by a 128-bit hash of their codes; an uncalled code equals only another one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geno_hpo.audit.compatible import compatible_rows
from geno_hpo.audit.finding import Finding, Severity, some
from geno_hpo.audit.view import Bools, Ints, View
from geno_hpo.data.mapped import row_blocks

__all__ = [
    "FEW_COLUMNS",
    "across",
    "contradicting_labels",
    "distinct_rows",
    "identical_samples",
    "share_severity",
    "shared_haplotypes",
]

FEW_COLUMNS = 64
"""With fewer columns that vary, equal rows are no sign of related samples."""
_SERIOUS_SHARE = 0.01  # of the test set
_MIXED_SHARE = 0.05  # of the development part
_COUNTED_BYTES = 64 * 2**20  # distinct rows that are compared with each other, at most


def distinct_rows(codes: NDArray[np.int8]) -> Ints:
    """Number of the distinct row that each row is, ``(rows,)``, by first occurrence."""
    numbers: dict[bytes, int] = {}
    found = np.empty(len(codes), np.intp)
    rows = (row for block in row_blocks(codes) for row in block)
    for row, code in enumerate(rows):
        key = hashlib.blake2b(code.data, digest_size=16).digest()
        found[row] = numbers.setdefault(key, len(numbers))
    return found


def across(view: View, present: Bools, own: Ints) -> tuple[Bools, Bools]:
    """Tell which samples have kin in a part that they must not have it in.

    Parameters
    ----------
    view
        The study.
    present
        ``(clusters, parts)``: whether a cluster has kin in a part.
    own
        Cluster of each sample, ``(samples,)``.

    Returns
    -------
    tuple
        Test samples with kin in the development part, and development samples with kin in
        another fold, both ``(samples,)``.
    """
    folds = present[own, 1:].copy()
    test = view.part == 0
    rest = np.flatnonzero(~test)
    in_test = test & folds.any(axis=1)
    folds[rest, view.part[rest] - 1] = False
    return in_test, ~test & folds.any(axis=1)


def share_severity(flagged: Bools, view: View, *, weak: bool = False) -> Severity:
    """How serious it is that these test samples have kin in the development part."""
    if weak:
        return "note"
    share = flagged.sum() / max(len(view.split.test), 1)
    return "serious" if share >= _SERIOUS_SHARE else "warning"


def _counted(codes: NDArray[np.int8], cluster: Ints, view: View, what: str) -> str:
    """How many distinct rows there are, also where gaps and unknown ones differ from nothing."""
    first = np.unique(cluster, return_index=True)[1]
    told = f"{len(first):,} distinct {what} in {len(cluster):,} samples"
    if len(first) * codes.shape[1] > _COUNTED_BYTES:
        return told
    kind = view.dataset.kind
    fewer = compatible_rows(codes[first], kind)
    if fewer is None or fewer == len(first):
        return told
    lacking = "gaps and unknown bases" if kind == "sequence" else "calls that are missing"
    return f"{told}, {fewer:,} if {lacking} count as no difference"


def _present(view: View, cluster: Ints) -> Bools:
    present = np.zeros((int(cluster.max()) + 1, view.parts), bool)
    present[cluster, view.part] = True
    return present


def _pairs(view: View, cluster: Ints, flagged: Bools) -> list[str]:
    """Name flagged samples, each with one equal sample of another part."""
    pairs = []
    for sample in np.flatnonzero(flagged)[:3]:
        other = np.flatnonzero((cluster == cluster[sample]) & (view.part != view.part[sample]))[0]
        pairs.append(f"{view.name(int(sample))} = {view.name(int(other))}")
    return pairs


def identical_samples(view: View, cluster: Ints, varying: int) -> Iterator[Finding]:
    """Find samples whose whole rows are equal and lie in different parts.

    Parameters
    ----------
    view
        The study.
    cluster
        `distinct_rows` of the data.
    varying
        Number of columns that vary.
    """
    in_test, in_folds = across(view, _present(view, cluster), cluster)
    flagged = in_test if in_test.any() else in_folds
    if not flagged.any():
        return
    distinct = _counted(view.dataset.codes, cluster, view, "rows")
    weak = varying < FEW_COLUMNS
    yield Finding(
        check="identical samples",
        severity=share_severity(in_test, view, weak=weak),
        what=(
            f"{int(in_test.sum()):,} of {len(view.split.test):,} test samples are identical to a "
            f"training sample, and {int(in_folds.sum()):,} of {len(view.split.development):,} "
            f"others to one of another fold ({distinct})"
        ),
        count=int(flagged.sum()),
        examples=some(_pairs(view, cluster, flagged)),
        advice=(
            f"With {varying} columns that vary, equal rows are to be expected"
            if weak
            else view.grouping(cluster)
        ),
    )


def shared_haplotypes(view: View) -> Iterator[Finding]:
    """Tell for each of several loci how many test samples share its sequence with the training."""
    loci = view.dataset.loci
    if len(loci) < 2:
        return
    told = []
    most = 0
    for locus in loci:
        codes = view.dataset.codes[:, locus.start : locus.stop]
        cluster = distinct_rows(codes)
        in_test, _ = across(view, _present(view, cluster), cluster)
        most = max(most, int(in_test.sum()))
        told.append(
            f"{locus.name}: {int(in_test.sum()):,} of {len(view.split.test):,} test samples "
            f"({_counted(codes, cluster, view, 'haplotypes')})"
        )
    if not most:
        return
    groups = [name for name in view.dataset.groups if name.startswith("haplotype_")]
    offer = " or ".join(filter(None, map(view.offer, groups)))
    yield Finding(
        check="shared haplotypes",
        severity="note",
        what="test samples share a locus's haplotype with training samples",
        count=most,
        examples=tuple(told),
        advice=(
            "To see how well unseen haplotypes are predicted, keep one locus's together"
            + (f": {offer}" if offer else "")
        ),
    )


def contradicting_labels(view: View, cluster: Ints) -> Iterator[Finding]:
    """Find identical development samples of different classes, for each output."""
    if view.dataset.target.task == "regression":
        return
    own = cluster[view.split.development]
    values = view.dataset.target.values[view.split.development]
    told: list[tuple[int, float, str]] = []
    for column, name in enumerate(view.dataset.target.names):
        known = np.isfinite(values[:, column])
        if not known.any():
            continue
        classes = values[known, column].astype(np.intp)
        counts = np.zeros((int(cluster.max()) + 1, int(classes.max()) + 1), np.intp)
        np.add.at(counts, (own[known], classes), 1)
        mixed = (counts > 0).sum(axis=1) > 1
        if not mixed.any():
            continue
        samples = int(counts[mixed].sum())
        best = float(counts.max(axis=1).sum() / known.sum())
        biggest = counts[np.argmax(np.where(mixed, counts.sum(axis=1), 0))]
        against = " against ".join(f"{number:,}" for number in biggest if number)
        shown = (
            f"{name}: {samples:,} samples in {int(mixed.sum()):,} sets, at best {best:.1%} right; "
            f"the biggest {against}"
        )
        told.append((samples, samples / int(known.sum()), shown))
    if not told:
        return
    told.sort(reverse=True)
    yield Finding(
        check="contradicting labels",
        severity="warning" if max(share for _, share, _ in told) >= _MIXED_SHARE else "note",
        what=(
            f"identical development samples have different labels (up to {told[0][0]:,} samples), "
            "so that no model can be right on all of them"
        ),
        count=told[0][0],
        examples=some([shown for _, _, shown in told]),
        advice="Labels may be wrong, or the cause lies outside these columns",
    )
