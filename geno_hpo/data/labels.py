"""Label columns → `Target`: which class is positive, what is missing, what is refused.

``read_labels`` reads the id, target and group columns of a table; ``build_target`` turns the
target columns' text into values ``(samples, outputs)`` float32 with NaN for a missing label.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Target, Task
from geno_hpo.data.tables import Layout, find_columns, is_missing, open_table
from geno_hpo.errors import DataError

__all__ = ["Labels", "build_target", "read_labels"]

# Words that name the positive class, when exactly one of the two labels is among them.
_POSITIVE = frozenset(
    {"1", "1.0", "r", "resistant", "case", "true", "t", "yes", "y", "positive", "pos", "+"}
)


@dataclass(frozen=True)
class Labels:
    """The wanted columns of a table, as text.

    Parameters
    ----------
    path
        The file, for messages.
    ids
        Sample ids in file order, unique.
    lines
        Line of each sample in the file, from 1.
    targets
        Cells of each target column, by name.
    groups
        Cells of each group column, by name.
    """

    path: Path
    ids: tuple[str, ...]
    lines: tuple[int, ...]
    targets: dict[str, list[str]]
    groups: dict[str, list[str]]

    def take(self, places: Sequence[int]) -> Labels:
        """Take the samples at these places, in this order."""
        return Labels(
            path=self.path,
            ids=tuple(self.ids[i] for i in places),
            lines=tuple(self.lines[i] for i in places),
            targets={name: [cells[i] for i in places] for name, cells in self.targets.items()},
            groups={name: [cells[i] for i in places] for name, cells in self.groups.items()},
        )

    def group_arrays(self) -> dict[str, NDArray[np.str_]]:
        """Give the groups as `Dataset.groups` holds them.

        Raises
        ------
        DataError
            A sample without a group.
        """
        for name, cells in self.groups.items():
            for line, sample, cell in zip(self.lines, self.ids, cells, strict=True):
                if is_missing(cell):
                    raise DataError(
                        f"sample {sample!r} has no value in group column {name!r} "
                        f"({self.path}:{line})"
                    )
        return {name: np.array(cells, dtype=np.str_) for name, cells in self.groups.items()}


def read_labels(
    path: Path,
    *,
    id_column: str | None,
    targets: Sequence[str],
    groups: Sequence[str] = (),
    layout: Layout = Layout(),  # noqa: B008
) -> Labels:
    """Read the id, target and group columns of a text table.

    Parameters
    ----------
    path
        The file.
    id_column
        Column of sample ids; None for the first.
    targets, groups
        Column names.
    layout
        How the table is written; by default with a header and a column of ids.

    Raises
    ------
    DataError
        File or column missing, no rows, a row without an id, or an id given twice.
    """
    with open_table(path, "labels", layout) as table:
        (key,) = find_columns(table, [id_column or table.columns[0]], "id")
        places = find_columns(table, targets, "target")
        group_places = find_columns(table, groups, "group")
        first: dict[str, int] = {}
        kept: list[list[str]] = []
        for line, cells in table.rows:
            sample = cells[key].strip()
            if not sample:
                raise DataError(f"a row without a sample id ({path}:{line})")
            if sample in first:
                raise DataError(
                    f"sample id {sample!r} stands twice in {path}: lines {first[sample]} and {line}"
                )
            first[sample] = line
            kept.append([cells[place].strip() for place in (*places, *group_places)])
    if not kept:
        raise DataError(f"labels file {path} has a header and no rows")
    columns = [list(column) for column in zip(*kept, strict=True)] or []
    return Labels(
        path=path,
        ids=tuple(first),
        lines=tuple(first.values()),
        targets=dict(zip(targets, columns, strict=False)),
        groups=dict(zip(groups, columns[len(places) :], strict=True)),
    )


def build_target(labels: Labels, *, task: Task, positive: str | None) -> tuple[Target, list[str]]:
    """Turn the target columns into numbers.

    Parameters
    ----------
    labels
        What `read_labels` read, of the samples of the data set.
    task
        ``binary`` and ``multiclass`` take one column, ``multilabel`` and ``regression`` one
        or more.
    positive
        The label of the positive class. Without it, the one of the two labels that is 1, R,
        resistant, case, true, yes or positive.

    Returns
    -------
    tuple
        The target, and notes that count the classes and the missing labels.

    Raises
    ------
    DataError
        One class only, more than two for a binary target, a positive class that is not among
        the labels or cannot be told, text or an infinite number in a trait.
    """
    names = tuple(labels.targets)
    if task in ("binary", "multiclass") and len(names) != 1:
        raise DataError(f"a {task} study has one target column, got {len(names)}: {list(names)}")
    classes: tuple[str, ...] = ()
    notes: list[str] = []
    columns = []
    for name in names:
        cells = labels.targets[name]
        if task == "regression":
            columns.append(_numbers(labels, name))
        else:
            ordered = _classes(labels, name)
            if task != "multiclass":
                ordered = _negative_positive(labels, name, ordered, positive)
            index = {label: float(place) for place, label in enumerate(ordered)}
            columns.append([index.get(cell, math.nan) for cell in cells])
            counts = Counter(cells)
            shown = ", ".join(f"{label} ({counts[label]})" for label in ordered)
            notes.append(f"target {name}: {shown}" if len(ordered) <= 12 else f"target {name}")
            classes = ordered if task in ("binary", "multiclass") else ()
        missing = sum(map(math.isnan, columns[-1]))
        if missing:
            notes.append(f"target {name}: {missing} samples without a label")
    values = np.array(columns, dtype=np.float32).T
    return Target(task=task, values=np.ascontiguousarray(values), names=names, classes=classes), (
        notes
    )


def _numbers(labels: Labels, name: str) -> list[float]:
    values = []
    for line, sample, cell in zip(labels.lines, labels.ids, labels.targets[name], strict=True):
        place = f"of sample {sample!r} in column {name!r} ({labels.path}:{line})"
        try:
            value = math.nan if is_missing(cell) else float(cell)
        except ValueError:
            raise DataError(f"a regression target is a number, got {cell!r} {place}") from None
        if math.isinf(value):
            raise DataError(f"a regression target is finite, got {cell!r} {place}")
        values.append(value)
    known = {value for value in values if not math.isnan(value)}
    if len(known) < 2:
        raise DataError(
            f"target {name!r} in {labels.path} has {len(known)} different values: "
            "a regression study needs two"
        )
    return values


def _classes(labels: Labels, name: str) -> tuple[str, ...]:
    """Classes of a column, in number order when all are numbers, else alphabetical."""
    found = {cell for cell in labels.targets[name] if not is_missing(cell)}
    if len(found) < 2:
        shown = f"only class {next(iter(found))!r}" if found else "no label"
        raise DataError(
            f"target {name!r} in {labels.path} has one class only: {shown} in "
            f"{len(labels.ids)} samples; a study needs two"
        )
    try:
        return tuple(sorted(found, key=float))
    except ValueError:
        return tuple(sorted(found))


def _negative_positive(
    labels: Labels, name: str, found: tuple[str, ...], positive: str | None
) -> tuple[str, str]:
    listed = ", ".join(found[:12])
    if len(found) > 2:
        raise DataError(
            f"target {name!r} in {labels.path} has {len(found)} labels where two are wanted: "
            f"{listed}; task multiclass takes more"
        )
    if positive is None:
        likely = [label for label in found if label.lower() in _POSITIVE]
        if len(likely) != 1 or set(found) == {"1", "2"}:
            raise DataError(
                f"target {name!r} in {labels.path} has the labels {listed}: "
                "say in `positive` which one is the positive class"
            )
        (positive,) = likely
    elif positive not in found:
        raise DataError(
            f"the positive class {positive!r} is no label of target {name!r} in "
            f"{labels.path}; its labels are {listed}"
        )
    first, second = found
    return (second, first) if positive == first else (first, second)
