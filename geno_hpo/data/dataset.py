"""The frozen `Dataset` every reader gives: integer codes, ids, targets, groups, origin.

Shapes: ``codes`` is ``(samples, positions)`` int8 for sequences (the codes of
`geno_hpo.encoding`) and ``(samples, variants)`` int8 dosages for variants; a target's values
are ``(samples, outputs)`` float32 with NaN for a missing label.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.mapped import row_blocks, take_rows
from geno_hpo.encoding import AMBIGUOUS, GAP
from geno_hpo.errors import DataError

__all__ = ["Dataset", "Locus", "Origin", "Target", "Truth"]

Kind = Literal["sequence", "variants"]
Task = Literal["binary", "multiclass", "multilabel", "regression"]


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Parameters
    ----------
    task
        ``binary``, ``multiclass``, ``multilabel`` or ``regression``.
    values
        ``(samples, outputs)`` float32. Binary and multilabel hold 0/1, multiclass holds the
        class index in one column, regression the trait. NaN where the label is missing.
    names
        One name an output column (the drug, the trait).
    classes
        Names of the classes: two for binary (index 1 is the positive one), all for multiclass,
        empty for multilabel and regression.
    counts
        Whether the values of a regression are counts, whose expectation models tell by a log link.

    Raises
    ------
    DataError
        Shapes or values that break the rules above.
    """

    task: Task
    values: NDArray[np.float32]
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    counts: bool = False

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.names):
            raise DataError(
                f"target values must be (samples, {len(self.names)}), got {self.values.shape}"
            )
        if np.isinf(self.values).any():
            raise DataError(f"target {', '.join(self.names)} holds infinite values")
        known = self.values[~np.isnan(self.values)]
        if self.task == "binary" and len(self.classes) != 2:
            raise DataError(f"a binary target has two classes, got {list(self.classes)}")
        if self.task in ("binary", "multilabel") and not np.isin(known, (0.0, 1.0)).all():
            raise DataError(f"a {self.task} target holds 0 and 1, got {np.unique(known)[:5]}")
        if self.task in ("binary", "multiclass", "multilabel"):
            for column, name in enumerate(self.names):
                labels = np.unique(self.values[:, column])
                if np.sum(~np.isnan(labels)) < 2:
                    raise DataError(
                        f"target {name!r} has one class only: a {self.task} study needs two"
                    )

    @property
    def units(self) -> int:
        """Width of the model's output layer."""
        return len(self.classes) if self.task == "multiclass" else len(self.names)

    def take(self, samples: NDArray[np.intp]) -> NDArray[np.float32]:
        """Values of these samples, ``(len(samples), outputs)``."""
        return self.values[samples]


@dataclass(frozen=True)
class Locus:
    """A stretch of the position axis that belongs to one gene or region.

    Parameters
    ----------
    name
        Gene or region, such as ``katG``.
    start, stop
        Half-open, 0-based columns of the dataset's position axis.
    genome
        For each column the 0-based genome position, −1 for columns without one (insertions).
        Empty when the locus has no genome.
    strand
        ``+`` or ``-``: the strand whose sequence the columns show, read 5′ to 3′.
    coding
        First column of the reading frame relative to `start`, or −1 when not coding.
    """

    name: str
    start: int
    stop: int
    genome: tuple[int, ...] = ()
    strand: Literal["+", "-"] = "+"
    coding: int = -1


@dataclass(frozen=True)
class Truth:
    """What a simulation knows: the causal positions (or variants) and the best possible score.

    Parameters
    ----------
    positions
        0-based columns of `Dataset.codes` that cause the target.
    oracle
        Score of a predictor that knows the causal states, by metric name, e.g. ``{"auc": .96}``;
        with several outputs their mean.
    outputs
        The same for each output by its name, where there are several.
    motifs
        Motifs that were planted, letters by name.
    copies
        ``(sample, start, stop)`` of every planted copy of a motif: half-open columns.
    scores
        ``(samples, outputs)`` float32: what that predictor ranks samples by, where it is kept.
    """

    positions: tuple[int, ...]
    oracle: dict[str, float]
    outputs: dict[str, dict[str, float]] = field(default_factory=dict)
    motifs: dict[str, str] = field(default_factory=dict)
    copies: tuple[tuple[int, int, int], ...] = ()
    scores: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)

    def taking(self, samples: NDArray[np.intp]) -> Truth:
        """The truth of these samples, numbered anew."""
        place = {int(old): new for new, old in enumerate(samples)}
        kept = ((place[i], start, stop) for i, start, stop in self.copies if i in place)
        scores = None if self.scores is None else self.scores[samples]
        return replace(self, copies=tuple(kept), scores=scores)


@dataclass(frozen=True)
class Origin:
    """Where a dataset comes from, for logs, tags and the report."""

    source: str
    simulated: bool = False
    licence: str = ""
    citation: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """Samples, codes and labels; a value that exists is valid.

    Parameters
    ----------
    name
        Name of the data set.
    kind
        ``sequence`` (codes of `geno_hpo.encoding`) or ``variants`` (allele dosages).
    ids
        Sample ids, unique.
    codes
        ``(samples, positions)`` int8. Sequences: A C G T = 0 1 2 3, gap = 4, unknown = −1, and
        IUPAC codes from 5 to 14 where they are kept (`geno_hpo.encoding`).
        Variants: dosage 0, 1, 2 of the counted allele, −1 = not called.
    axis
        Name of each column of `codes` (``katG:315.2``, ``rs123``).
    target
        Labels.
    groups
        Named grouping of the samples, each ``(samples,)`` of strings (lineage, family).
    loci
        For sequences: the stretches of the axis, in order; empty when there are none.
    origin
        Where it comes from.
    truth
        What a simulation knows, else None.
    """

    name: str
    kind: Kind
    ids: tuple[str, ...]
    codes: NDArray[np.int8]
    axis: tuple[str, ...]
    target: Target
    origin: Origin
    groups: dict[str, NDArray[np.str_]] = field(default_factory=dict)
    loci: tuple[Locus, ...] = ()
    truth: Truth | None = None

    def __post_init__(self) -> None:
        if self.codes.dtype != np.int8 or self.codes.ndim != 2:
            raise DataError(f"codes must be 2-d int8, got {self.codes.ndim}-d {self.codes.dtype}")
        samples, columns = self.codes.shape
        if samples == 0 or columns == 0:
            raise DataError(f"data set {self.name!r} is empty: {samples} samples × {columns}")
        for what, length, wanted in (
            ("ids", len(self.ids), samples),
            ("target values", len(self.target.values), samples),
            ("axis names", len(self.axis), columns),
            *((f"group {name!r}", len(group), samples) for name, group in self.groups.items()),
        ):
            if length != wanted:
                raise DataError(f"data set {self.name!r}: {length} {what} for {wanted}")
        if len(set(self.ids)) != samples:
            raise DataError(f"data set {self.name!r}: sample ids must be unique")
        low, high = int(self.codes.min()), int(self.codes.max())
        ceiling = GAP + len(AMBIGUOUS) if self.kind == "sequence" else 2
        if low < -1 or high > ceiling:
            raise DataError(
                f"data set {self.name!r}: {self.kind} codes lie in [-1, {ceiling}], "
                f"got [{low}, {high}]"
            )

    @property
    def samples(self) -> int:
        """Number of samples."""
        return int(self.codes.shape[0])

    @property
    def features(self) -> int:
        """Number of positions or variants."""
        return int(self.codes.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) over ids, codes, axis and target."""
        digest = hashlib.sha256()
        head = [self.kind, self.ids, self.axis, self.target.task, self.target.names]
        last = [self.target.classes, *(["counts"] if self.target.counts else [])]
        digest.update(json.dumps([*head, *last]).encode())
        for rows in row_blocks(self.codes):
            digest.update(rows.data)
        digest.update(np.ascontiguousarray(self.target.values).tobytes())
        return digest.hexdigest()[:16]

    def labelled(self) -> Dataset:
        """The samples that have at least one label; those without are of no use to a study."""
        keep = ~np.isnan(self.target.values).all(axis=1)
        if keep.all():
            return self
        where = np.flatnonzero(keep)
        note = f"{int((~keep).sum())} samples without a label left out"
        return replace(
            self,
            ids=tuple(self.ids[i] for i in where),
            codes=take_rows(self.codes, where),
            target=replace(self.target, values=self.target.values[where]),
            groups={name: group[where] for name, group in self.groups.items()},
            origin=replace(self.origin, notes=(*self.origin.notes, note)),
            truth=None if self.truth is None else self.truth.taking(where),
        )

    def counting(self) -> Dataset:
        """The same data, whose target are counts.

        Raises
        ------
        DataError
            A negative value, or an output without a single count above 0.
        """
        values = self.target.values
        for column, name in enumerate(self.target.names):
            below = np.flatnonzero(values[:, column] < 0)
            if len(below):
                first = below[0]
                raise DataError(
                    f"loss: poisson needs counts, at least 0, got {values[first, column]:g} for "
                    f"{name!r} of sample {self.ids[first]!r} ({len(below)} samples are below 0)"
                )
            if not np.nansum(values[:, column]) > 0:
                raise DataError(f"loss: poisson needs a count above 0, {name!r} has none")
        return replace(self, target=replace(self.target, counts=True))

    def noting(self, note: str) -> Dataset:
        """The same data with one more note on their origin; an empty note adds nothing."""
        if not note:
            return self
        return replace(self, origin=replace(self.origin, notes=(*self.origin.notes, note)))
