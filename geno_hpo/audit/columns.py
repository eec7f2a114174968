"""Single columns: constant ones, ones that give the label away, and calls that are missing.

Associations are looked at in the development part only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from geno_hpo.audit.finding import Finding, some
from geno_hpo.audit.view import Ints, View
from geno_hpo.data.mapped import row_blocks

__all__ = ["constant_columns", "deciding_columns", "missing_calls", "varying_columns"]

Floats = NDArray[np.float64]

_DECIDES = 0.98  # correlation with the label from which a column is a copy of it
_MISSING_TELLS = 0.5  # the same for whether a call is missing
_LEAST = 8  # samples that carry a state, and that do not, before it is looked at
_BLOCK = 4096
_BLOCK_CELLS = 8 * 2**20  # codes that are held as floats at once
_CELLS = 150_000_000  # codes that are looked at for associations


def varying_columns(codes: NDArray[np.int8]) -> Ints:
    """Columns in which called codes differ."""
    low = np.full(codes.shape[1], 255, np.uint8)
    high = np.full(codes.shape[1], -1, np.int8)
    for block in row_blocks(codes):
        np.minimum(low, block.view(np.uint8).min(axis=0), out=low)  # -1 is 255 there
        np.maximum(high, block.max(axis=0), out=high)
    return np.flatnonzero(high > low.astype(np.int16))


def constant_columns(view: View, varying: Ints) -> Iterator[Finding]:
    """Count columns that are the same in all samples."""
    constant = view.dataset.features - len(varying)
    if not constant:
        return
    what = "positions" if view.dataset.kind == "sequence" else "variants"
    keeps = np.ones(view.dataset.features, bool)
    keeps[varying] = False
    yield Finding(
        check="constant columns",
        severity="note",
        what=f"{constant:,} of {view.dataset.features:,} {what} are the same in all samples",
        count=constant,
        examples=some([view.dataset.axis[column] for column in np.flatnonzero(keeps)[:3]]),
        advice=(
            "" if view.dataset.kind == "sequence" else "They carry nothing; they may be left out"
        ),
    )


def deciding_columns(view: View, varying: Ints, sampled: list[str]) -> Iterator[Finding]:
    """Find columns that give the label away alone, and calls whose absence does."""
    development = view.split.development
    most = max(_CELLS // len(development), 1)
    if len(varying) > most:
        sampled.append(f"single columns: {most:,} of {len(varying):,} that vary")
        drawn = np.random.default_rng([view.seed, 4]).choice(varying, most, replace=False)
        varying = np.sort(drawn)
    names = [name for name, _ in view.labels]
    values = np.stack([column for _, column in view.labels], axis=1)
    value, absence = _strongest(view, varying, development, values)
    alone = np.flatnonzero((value >= _DECIDES).any(axis=1))
    if len(alone):
        best = value[alone].argmax(axis=1)
        yield Finding(
            check="deciding columns",
            severity="serious",
            what=(
                f"{len(alone):,} single columns give a label away alone (correlation of at least "
                f"{_DECIDES})"
            ),
            count=len(alone),
            examples=some(
                [
                    f"{view.dataset.axis[varying[place]]} → {names[output]} "
                    f"({value[place, output]:.3f})"
                    for place, output in zip(alone[:3], best[:3], strict=True)
                ]
            ),
            advice=(
                "See that they are no copy of the label and could be known before it; else leave "
                "them out"
            ),
        )
    absent = np.flatnonzero((absence >= _MISSING_TELLS).any(axis=1))
    if len(absent):
        yield Finding(
            check="missing calls",
            severity="warning",
            what=(
                f"whether a call is missing tells a label in {len(absent):,} columns (correlation "
                f"of at least {_MISSING_TELLS})"
            ),
            count=len(absent),
            examples=some([view.dataset.axis[varying[place]] for place in absent[:3]]),
            advice="Classes were perhaps typed or sequenced differently; leave these columns out",
        )


def _strongest(view: View, columns: Ints, rows: Ints, values: Floats) -> tuple[Floats, Floats]:
    """Strongest correlation of a state of each column, and of its absence, with each output.

    Both are ``(columns, outputs)`` in [0, 1].
    """
    known = np.isfinite(values)
    total = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, values, 0).sum(axis=0) / total
    centred = np.where(known, values - mean, 0).astype(np.float32)
    spread = np.sqrt((centred.astype(np.float64) ** 2).sum(axis=0) / total)
    mask = known.astype(np.float32)
    value = np.zeros((len(columns), values.shape[1]))
    absence = np.zeros_like(value)
    step = max(1, min(_BLOCK, _BLOCK_CELLS // len(rows)))
    for start in range(0, len(columns), step):
        codes = view.dataset.codes[np.ix_(rows, columns[start : start + step])]
        here = slice(start, start + codes.shape[1])
        for state in range(int(codes.min()), int(codes.max()) + 1):
            marked = (codes == state).astype(np.float32)
            strength = _correlation(marked, None, centred, mask, spread, total)
            into = absence if state < 0 else value
            into[here] = np.maximum(into[here], strength)
        if view.dataset.kind == "variants":
            dosage = np.where(codes < 0, 0, codes).astype(np.float32)
            strength = _correlation(dosage, dosage**2, centred, mask, spread, total)
            value[here] = np.maximum(value[here], strength)
    return value, absence


def _correlation(
    marked: NDArray[np.float32],
    squared: NDArray[np.float32] | None,
    centred: NDArray[np.float32],
    mask: NDArray[np.float32],
    spread: Floats,
    total: NDArray[np.intp],
) -> Floats:
    """Absolute correlations ``(columns, outputs)``, zero for a state too rare or too common.

    `squared` is None for marks of 0 and 1, which are their own squares.
    """
    carried = (marked.T @ mask).astype(np.float64)
    if squared is None:
        variance = carried / total - (carried / total) ** 2
        enough = np.minimum(carried, total - carried) >= _LEAST
    else:
        variance = (squared.T @ mask) / total - (carried / total) ** 2
        enough = variance * total >= _LEAST
    scale = np.sqrt(np.maximum(variance, 1e-12)) * np.maximum(spread, 1e-12)
    found: Floats = np.where(enough, np.abs(marked.T @ centred / total) / scale, 0.0)
    return np.minimum(found, 1.0)


def missing_calls(view: View) -> Iterator[Finding]:
    """Tell whether the number of missing calls of a sample goes along with its label."""
    blocks = row_blocks(view.dataset.codes)
    counts = [np.count_nonzero(block < 0, axis=1) for block in blocks]
    missing = np.concatenate(counts)[view.split.development]
    if not missing.any():
        return
    told: list[tuple[float, str]] = []
    for name, values in view.labels:
        known = np.isfinite(values)
        if known.sum() < 3 or np.ptp(values[known]) == 0 or np.ptp(missing[known]) == 0:
            continue
        along = float(np.corrcoef(_ranks(missing[known]), _ranks(values[known]))[0, 1])
        if abs(along) * np.sqrt(known.sum()) >= 5 and abs(along) >= 0.1:
            more = "more" if along > 0 else "fewer"
            told.append((abs(along), f"{name}: {more} missing calls go with it ({along:+.2f})"))
    if not told:
        return
    told.sort(reverse=True)
    yield Finding(
        check="missing calls",
        severity="serious" if told[0][0] >= 0.5 else "warning",
        what=(
            f"the number of a sample's missing calls tells its label (rank correlation "
            f"{told[0][0]:.2f}; {missing.mean():.1f} missing calls a sample)"
        ),
        count=int((missing > 0).sum()),
        examples=some([shown for _, shown in told]),
        advice=(
            "Classes were perhaps typed or sequenced differently: compare batches, filter by "
            "call rate, or split by batch: `split: {group: COLUMN}`"
        ),
    )


def _ranks(values: NDArray[np.float64] | NDArray[np.intp]) -> Floats:
    """Ranks ``(n,)``, those of equal values their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Floats = (last - (counts - 1) / 2)[place]
    return ranks
