"""PLINK bed/bim/fam → `Genotypes`, read out of core through bed-reader.

Counted is allele 1, the fifth column of the ``.bim`` file (``--keep-allele-order`` leaves it as it
was; else PLINK puts the minor allele there). Groups ``family`` and ``sex`` come from the ``.fam``
file; its sixth column is the target ``phenotype`` when no table of labels is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import BLOCK, Asked, Block, Genotypes, Index, distinct_names, spans
from geno_hpo.data.labels import Labels
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError

__all__ = ["open_plink"]

_MAGIC = b"\x6c\x1b"
_SEXES = {"1": "male", "2": "female"}
_STATES = {"1": "control", "2": "case", "0": "", "-9": ""}


def open_plink(config: VariantData, asked: Asked) -> Genotypes:
    """Open the three files; `config.variants` names the ``.bed``.

    Raises
    ------
    DataError
        A file is missing, ragged, or does not fit the others; no bed file in SNP order; a
        phenotype that does not fit the task.
    """
    bed = config.variants
    for path in (bed, bim := bed.with_suffix(".bim"), fam := bed.with_suffix(".fam")):
        require_file(path, path.suffix[1:])
    people = _columns(fam)
    sites = _columns(bim)
    ids = people[1]
    _require_size(bed, len(ids), len(sites[1]))
    chromosomes, alleles = sites[0], (sites[4], sites[5])
    given = [
        f"{chromosome}:{position}:{second}:{first}" if name == "." else name
        for chromosome, name, position, first, second in zip(
            chromosomes, sites[1], sites[3], *alleles, strict=True
        )
    ]
    names, several = distinct_names(given)
    notes = ["counted is allele 1 of the .bim file"]
    if several:
        notes.append(f"{several} variants share a name with one before them and are numbered")
    return Genotypes(
        bed,
        ids,
        names,
        _Bed(bed, len(ids), len(names)).blocks,
        chromosomes=chromosomes,
        groups={
            "family": np.array([f if f != "0" else i for f, i in zip(*people[:2], strict=True)]),
            "sex": np.array([_SEXES.get(sex, "unknown") for sex in people[4]]),
        },
        labels=_phenotype(fam, ids, people[5], asked) if config.labels is None else None,
        notes=tuple(notes),
        alleles=tuple(
            (first.replace("0", ""), second.replace("0", ""))
            for first, second in zip(*alleles, strict=True)
        ),
    )


def _columns(path: Path) -> tuple[tuple[str, ...], ...]:
    """Read the six columns of a ``.fam`` or ``.bim`` file."""
    rows = []
    try:
        with path.open(encoding="utf-8-sig") as stream:
            for line, text in enumerate(stream, 1):
                cells = text.split()
                if len(cells) == 6:
                    rows.append(cells)
                elif cells:
                    raise DataError(f"{path}:{line} has {len(cells)} columns, six are wanted")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text: {error}") from error
    if not rows:
        raise DataError(f"{path} has no rows")
    return tuple(zip(*rows, strict=True))


def _require_size(bed: Path, samples: int, variants: int) -> None:
    with bed.open("rb") as stream:
        head = stream.read(3)
    if head[:2] != _MAGIC:
        raise DataError(f"{bed} is no PLINK bed file: it begins with {head.hex()}, not 6c1b01")
    if head[2:] != b"\x01":
        raise DataError(
            f"{bed} is in sample order (it begins with {head.hex()}); "
            "`plink --make-bed` writes it in SNP order"
        )
    wanted = 3 + variants * ((samples + 3) // 4)
    if (size := bed.stat().st_size) != wanted:
        state = "truncated, or its" if size < wanted else "longer than its"
        raise DataError(
            f"{bed} has {size} bytes; {samples} samples in .fam and {variants} variants in .bim "
            f"make {wanted}: it is {state} .bim and .fam are another data set's"
        )


class _Bed:
    """A bed file as a source of blocks, whole variants at once."""

    def __init__(self, path: Path, samples: int, variants: int) -> None:
        from bed_reader import open_bed

        self.samples = samples
        self.file = open_bed(path, iid_count=samples, sid_count=variants)

    def blocks(self, rows: Index, columns: Index) -> Iterator[Block]:
        every = slice(None) if len(rows) == self.samples else rows
        step = max(1, BLOCK // len(rows))
        for start, stop in spans(len(columns), step):
            chosen = _contiguous(columns[start:stop])
            try:
                block: NDArray[np.int8] = self.file.read((every, chosen), dtype="int8", order="F")
            except (OSError, ValueError) as error:
                raise DataError(f"{self.file.filepath} cannot be read: {error}") from error
            yield 0, start, np.maximum(block, -1, out=block)


def _contiguous(columns: Index) -> Any:
    """A slice where the columns are neighbours."""
    first, last = int(columns[0]), int(columns[-1])
    return slice(first, last + 1) if last - first + 1 == len(columns) else columns


def _phenotype(fam: Path, ids: tuple[str, ...], cells: tuple[str, ...], asked: Asked) -> Labels:
    """The sixth column: 1 control, 2 case, 0 and −9 missing; in regression −9 is missing."""
    if asked.target != ("phenotype",):
        raise DataError(
            f"without `labels` the one target of {fam} is phenotype, got {', '.join(asked.target)}"
        )
    found = [cell.strip() for cell in cells]
    if asked.task == "regression":
        found = ["" if cell == "-9" else cell for cell in found]
    else:
        for line, cell in enumerate(found, 1):
            if cell.lower() not in {*_STATES, "na", "nan"}:
                raise DataError(
                    f"a case-control phenotype is 1, 2, 0 or -9, got {cell!r} ({fam}:{line}); "
                    "task regression takes numbers"
                )
        found = [_STATES.get(cell, "") for cell in found]
    return Labels(fam, ids, tuple(range(1, len(ids) + 1)), {"phenotype": found}, {})
