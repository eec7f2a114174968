"""A split as a table: which part each sample is in.

Columns: ``id``, ``part``, and for every further repeat ``repeat_2``, ``repeat_3`` …; ``group``
where groups were kept together. A part is ``test``, ``train`` (never validates), or any other
text, which names a fold. The test set is the same in every repeat.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.data.tables import find_columns, open_table
from geno_hpo.errors import InputError
from geno_hpo.splits.checks import check_classes
from geno_hpo.splits.split import Indices, Split, from_parts

__all__ = ["read_split", "write_split"]

TEST, TRAIN = "test", "train"
SHOWN = 5


def write_split(path: Path, split: Split, ids: Sequence[str]) -> None:
    """Write the parts of `split`, one row a sample in the dataset's order.

    Parameters
    ----------
    path
        File to write; its folder is made.
    split
        What to write.
    ids
        ``(samples,)`` ids of the dataset.
    """
    names = {-1: TEST, -2: TRAIN}
    columns = [
        [names.get(part, str(part + 1)) for part in split.parts(len(ids), repeat).tolist()]
        for repeat in range(len(split.rounds))
    ]
    head = ["id", "part", *(f"repeat_{i}" for i in range(2, len(columns) + 1))]
    if split.groups is not None:
        columns.append([str(name) for name in split.groups])
        head.append("group")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(zip(ids, *columns, strict=True))


def read_split(path: Path, dataset: Dataset, seed: int) -> Split:
    """Read a split file and join it to the dataset by id.

    Parameters
    ----------
    path
        A table as above.
    dataset
        Its samples must be the file's, in any order.
    seed
        The study's seed, kept with the split.

    Raises
    ------
    InputError
        Ids twice, missing or unknown, samples without a part, no test part or no fold, test sets
        that differ between repeats, or a part in which a class is missing.
    DataError
        A file that is no such table.
    """
    with open_table(path, "split") as table:
        repeats = [name for name in table.columns if name.startswith("repeat_")]
        names = ["id", "part", *repeats, *(["group"] if "group" in table.columns else [])]
        places = find_columns(table, names, "split")
        rows = [[cells[place].strip() for place in places] for _, cells in table.rows]
    _check_ids(path, [row[0] for row in rows], dataset.ids)
    place_of = {row[0]: row for row in rows}
    cells = np.array([place_of[name] for name in dataset.ids], dtype=np.str_)
    groups = cells[:, -1] if names[-1] == "group" else None
    columns = [cells[:, 1 + repeat] for repeat in range(len(repeats) + 1)]
    sealed = columns[0] == TEST
    parts: list[Indices] = []
    for name, column in zip(names[1:], columns, strict=False):
        if empty := int((column == "").sum()):
            raise InputError(f"{path}: {empty} samples have no {name}")
        if not np.array_equal(column == TEST, sealed):
            raise InputError(f"{path}: {name} must hold the test samples that part holds")
        folds = _fold_names(column)
        if not sealed.any() or not folds:
            lacks = "test samples" if folds else "validation folds"
            raise InputError(f"{path}: {name} names no {lacks}, it needs test and one fold or more")
        parts += [np.flatnonzero(column == fold) for fold in folds]
    rest = np.flatnonzero(~sealed)
    split = from_parts(rest, np.flatnonzero(sealed), parts, seed, groups=groups)
    check_classes(split, dataset.target, "file")
    return split


def _fold_names(column: NDArray[np.str_]) -> list[str]:
    """Names of the folds, by number where all are numbers."""
    names = [str(name) for name in np.unique(column) if name not in (TEST, TRAIN)]
    return sorted(names, key=int) if all(name.isdecimal() for name in names) else names


def _check_ids(path: Path, given: Sequence[str], wanted: Sequence[str]) -> None:
    """Refuse ids that are not the dataset's, all faults at once.

    Raises
    ------
    InputError
        Counts and first names of what is twice, missing or unknown.
    """
    known, held = set(wanted), set(given)
    twice = [name for name, times in Counter(given).items() if times > 1]
    missing = [name for name in wanted if name not in held]
    extra = [name for name in dict.fromkeys(given) if name not in known]
    faults = [
        f"{len(names)} {what} ({_first(names)})"
        for what, names in (
            ("ids are given twice", twice),
            ("samples of the data are missing", missing),
            ("ids are not in the data (or have no label)", extra),
        )
        if names
    ]
    if faults:
        raise InputError(f"{path} must name every sample once: {'; '.join(faults)}")


def _first(names: Collection[str]) -> str:
    shown = list(names)[:SHOWN]
    return ", ".join(shown) + (" …" if len(names) > SHOWN else "")
