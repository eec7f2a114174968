"""Near-identical samples and relatives across parts, by blockwise matrix products.

Both look at distinct rows only, and at as many columns and rows as a fixed number of operations
allows; what is left out is told.

References
----------
Manichaikul et al. (2010). Robust relationship inference in genome-wide association studies.
Bioinformatics 26:2867-2873 (KING-robust).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from geno_hpo.audit.finding import Finding, some
from geno_hpo.audit.identical import FEW_COLUMNS, across, share_severity
from geno_hpo.audit.view import Bools, Ints, View

__all__ = ["OPERATIONS", "near_identical", "relatives"]

Floats = NDArray[np.float32]
Kin = tuple[Bools, Bools, tuple[str, ...]]

OPERATIONS = 2e10
"""Multiplications that a check may take: about half a second on two cores."""
_STATES = 3  # matrix columns that a data column takes
_LEAST_COLUMNS = 512
_MOST_COLUMNS = 4096
_NEAR = 0.05  # of a typical pair's differences
_FIRST_DEGREE = 0.177  # kinship of parent and child, or siblings: 0.25, down to this
_COMMON = 0.05  # minor allele frequency from which kinship is estimated
_GENOTYPES = 0.03  # share of 1s and of 2s below which samples are haploid or inbred: no kinship
_BLOCK = 512
_MOST_ROWS = 20_000
_CANDIDATES = 32_768  # columns whose frequency is looked at


def near_identical(
    view: View, cluster: Ints, varying: Ints, sampled: list[str]
) -> Iterator[Finding]:
    """Find samples that differ in less than a twentieth of what a typical pair differs in.

    Parameters
    ----------
    view
        The study.
    cluster
        Distinct row of each sample, from `geno_hpo.audit.identical.distinct_rows`.
    varying
        Columns that vary.
    sampled
        What was looked at in part only is added here.
    """
    if len(varying) < FEW_COLUMNS:
        return
    rows = _some_rows(view, cluster, "near-identical samples", sampled)
    columns = _some_columns(view, varying, len(rows), "near-identical samples", sampled)
    codes = view.dataset.codes[np.ix_(rows, columns)]
    called = codes >= 0
    limit = _NEAR * _typical_difference(codes, np.random.default_rng([view.seed, 1]))
    if limit * len(columns) < 1 and called.all():
        return  # fewer than one difference is identity, which another check tells
    states = [state for state in range(int(codes.max()) + 1) if (codes == state).any()]
    marks = np.concatenate([codes == state for state in states], axis=1)
    marks = marks[:, marks.any(axis=0)].astype(np.float32)
    known = None if called.all() else called.astype(np.float32)

    def near(block: Ints) -> Bools:
        equal = marks[block] @ marks.T
        both = len(columns) if known is None else known[block] @ known.T
        alike: Bools = (both - equal <= limit * both) & (both * 2 > len(columns))
        return alike

    kin = _kin(view, cluster, rows, near, marks.shape[1], "near-identical samples", sampled)
    yield from _told(
        view,
        kin,
        "near-identical samples",
        "{test} test samples are nearly identical to a training sample, and {folds} others to one "
        f"of another fold (less than {_NEAR:.0%} of a typical pair's differences, on "
        f"{len(columns):,} columns)",
        lambda: view.grouping(cluster),
    )


def relatives(view: View, cluster: Ints, varying: Ints, sampled: list[str]) -> Iterator[Finding]:
    """Find close relatives across parts by their kinship; see `near_identical` for the rest.

    Notes
    -----
    KING-robust, which needs no allele frequencies of the population. It looks at diploid
    samples; where nearly no genotype is heterozygous there is nothing to tell.
    """
    if view.dataset.kind != "variants" or len(varying) < _LEAST_COLUMNS:
        return
    rows = _some_rows(view, cluster, "relatives", sampled)
    if len(varying) > _CANDIDATES:
        sampled.append(f"relatives: {_CANDIDATES:,} of {len(varying):,} columns that vary")
        lot = np.random.default_rng([view.seed, 6])
        varying = np.sort(lot.choice(varying, _CANDIDATES, replace=False))
    mean, shares = _frequencies(view, varying, rows)
    common = varying[np.minimum(mean, 1 - mean) >= _COMMON]
    if len(common) < _LEAST_COLUMNS or min(shares) < _GENOTYPES:
        return
    columns = _some_columns(view, common, len(rows), "relatives", sampled)
    codes = view.dataset.codes[np.ix_(rows, columns)]
    mixed, first, second = ((codes == state).astype(np.float32) for state in (1, 0, 2))
    count = np.maximum(mixed.sum(axis=1), 1)

    def near(block: Ints) -> Bools:
        shared = mixed[block] @ mixed.T
        shared -= 2 * (first[block] @ second.T)
        shared -= 2 * (second[block] @ first.T)
        own, other = count[block][:, None], count[None]
        fewer = np.minimum(own, other)
        kinship = shared / (2 * fewer) + 0.5 - (own + other) / (4 * fewer)
        close: Bools = kinship > _FIRST_DEGREE
        return close

    kin = _kin(view, cluster, rows, near, 3 * len(columns), "relatives", sampled)
    yield from _told(
        view,
        kin,
        "relatives",
        "{test} test samples have a first-degree relative (or a copy) among the training samples, "
        "and {folds} others in another fold "
        f"(kinship over {_FIRST_DEGREE} on {len(columns):,} variants)",
        lambda: (
            "Keep them together: `split: {groups: {by: kinship}}` finds them, or name families in "
            "a column and write `split: {group: COLUMN}`; or leave one of each pair out"
        ),
    )


def _told(
    view: View, kin: Kin | None, check: str, what: str, advice: Callable[[], str]
) -> Iterator[Finding]:
    """Give the finding on kin across parts, if there is any.

    `what` has places for the counts ``{test}`` and ``{folds}``.
    """
    if kin is None:
        return
    in_test, in_folds, pairs = kin
    yield Finding(
        check=check,
        severity=share_severity(in_test, view),
        what=what.format(test=f"{int(in_test.sum()):,}", folds=f"{int(in_folds.sum()):,}"),
        count=int((in_test | in_folds).sum()),
        examples=pairs,
        advice=advice(),
    )


def _some_rows(view: View, cluster: Ints, check: str, sampled: list[str]) -> Ints:
    """First sample of each distinct row; of very many, those of the test set and some others."""
    rows = np.unique(cluster, return_index=True)[1]
    if len(rows) <= _MOST_ROWS:
        return rows
    sampled.append(f"{check}: among {_MOST_ROWS:,} of {len(rows):,} distinct rows")
    lot = np.random.default_rng([view.seed, 5]).permutation(rows)
    half = _MOST_ROWS // 2
    test, rest = lot[view.part[lot] == 0][:half], lot[view.part[lot] > 0]
    return np.sort(np.concatenate([test, rest[: _MOST_ROWS - len(test)]]))


def _frequencies(
    view: View, columns: Ints, rows: Ints
) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Frequency of the counted allele by column, and the shares of 1s and of 2s among calls."""
    means = []
    one = two = called = 0
    for start in range(0, len(columns), _BLOCK):
        codes = view.dataset.codes[np.ix_(rows, columns[start : start + _BLOCK])]
        known = (codes >= 0).sum(axis=0)
        means.append(np.where(codes >= 0, codes, 0).sum(axis=0) / np.maximum(2 * known, 1))
        one += int((codes == 1).sum())
        two += int((codes == 2).sum())
        called += int(known.sum())
    return np.concatenate(means), (one / max(called, 1), two / max(called, 1))


def _some_columns(view: View, columns: Ints, rows: int, check: str, sampled: list[str]) -> Ints:
    """Draw as many columns as the operations allow for all pairs of rows."""
    most = int(np.clip(OPERATIONS / (_STATES * rows**2), _LEAST_COLUMNS, _MOST_COLUMNS))
    if len(columns) <= most:
        return columns
    sampled.append(f"{check}: on {most:,} of {len(columns):,} columns that vary")
    drawn = np.random.default_rng([view.seed, 2]).choice(columns, most, replace=False)
    return np.sort(drawn)


def _typical_difference(codes: NDArray[np.int8], rng: np.random.Generator) -> float:
    """Median share of columns, both called, in which two rows differ; of 2,000 random pairs."""
    one, two = rng.integers(0, len(codes), (2, 2000))
    pairs = one != two
    a, b = codes[one[pairs]], codes[two[pairs]]
    both = (a >= 0) & (b >= 0)
    share = ((a != b) & both).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    return float(np.median(share)) if len(share) else 0.0


def _kin(
    view: View,
    cluster: Ints,
    rows: Ints,
    near: Callable[[Ints], Bools],
    width: int,
    check: str,
    sampled: list[str],
) -> Kin | None:
    """Run `near` over blocks of distinct rows.

    Returns
    -------
    tuple or None
        Test samples with kin among the others, development samples with kin in another fold,
        and some pairs by name; None when there is no kin across parts.
    """
    n = len(rows)
    present = np.zeros((int(cluster.max()) + 1, view.parts), np.float32)
    present[cluster, view.part] = 1
    held = present[cluster[rows]]
    asked = np.arange(n)
    if n * n * width > OPERATIONS:
        most = max(int(OPERATIONS / (n * width)), 64)
        # Rows of the test set first: their kin flatter the last score.
        lot = np.random.default_rng([view.seed, 3]).permutation(n)
        asked = np.sort(lot[np.argsort(-held[lot, 0], kind="stable")][:most])
        if len(asked) < n:
            sampled.append(f"{check}: {len(asked):,} of {n:,} distinct rows against all")
    kin = np.zeros(present.shape, bool)
    told: list[tuple[np.intp, np.intp]] = []
    for start in range(0, len(asked), _BLOCK):
        block = asked[start : start + _BLOCK]
        alike = near(block)
        alike[np.arange(len(block)), block] = False
        if not alike.any():
            continue
        kin[cluster[rows[block]]] = alike.astype(np.float32) @ held > 0
        for place in np.flatnonzero(alike.any(axis=1)):
            if len(told) == 3:
                break
            a = rows[block[place]]
            for b in rows[np.flatnonzero(alike[place])]:
                if view.part[a] != view.part[b] and (a, b) not in told and (b, a) not in told:
                    told.append((a, b))
                    break
    in_test, in_folds = across(view, kin, cluster)
    if not (in_test | in_folds).any():
        return None
    pairs = [f"{view.name(int(a))} ~ {view.name(int(b))}" for a, b in told]
    return in_test, in_folds, some(pairs)
