"""The catalogue's tb_wdnn: named variants and drug resistance → aligned sequences.

The variant table is a CSV of 94 MB in a zip; only the columns inside the wanted loci are read.
Labels: 0 is resistant, 1 susceptible, −1 not measured; in the `Dataset` resistant is the
positive class, 1, and not measured is NaN.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Locus, Origin, Target, Task
from geno_hpo.data.tb_regions import (
    Stretch,
    drug_regions,
    region_stretches,
    stretch_reference,
)
from geno_hpo.data.variant_list import align_stretch, overlaps
from geno_hpo.data.variant_names import Variant, parse_variant
from geno_hpo.errors import DataError, InputError

__all__ = ["DRUGS", "read_tb_wdnn"]

DRUGS = ("rif", "inh", "pza", "emb", "str", "cip", "cap", "amk", "moxi", "oflx", "kan")
"""Columns of labels.csv, which has no header."""

_CLASSES = ("susceptible", "resistant")
_UNPACKED = 400_000_000  # bytes that the table in the zip may have
# Names that contradict H37Rv, looked up one by one; they are left out and told.
_ERRATA = frozenset({"SNP_CN_4407904_GA_gid_S100F"})


def read_tb_wdnn(
    folder: Path,
    loci_folder: Path,
    *,
    target: Sequence[str],
    task: Task,
    positive: str | None = None,
    loci: Sequence[str] = (),
    longest_insertion: int = 3,
    origin: Origin,
) -> Dataset:
    """Read the isolates as sequences of the loci.

    Parameters
    ----------
    folder
        Holds ``X_features_with_names.zip`` and ``labels.csv``.
    loci_folder
        Holds the reference of the loci (the catalogue's tb_loci).
    target
        Drugs: one for a binary task, several for multilabel.
    task
        ``binary`` or ``multilabel``.
    positive
        Must be ``resistant`` when given.
    loci
        Regions; empty: those of the drug (`drug_regions`).
    longest_insertion
        Columns an insertion site has at most.
    origin
        Source, licence and citation; notes are added.

    Raises
    ------
    InputError
        Unknown drug, locus or class; a task that does not fit.
    DataError
        Files that are not what they should be.
    """
    resistance, told = _read_labels(folder / "labels.csv", target, task)
    if positive not in (None, "resistant"):
        raise InputError(f"the positive class of tb_wdnn is 'resistant', got {positive!r}")
    chosen = loci or drug_regions(target)
    stretches = region_stretches(chosen, loci_folder / "target_loci.csv")
    variants, calls, notes = _read_calls(folder / "X_features_with_names.zip", stretches)
    if len(calls) != len(resistance):
        raise DataError(
            f"{folder}: {len(calls)} isolates in the variant table, {len(resistance)} in labels.csv"
        )
    parts: list[NDArray[np.int8]] = []
    placed: list[Locus] = []
    axis: list[str] = []
    counts: Counter[str] = Counter()
    start = 0
    for stretch in stretches:
        inside = [i for i, variant in enumerate(variants) if overlaps(variant, stretch)]
        part = align_stretch(
            stretch,
            stretch_reference(stretch, loci_folder),
            [variants[i] for i in inside],
            calls[:, inside],
            longest_insertion=longest_insertion,
        )
        stop = start + part.codes.shape[1]
        placed.append(Locus(stretch.gene, start, stop, part.genome, stretch.strand, part.coding))
        parts.append(part.codes)
        axis.extend(part.axis)
        counts.update(part.counts)
        start = stop
    done = [f"{rule}: {number:,}" for rule, number in counts.items()]
    return Dataset(
        name="tb_wdnn",
        kind="sequence",
        ids=tuple(f"wdnn{row:04d}" for row in range(len(calls))),
        codes=np.concatenate(parts, axis=1),
        axis=tuple(axis),
        target=Target(
            task=task,
            values=resistance,
            names=tuple(target),
            classes=_CLASSES if task == "binary" else (),
        ),
        groups=_haplotypes(parts, placed),
        loci=tuple(placed),
        origin=Origin(
            source=origin.source,
            licence=origin.licence,
            citation=origin.citation,
            notes=(*origin.notes, *notes, *done, *told),
        ),
    )


def _haplotypes(
    parts: Sequence[NDArray[np.int8]], loci: Sequence[Locus]
) -> dict[str, NDArray[np.str_]]:
    """Isolates with one sequence: of all loci (``haplotype``), and of each (``haplotype_katG``).

    An uncalled base equals only another one.
    """
    named = {f"haplotype_{locus.name}": part for locus, part in zip(loci, parts, strict=True)}
    if len(parts) > 1:
        named = {"haplotype": np.concatenate(parts, axis=1), **named}
    groups = {}
    for name, codes in named.items():
        numbers: dict[bytes, int] = {}
        found = [numbers.setdefault(row.tobytes(), len(numbers)) for row in codes]
        groups[name] = np.array([f"H{number + 1:04d}" for number in found])
    return groups


def _read_labels(
    path: Path, target: Sequence[str], task: Task
) -> tuple[NDArray[np.float32], list[str]]:
    """Resistance ``(isolates, drugs)``: 1 resistant, 0 susceptible, NaN not measured."""
    if task not in ("binary", "multilabel") or (task == "binary" and len(target) != 1):
        raise InputError(
            f"tb_wdnn is a binary task (one drug) or a multilabel one (several), got task "
            f"{task} with {len(target)} targets"
        )
    for drug in target:
        if drug not in DRUGS:
            near = get_close_matches(drug, DRUGS, n=3)
            listed = [*near, *(known for known in DRUGS if known not in near)]
            raise InputError(f"tb_wdnn has no drug {drug!r}; it has: {', '.join(listed)}")
    try:
        table = np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path} is no table of numbers: {error}") from error
    if table.shape[1] != len(DRUGS):
        raise DataError(f"{path} has {table.shape[1]} columns, one a drug makes {len(DRUGS)}")
    if not np.isin(table, (-1.0, 0.0, 1.0)).all():
        raise DataError(f"{path}: a label is 0 (resistant), 1 (susceptible) or -1 (not measured)")
    columns = table[:, [DRUGS.index(drug) for drug in target]]
    resistance = np.where(columns < 0, np.float32(np.nan), 1 - columns).astype(np.float32)
    notes = [
        f"target {drug}: {int((column == 0).sum())} resistant, {int((column == 1).sum())} "
        f"susceptible, {int((column < 0).sum())} not measured"
        for drug, column in zip(target, columns.T, strict=True)
    ]
    return resistance, notes


def _read_calls(
    path: Path, stretches: Sequence[Stretch]
) -> tuple[list[Variant], NDArray[np.int8], list[str]]:
    """Variants inside the stretches and their calls ``(isolates, variants)``."""
    import pandas as pd

    try:
        with zipfile.ZipFile(path) as archive:
            member = _member(archive, path)
            with archive.open(member) as stream:
                header = stream.readline().decode().rstrip("\r\n").split(",")
            wanted, left, summaries = _select(header, stretches)
            if not wanted:
                raise DataError(f"{path} has no variant inside the loci wanted")
            with archive.open(member) as stream:
                frame = pd.read_csv(
                    stream, usecols=[each.name for each in wanted], dtype=np.float32
                )
    except (zipfile.BadZipFile, OSError, UnicodeDecodeError, ValueError) as error:
        raise DataError(f"{path} is no zip of a variant table: {error}") from error
    values = frame[[each.name for each in wanted]].to_numpy()
    if not np.isin(values, (-1.0, 0.0, 1.0)).all():
        raise DataError(f"{path}: a call is 1 (present), 0 (absent) or -1 (not called)")
    notes = [
        f"{len(wanted):,} of {len(header) - 1 - summaries:,} variants lie in the loci",
        f"columns that sum up variants, not used: {summaries:,}",
    ]
    if left:
        notes.append(f"left out because they contradict the reference: {', '.join(left)}")
    return wanted, values.astype(np.int8), notes


def _member(archive: zipfile.ZipFile, path: Path) -> zipfile.ZipInfo:
    tables = [
        each
        for each in archive.infolist()
        if each.filename.endswith(".csv") and not each.filename.startswith("__MACOSX")
    ]
    if len(tables) != 1:
        raise DataError(f"{path} should hold one CSV table, it holds {len(tables)}")
    if tables[0].file_size > _UNPACKED:
        raise DataError(
            f"{tables[0].filename} in {path} would unpack to {tables[0].file_size:,} bytes; "
            f"at most {_UNPACKED:,} are read"
        )
    return tables[0]


def _select(
    header: Sequence[str], stretches: Sequence[Stretch]
) -> tuple[list[Variant], list[str], int]:
    """Variants of the header inside the stretches, errata among them, number of summaries."""
    wanted: list[Variant] = []
    left: list[str] = []
    summaries = 0
    for name in header[1:]:
        variant = parse_variant(name)
        if variant is None:
            summaries += 1
        elif any(overlaps(variant, stretch) for stretch in stretches):
            if name in _ERRATA:
                left.append(name)
            else:
                wanted.append(variant)
    return wanted, left, summaries
