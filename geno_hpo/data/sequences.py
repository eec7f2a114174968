"""Sequences of any format and their labels → `Dataset` of codes ``(samples, positions)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Locus, Origin, Task
from geno_hpo.data.labels import Labels, build_target, read_labels
from geno_hpo.data.sequence_codes import LetterCounts, encode_locus
from geno_hpo.data.sequence_files import Form, open_texts
from geno_hpo.data.sequence_lines import read_label_lines
from geno_hpo.data.texts import Texts, join_loci, some
from geno_hpo.errors import DataError

__all__ = ["read_sequences"]


def read_sequences(
    sequences: Path,
    labels: Path | None,
    *,
    target: Sequence[str],
    task: Task,
    positive: str | None = None,
    id_column: str | None = None,
    groups: Sequence[str] = (),
    form: Form | None = None,
) -> Dataset:
    """Join sequences and labels, in the order of the sequences.

    Parameters
    ----------
    sequences
        File, or folder for one FASTA a locus and for one one-hot CSV a sample.
    labels
        CSV or TSV with a header, or label lines; None where the sequences hold the labels.
    target, groups
        Columns of `labels`.
    task, positive
        See `geno_hpo.data.labels.build_target`.
    id_column
        Column of `labels` with the sequence ids; None for the first.
    form
        How the files are read.

    Raises
    ------
    DataError
        Any fault of either file; lengths that differ without padding; letters outside the
        alphabet; no id in common; labels missing, or given twice.
    """
    form = form or Form()
    kind, texts = open_texts(sequences, form)
    texts = join_loci(texts.choose(form.loci))
    if texts.labels is not None:
        table = _own_labels(texts, texts.labels, labels, target, groups)
    elif labels is None:
        raise DataError(f"{sequences} holds no labels: name their file in `labels`")
    elif (form.match or ("order" if kind == "lines" else "id")) == "order":
        table = read_label_lines(labels, texts.ids, targets=target, groups=groups)
    else:
        table = read_labels(labels, id_column=id_column, targets=target, groups=groups)
    rows = {sample: row for row, sample in enumerate(table.ids)}
    ids = tuple(sample for sample in texts.ids if sample in rows)
    if not ids:
        raise DataError(
            f"no id of {sequences} is in {labels}: sequences are called "
            f"{some(texts.ids)}, labels {some(table.ids)}"
        )
    notes = list(texts.notes)
    if left := len(texts.ids) - len(ids):
        notes.append(f"{left} of {len(texts.ids)} sequences without a row of labels left out")
    if left := len(table.ids) - len(ids):
        notes.append(f"{left} of {len(table.ids)} rows of labels without a sequence left out")
    kept = table.take([rows[sample] for sample in ids])
    told = LetterCounts()
    parts = [
        encode_locus(name, each, ids, sequences, form, told) for name, each in texts.loci.items()
    ]
    codes = np.concatenate(parts, axis=1)
    values, counted = build_target(kept, task=task, positive=positive)
    return Dataset(
        name=sequences.name.removesuffix(".gz").rsplit(".", 1)[0],
        kind="sequence",
        ids=ids,
        codes=codes,
        axis=_axis(texts, parts),
        target=values,
        groups=kept.group_arrays(),
        loci=_loci(texts, parts),
        origin=Origin(
            source=" and ".join(each.name for each in (sequences, labels) if each is not None),
            notes=(*notes, *told.notes(), *counted),
        ),
    )


def _own_labels(
    texts: Texts,
    own: Mapping[str, str],
    labels: Path | None,
    target: Sequence[str],
    groups: Sequence[str],
) -> Labels:
    if labels is not None:
        raise DataError(f"{texts.path} holds the labels itself: leave out `labels` ({labels})")
    if len(target) != 1 or groups:
        raise DataError(
            f"{texts.path} holds one label a sequence and no groups: it has one target, got "
            f"{', '.join((*target, *groups))}"
        )
    return Labels(
        path=texts.path,
        ids=tuple(own),
        lines=tuple(range(1, len(own) + 1)),
        targets={target[0]: list(own.values())},
        groups={},
    )


def _axis(texts: Texts, parts: Sequence[NDArray[np.int8]]) -> tuple[str, ...]:
    return tuple(
        f"{name}:{position}" if name else str(position)
        for name, part in zip(texts.loci, parts, strict=True)
        for position in range(1, part.shape[1] + 1)
    )


def _loci(texts: Texts, parts: Sequence[NDArray[np.int8]]) -> tuple[Locus, ...]:
    stops = list(accumulate(part.shape[1] for part in parts))
    return tuple(
        Locus(
            name,
            start,
            stop,
            texts.genome.get(name, ()) if len(texts.genome.get(name, ())) == stop - start else (),
            texts.strand(name),
        )
        for name, start, stop in zip(texts.loci, [0, *stops[:-1]], stops, strict=True)
        if name
    )
