"""Two catalogue sets of sequences: chromatin_sim4 (label<TAB>sequence) and tfbs_chipseq (FASTA)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from geno_hpo.data.dataset import Dataset, Origin, Target, Task
from geno_hpo.data.sequences import Form, read_sequences
from geno_hpo.errors import InputError

__all__ = ["read_chromatin", "read_tfbs"]

_PARTS = ("test", "valid")


def read_chromatin(folder: Path, *, target: Sequence[str], task: Task) -> Dataset:
    """Read both parts of chromatin_sim4, ``(2000, 200)``, 4 classes.

    Raises
    ------
    InputError
        Another target than ``class``, or another task than multiclass.
    DataError
        Files that are not what they should be.
    """
    if tuple(target) != ("class",) or task != "multiclass":
        raise InputError(
            f"data set 'chromatin_sim4' has one target, class (multiclass), got "
            f"{', '.join(target)} ({task})"
        )
    return _joined(
        "chromatin_sim4",
        [
            read_sequences(
                folder / f"pwm_seq_200bp_{part}_set.txt",
                None,
                target=target,
                task=task,
                form=Form("labelled"),
            )
            for part in _PARTS
        ],
    )


def read_tfbs(folder: Path) -> Dataset:
    """Read both parts of tfbs_chipseq, ``(20544, 101)``; positive class ``bound``.

    The first column of a target file is 1 for a bound sequence, the second for a shuffled one.
    Ids are the FASTA ids after ``test:`` or ``valid:``.

    Raises
    ------
    DataError
        Files that are not what they should be.
    """
    parts = []
    for part in _PARTS:
        read = read_sequences(
            folder / f"{part}.fa",
            folder / f"{part}.target",
            target=["bound"],
            task="binary",
            positive="column1",
            form=Form("fasta", "order"),
        )
        told = tuple(
            note.replace("column1", "bound").replace("column2", "shuffled")
            for note in read.origin.notes
        )
        parts.append(
            replace(
                read,
                target=replace(read.target, classes=("shuffled", "bound")),
                origin=replace(read.origin, notes=told),
            )
        )
    return _joined("tfbs_chipseq", parts)


def _joined(name: str, parts: Sequence[Dataset]) -> Dataset:
    """Put parts of the same kind one under another; ids begin with the part's name."""
    first = parts[0]
    values = np.concatenate([part.target.values for part in parts])
    return Dataset(
        name=name,
        kind="sequence",
        ids=tuple(
            f"{label}:{each}"
            for label, part in zip(_PARTS, parts, strict=True)
            for each in part.ids
        ),
        codes=np.concatenate([part.codes for part in parts]),
        axis=first.axis,
        target=Target(first.target.task, values, first.target.names, first.target.classes),
        origin=Origin(
            source=", ".join(part.origin.source for part in parts),
            notes=tuple(
                f"{label}: {note}"
                for label, part in zip(_PARTS, parts, strict=True)
                for note in part.origin.notes
            ),
        ),
    )
