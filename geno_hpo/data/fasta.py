"""Sequences in FASTA and their labels in a table → `Dataset` of codes ``(samples, positions)``."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.dataset import Dataset, Origin, Task
from geno_hpo.data.labels import build_target, read_labels
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError

__all__ = ["read_fasta", "read_sequences"]


def read_fasta(path: Path) -> dict[str, str]:
    """Read all sequences of a FASTA file, plain or gzipped, by id (the header's first word).

    Raises
    ------
    DataError
        No such file, an empty one, no FASTA, an id given twice or missing, a sequence without
        letters.
    """
    import pysam

    require_file(path, "sequences")
    found: dict[str, str] = {}
    try:
        _require_header(path)
        with pysam.FastxFile(str(path)) as stream:
            for record in stream:
                name, text = record.name, record.sequence
                if not name:
                    raise DataError(f"sequence {len(found) + 1} in {path} has no id")
                if name in found:
                    raise DataError(f"sequence id {name!r} stands twice in {path}")
                if not text:
                    raise DataError(f"sequence {name!r} in {path} has no letters")
                found[name] = text
    except (OSError, EOFError, ValueError) as error:
        raise DataError(f"sequences file {path} is no readable FASTA: {error}") from error
    if not found:
        raise DataError(f"sequences file {path} holds no sequence: a record starts with '>'")
    return found


def _require_header(path: Path) -> None:
    """Refuse a file whose first letter is not ``>``: the parser would skip what comes before."""
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        start = stream.read(4096).lstrip()[:1]
    if start != b">":
        shown = start.decode("ascii", "replace")
        raise DataError(
            f"sequences file {path} is no FASTA: it should begin with '>', got {shown!r}"
        )


def read_sequences(
    sequences: Path,
    labels: Path,
    *,
    target: Sequence[str],
    task: Task,
    positive: str | None = None,
    id_column: str | None = None,
    groups: Sequence[str] = (),
    pad: Literal["none", "right"] = "none",
    alphabet: Literal["dna", "gapped"] = "dna",
) -> Dataset:
    """Join sequences and labels by id, in the order of the FASTA file.

    Parameters
    ----------
    sequences
        FASTA file, plain or gzipped.
    labels
        CSV or TSV file with a header.
    target, groups
        Columns of `labels`.
    task, positive
        See `geno_hpo.data.labels.build_target`.
    id_column
        Column of `labels` with the sequence ids; None for the first.
    pad
        ``none``: all sequences are equally long. ``right``: shorter ones are filled with
        unknown (−1) at their end.
    alphabet
        ``dna``: A C G T; ``gapped``: A C G T and ``-``. IUPAC ambiguity codes such as N become
        unknown with both, and are counted.

    Raises
    ------
    DataError
        Any fault of either file; lengths that differ without padding; letters outside the
        alphabet; no id in common.
    """
    texts = read_fasta(sequences)
    table = read_labels(labels, id_column=id_column, targets=target, groups=groups)
    rows = {sample: row for row, sample in enumerate(table.ids)}
    ids = tuple(sample for sample in texts if sample in rows)
    if not ids:
        raise DataError(
            f"no id of {sequences} is in {labels}: sequences are called "
            f"{_some(list(texts))}, labels {_some(table.ids)}"
        )
    notes = []
    if left := len(texts) - len(ids):
        notes.append(f"{left} of {len(texts)} sequences without a row of labels left out")
    if left := len(table.ids) - len(ids):
        notes.append(f"{left} of {len(table.ids)} rows of labels without a sequence left out")
    kept = table.take([rows[sample] for sample in ids])
    codes = _encode([texts[sample] for sample in ids], ids, sequences, pad, alphabet, notes)
    values, told = build_target(kept, task=task, positive=positive)
    return Dataset(
        name=sequences.name.removesuffix(".gz").rsplit(".", 1)[0],
        kind="sequence",
        ids=ids,
        codes=codes,
        axis=tuple(str(position) for position in range(1, codes.shape[1] + 1)),
        target=values,
        groups=kept.group_arrays(),
        origin=Origin(source=f"{sequences.name} and {labels.name}", notes=(*notes, *told)),
    )


def _some(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names[:3]) + (" …" if len(names) > 3 else "")


def _encode(
    texts: list[str],
    ids: tuple[str, ...],
    path: Path,
    pad: str,
    alphabet: str,
    notes: list[str],
) -> NDArray[np.int8]:
    lengths = [len(text) for text in texts]
    longest, shortest = max(lengths), min(lengths)
    if longest != shortest:
        if pad == "none":
            long, short = ids[lengths.index(longest)], ids[lengths.index(shortest)]
            raise DataError(
                f"sequences are equally long unless `pad: right` is given: {short!r} has "
                f"{shortest} letters, {long!r} has {longest} ({path})"
            )
        padded = sum(length < longest for length in lengths)
        notes.append(f"{padded} sequences padded on the right to {longest} letters")
        texts = [text.ljust(longest, "N") for text in texts]
    try:
        encoded = encoding.encode_alignment(texts, ids, ambiguous=True, gaps=alphabet == "gapped")
    except DataError as error:
        raise DataError(f"{error} ({path})") from error
    if ambiguous := encoded.ambiguous - sum(longest - length for length in lengths):
        notes.append(f"{ambiguous} ambiguous letters (N and other IUPAC codes) read as unknown")
    return encoded.codes
