"""Two catalogue sets in bare text files without header or ids: wheat599 and primer."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.dataset import Dataset, Origin, Target, Task, Truth
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError, InputError

__all__ = ["read_primer", "read_wheat599"]

_ENVIRONMENTS = ("e1", "e2", "e3", "e4")
_PRIMER_MOTIF = "CGACCGAACTCC"  # as its authors planted it


def _numbers(path: Path, what: str) -> NDArray[np.float32]:
    """Read a table of numbers between spaces, ``(rows, columns)``."""
    require_file(path, what)
    try:
        table = np.loadtxt(path, dtype=np.float32, ndmin=2)
    except ValueError as error:
        raise DataError(f"{path} is no table of numbers: {error}") from error
    if not np.isfinite(table).all():
        row, column = np.argwhere(~np.isfinite(table))[0] + 1
        raise DataError(f"{path} has a value that is not finite (row {row}, column {column})")
    return table


def read_wheat599(folder: Path, *, target: Sequence[str], task: Task) -> Dataset:
    """Read the wheat lines: DArT markers 0/1 ``(599, 1279)`` and yield in environments.

    Parameters
    ----------
    folder
        Holds ``wheat.X`` and ``wheat.Y``; line i of both is the same wheat line. And
        ``wheat.RData``, whose ``wheat.sets`` are the published folds: the group
        ``published_fold``.
    target
        Environments, of ``e1`` to ``e4``.
    task
        ``regression``.

    Raises
    ------
    InputError
        Another task, or an unknown environment.
    DataError
        Files that are not what they should be.
    """
    if task != "regression":
        raise InputError(f"wheat599 is a regression task, got {task}")
    for name in target:
        if name not in _ENVIRONMENTS:
            near = get_close_matches(name, _ENVIRONMENTS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise InputError(
                f"wheat599 has no target {name!r}{hint} (it has {', '.join(_ENVIRONMENTS)})"
            )
    markers = _numbers(folder / "wheat.X", "markers")
    traits = _numbers(folder / "wheat.Y", "traits")
    if not np.isin(markers, (0.0, 1.0)).all():
        raise DataError(f"{folder / 'wheat.X'}: a DArT marker is 0 or 1")
    if traits.shape != (len(markers), len(_ENVIRONMENTS)):
        raise DataError(
            f"{folder / 'wheat.Y'} should have {len(markers)} rows and {len(_ENVIRONMENTS)} "
            f"columns, got {traits.shape[0]} and {traits.shape[1]}"
        )
    return Dataset(
        name="wheat599",
        kind="variants",
        ids=tuple(f"line{row + 1:03d}" for row in range(len(markers))),
        codes=markers.astype(np.int8),
        axis=tuple(f"dart{column + 1:04d}" for column in range(markers.shape[1])),
        target=Target(
            task=task,
            values=traits[:, [_ENVIRONMENTS.index(name) for name in target]],
            names=tuple(target),
        ),
        groups={"published_fold": _published_folds(folder / "wheat.RData", len(markers))},
        origin=Origin(source="wheat.X, wheat.Y, wheat.RData"),
    )


def _published_folds(path: Path, lines: int) -> NDArray[np.str_]:
    """Fold of each wheat line, ``(lines,)``: fold01 to fold10."""
    import rdata

    require_file(path, "published folds")
    try:
        held = rdata.conversion.convert(rdata.parser.parse_file(path), default_encoding="utf-8")
        folds = np.asarray(held["wheat.sets"])
    except (ValueError, KeyError, EOFError, NotImplementedError) as error:
        raise DataError(f"{path} holds no wheat.sets that can be read: {error}") from error
    if folds.shape != (lines,):
        raise DataError(f"{path}: wheat.sets has {folds.shape} folds for {lines} wheat lines")
    return np.array([f"fold{int(fold):02d}" for fold in folds])


def read_primer(folder: Path) -> Dataset:
    """Read the primer's sequences ``(2000, 50)``: line i of both files is one sequence.

    Its truth holds where the published motif stands, letter by letter; whoever looks for it tells
    every label, so the oracle's scores are perfect.

    Raises
    ------
    DataError
        Files that are not what they should be.
    """
    require_file(folder / "sequences.txt", "sequences")
    texts = (folder / "sequences.txt").read_text().split()
    labels = _numbers(folder / "labels.txt", "labels")
    if labels.shape != (len(texts), 1):
        raise DataError(f"{folder}: {len(texts)} sequences and {len(labels)} labels")
    ids = tuple(f"sequence{row + 1:04d}" for row in range(len(texts)))
    codes = encoding.encode_alignment(texts, ids, gaps=False).codes
    width = len(_PRIMER_MOTIF)
    found = [
        (row, place, place + width)
        for row, text in enumerate(texts)
        if (place := text.upper().find(_PRIMER_MOTIF)) >= 0
    ]
    if {row for row, _, _ in found} != set(np.flatnonzero(labels[:, 0] == 1).tolist()):
        raise DataError(
            f"{folder}: the motif {_PRIMER_MOTIF} should stand in the sequences labelled 1 and in "
            f"no others; it stands in {len(found)}, and {int(labels.sum())} are labelled 1"
        )
    return Dataset(
        name="primer",
        kind="sequence",
        ids=ids,
        codes=codes,
        axis=tuple(str(position + 1) for position in range(codes.shape[1])),
        target=Target(
            task="binary", values=labels, names=("motif",), classes=("absent", "present")
        ),
        origin=Origin(
            source="sequences.txt, labels.txt",
            notes=(f"the motif {_PRIMER_MOTIF} stands in {len(found)} of {len(texts)} sequences",),
        ),
        truth=Truth(
            tuple(range(codes.shape[1])),
            {"auc": 1.0, "accuracy": 1.0},
            motifs={"planted motif": _PRIMER_MOTIF},
            copies=tuple(found),
        ),
    )
