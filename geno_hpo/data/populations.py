"""The catalogue's human cohorts: genotypes ``(samples, SNPs)`` and the population of each sample.

``kg1_phase1`` is PLINK's bed, bim and fam with a panel; ``kg1_aisnp`` is a table of genotypes as
two letters. Dosages count the first allele of the bim file, or the letter that comes later in the
alphabet; they do not depend on who is in the sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Origin, Task
from geno_hpo.data.labels import Labels, build_target
from geno_hpo.data.tables import open_table, require_file
from geno_hpo.errors import DataError, InputError

__all__ = ["PANELS", "read_kg1_aisnp", "read_kg1_phase1"]

PANELS = ("kidd", "seldin")
"""Panels of ancestry-informative SNPs: 55 and 127 of them."""

_PLINK = "1kg.ref.phase1_release_v3.20101123_thinned_autosomal_overlap"
_PANEL = "phase1_integrated_calls.20101123.ALL.panel"


def read_kg1_phase1(folder: Path, *, target: Sequence[str], task: Task) -> Dataset:
    """Read 1000 Genomes phase 1: dosages ``(1092, 14079)``.

    Parameters
    ----------
    folder
        Holds the PLINK files and the panel.
    target
        ``population`` (14) or ``superpopulation`` (4); the other is a group, as is ``platform``,
        the sequencing platforms of a sample.
    task
        ``multiclass``.

    Raises
    ------
    InputError
        Another target or task.
    DataError
        A sample that the panel does not name, or files that do not fit each other.
    """
    from bed_reader import open_bed

    columns: dict[str, dict[str, str]] = {"population": {}, "superpopulation": {}, "platform": {}}
    require_file(folder / _PANEL, "panel")
    for line, row in enumerate((folder / _PANEL).read_text().splitlines(), start=1):
        cells = row.rstrip("\t").split("\t")
        if len(cells) < 4:
            raise DataError(f"a panel row has 4 cells, got {len(cells)} ({folder / _PANEL}:{line})")
        for name, cell in zip(columns, cells[1:4], strict=True):
            platforms = sorted(part.strip() for part in cell.split(",") if part.strip())
            columns[name][cells[0]] = "+".join(platforms)
    with open_bed(folder / f"{_PLINK}.bed", num_threads=1) as bed:
        ids = tuple(map(str, bed.iid))
        names = tuple(map(str, bed.sid))
        codes = bed.read(dtype="int8", order="C")
    if strangers := [sample for sample in ids if sample not in columns["population"]]:
        raise DataError(f"{len(strangers)} samples are not in the panel, such as {strangers[0]!r}")
    cells_of = {name: [found[sample] for sample in ids] for name, found in columns.items()}
    return _dataset(
        "kg1_phase1",
        folder / _PANEL,
        ids,
        np.where(codes < 0, -1, codes).astype(np.int8),
        names,
        cells_of,
        target=target,
        task=task,
        choices={"population": "multiclass", "superpopulation": "multiclass"},
    )


def read_kg1_aisnp(folder: Path, *, panel: str, target: Sequence[str], task: Task) -> Dataset:
    """Read 1000 Genomes phase 3 at ancestry-informative SNPs: ``(2504, 55)`` or ``(2504, 127)``.

    Parameters
    ----------
    folder
        Holds ``kidd.1kG.csv`` and ``seldin.1kG.csv``.
    panel
        ``kidd`` or ``seldin``.
    target
        ``population`` (26), ``superpopulation`` (5) or ``sex``; the others are groups.
    task
        ``multiclass``, or ``binary`` for sex (male is the positive class).

    Raises
    ------
    InputError
        Another panel, target or task.
    DataError
        A genotype that is not two letters, or a SNP of more than two alleles.
    """
    if panel not in PANELS:
        raise InputError(f"the panels of kg1_aisnp are {', '.join(PANELS)}, got {panel!r}")
    path = folder / f"{panel}.1kG.csv"
    with open_table(path, "genotypes") as table:
        head = table.columns
        rows = [cells for _, cells in table.rows]
    if head[0] != "sample" or head[-3:] != ("population", "superpopulation", "gender"):
        raise DataError(f"{path} should have the columns sample, SNPs, population, …: got {head}")
    letters = np.array([row[1:-3] for row in rows], dtype="S2")
    codes, names = _dosages(letters, head[1:-3], path)
    cells = {name: [row[place] for row in rows] for place, name in ((-3, "population"),)}
    cells |= {"superpopulation": [row[-2] for row in rows], "sex": [row[-1] for row in rows]}
    return _dataset(
        "kg1_aisnp",
        path,
        tuple(row[0] for row in rows),
        codes,
        names,
        cells,
        target=target,
        task=task,
        choices={"population": "multiclass", "superpopulation": "multiclass", "sex": "binary"},
        positive="male" if tuple(target) == ("sex",) else None,
    )


def _dosages(
    letters: NDArray[np.bytes_], snps: Sequence[str], path: Path
) -> tuple[NDArray[np.int8], tuple[str, ...]]:
    """Copies of the later letter, and the SNPs' names with that letter."""
    alleles = letters.view("S1").reshape(*letters.shape, 2)
    codes = np.empty(letters.shape, np.int8)
    names = []
    for column, snp in enumerate(snps):
        found = np.unique(alleles[:, column])
        if len(found) > 2 or not np.isin(found, [b"A", b"C", b"G", b"T"]).all():
            raise DataError(
                f"SNP {snp} of {path} should have two alleles of A C G T, got "
                f"{', '.join(allele.decode() or 'none' for allele in found)}"
            )
        codes[:, column] = (alleles[:, column] == found[-1]).sum(axis=1)
        names.append(f"{snp}_{found[-1].decode()}")
    return codes, tuple(names)


def _dataset(
    name: str,
    path: Path,
    ids: tuple[str, ...],
    codes: NDArray[np.int8],
    axis: tuple[str, ...],
    cells: dict[str, list[str]],
    *,
    target: Sequence[str],
    task: Task,
    choices: dict[str, Task],
    positive: str | None = None,
) -> Dataset:
    if len(target) != 1 or choices.get(target[0]) != task:
        listed = ", ".join(f"{known} ({of})" for known, of in choices.items())
        raise InputError(f"{name} has the targets {listed}; got {', '.join(target)} ({task})")
    labels = Labels(
        path=path,
        ids=ids,
        lines=tuple(range(2, len(ids) + 2)),
        targets={target[0]: cells[target[0]]},
        groups={key: column for key, column in cells.items() if key != target[0]},
    )
    values, told = build_target(labels, task=task, positive=positive)
    return Dataset(
        name=name,
        kind="variants",
        ids=ids,
        codes=codes,
        axis=axis,
        target=values,
        groups=labels.group_arrays(),
        origin=Origin(source=path.name, notes=tuple(told)),
    )
