"""Genotypes in files (PLINK, VCF, tables, arrays) → dosages ``(samples, k)`` in the bundle's order.

Variants are found by id. Where both sides tell alleles, dosages of the other allele are turned
round; alleles that do not fit are refused. Where they are not told, allele frequencies of ten or
more samples show whether the other allele was counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.samples import Batch, Samples
from geno_hpo.config import VariantData, suggestion
from geno_hpo.data.genotypes import Asked, Genotypes
from geno_hpo.data.snp_table import layout_of
from geno_hpo.data.tables import open_table
from geno_hpo.data.variant_files import open_genotypes, recognise
from geno_hpo.errors import BundleError

__all__ = ["open_variants", "samples_of_genotypes"]

TEXT = ("table", "plain")
MOST_NAMES = 20_000  # ids among which a near one is looked for
ENOUGH_SAMPLES = 10
TURNED = -0.5
"""Correlation of allele frequencies with the study's below which the other allele is counted."""

Counted = NDArray[np.int8]


def open_variants(bundle: Bundle, path: Path, id_column: str | None = None) -> Samples:
    """Open genotypes without labels; other columns of a table are set aside and told.

    Raises
    ------
    BundleError
        Variants of the study that are missing, other alleles, another coding of dosages.
    DataError
        Any fault of a file.
    """
    if path.suffix in (".bim", ".fam"):
        path = path.with_suffix(".bed")
    kind = recognise(path)
    reading = bundle.manifest.reading
    if kind == "table" and reading.get("format") == "plain":
        kind = "plain"
    kept: tuple[str, ...] = ("missing", "multiallelic", "arrays")
    if kind in (*TEXT, "parquet"):
        kept = (*kept, "header", "ids")
    told = {key: reading[key] for key in kept if key in reading}
    config = VariantData.model_validate({"variants": path, "format": kind, **told})
    aside: tuple[str, ...] = ()
    if kind in (*TEXT, "parquet"):
        columns, key = _columns(config, id_column or reading.get("id"))
        config = config.model_copy(update={"id": key})
        names = set(bundle.encoding["names"].tolist())
        aside = tuple(name for name in columns if name not in names and name != key)
    else:  # labels beside the genotypes are not looked for
        config = config.model_copy(update={"labels": path, "id": id_column})
    return samples_of_genotypes(bundle, open_genotypes(config, Asked(aside, "regression")), aside)


def _columns(config: VariantData, wanted: object) -> tuple[tuple[str, ...], str]:
    """Columns of a table, and the one with the ids."""
    if config.format == "parquet":
        import pyarrow.parquet as pq

        names = tuple(pq.ParquetFile(config.variants).schema_arrow.names)
        return names, str(wanted) if wanted in names else names[0]
    with open_table(config.variants, "variants", layout_of(config)) as table:
        key = str(wanted) if wanted in table.columns else table.columns[0]
        return table.columns, key


def samples_of_genotypes(
    bundle: Bundle, genotypes: Genotypes, aside: tuple[str, ...] = ()
) -> Samples:
    """Match variants and alleles; see `open_variants`."""
    names = bundle.encoding["names"].tolist()
    columns = _find(genotypes, names)
    order = np.argsort(columns, kind="stable")
    ascending = columns[order]
    notes = list(genotypes.notes)
    unused = len(genotypes.names) - len(names)
    if unused:
        notes.append(f"{unused} variants that the models do not take not used")
    if aside:
        shown = ", ".join(aside[:5]) + (" …" if len(aside) > 5 else "")
        notes.append(f"{len(aside)} columns that are no variant of the study not read: {shown}")
    if (np.diff(columns) < 0).any():
        notes.append("variants stand in another order than in the study: taken by their ids")
    turned, told = _alleles(bundle, genotypes, columns)
    if turned.any():
        notes.append(
            f"{int(turned.sum())} variants count the other allele than the study: turned round"
        )

    def batches(size: int) -> Iterator[Batch]:
        for start in range(0, len(genotypes.ids), size):
            rows = np.arange(start, min(start + size, len(genotypes.ids)))
            codes = np.empty((len(rows), len(columns)), dtype=np.int8)
            for row, column, block in genotypes.blocks(rows, ascending):
                target = order[column : column + block.shape[1]]
                codes[row : row + len(block), target] = block
            flipped = codes[:, turned]
            codes[:, turned] = np.where(flipped >= 0, 2 - flipped, flipped)
            yield Batch(tuple(genotypes.ids[row] for row in rows), codes)

    samples = Samples(len(genotypes.ids), batches, tuple(notes))
    _check_coding(bundle, samples, genotypes.path, told)
    return samples


def _find(genotypes: Genotypes, names: list[str]) -> NDArray[np.intp]:
    """Place of each variant of the bundle in the file."""
    places = {name: place for place, name in enumerate(genotypes.names)}
    missing = [name for name in names if name not in places]
    if missing:
        first = missing[0]
        near = suggestion(first, genotypes.names[:MOST_NAMES])
        hint = near if near.startswith("; did") else f"; its first is {genotypes.names[0]!r}"
        raise BundleError(
            f"{genotypes.path} must have the {len(names)} variants that the models take; "
            f"{len(missing)} are missing, the first is {first!r}{hint}"
        )
    return np.array([places[name] for name in names], dtype=np.intp)


def _alleles(
    bundle: Bundle, genotypes: Genotypes, columns: NDArray[np.intp]
) -> tuple[NDArray[np.bool_], bool]:
    """Which variants are to be turned round, and whether all alleles were told on both sides."""
    counted, other = (bundle.encoding[key].tolist() for key in ("counted", "other"))
    turned = np.zeros(len(columns), dtype=np.bool_)
    if not genotypes.alleles:
        return turned, False
    wrong = []
    compared = 0
    for place, (column, c, o) in enumerate(zip(columns, counted, other, strict=True)):
        mine = genotypes.alleles[column]
        if not (c or o) or mine == ("", ""):
            continue
        compared += 1
        if _fits(mine, (c, o)):
            continue
        if _fits(mine, (o, c)):
            turned[place] = True
        else:
            wrong.append((genotypes.names[column], mine, (c, o)))
    if wrong:
        name, (mine_counted, mine_other), (c, o) = wrong[0]
        raise BundleError(
            f"{len(wrong)} variants of {genotypes.path} have other alleles than in the study, the "
            f"first is {name!r}: {mine_counted or '?'}/{mine_other or '?'} here, "
            f"{c or '?'}/{o or '?'} there; the other strand, or another variant of that name"
        )
    if not compared and any(pair[0] or pair[1] for pair in genotypes.alleles):
        raise BundleError(
            f"{genotypes.path} tells genotypes in letters, and the study does not tell which "
            "allele it counts: give dosages 0, 1, 2 as the study had them"
        )
    return turned, compared == len(columns)


def _fits(mine: tuple[str, str], wanted: tuple[str, str]) -> bool:
    """Whether alleles agree in this order; one that is not told fits any."""
    return all(not a or not b or a == b for a, b in zip(mine, wanted, strict=True))


def _check_coding(bundle: Bundle, samples: Samples, path: Path, told: bool) -> None:
    """See that dosages are coded as the study's; untold alleles show in their frequencies."""
    size = max(1, min(samples.total, 2**25 // max(bundle.manifest.width, 1)))
    total = np.zeros(bundle.manifest.width)
    called = np.zeros(bundle.manifest.width)
    for batch in samples.batches(size):
        if int(batch.codes.max()) > bundle.manifest.top:
            row, _ = np.argwhere(batch.codes > bundle.manifest.top)[0]
            raise BundleError(
                f"the study's dosages are 0 and 1, and sample {batch.ids[row]!r} of {path} has 2: "
                "another coding of the alleles"
            )
        total += np.where(batch.codes >= 0, batch.codes, 0).sum(axis=0)
        called += (batch.codes >= 0).sum(axis=0)
    if told or samples.total < ENOUGH_SAMPLES:
        return
    known = called > 0
    here = total[known] / called[known]
    there = bundle.encoding["dosage"][known]
    if len(here) > ENOUGH_SAMPLES and here.std() > 0 and there.std() > 0:
        alike = float(np.corrcoef(here, there)[0, 1])
        if alike < TURNED:
            raise BundleError(
                f"allele frequencies of {path} run against the study's (correlation {alike:.2f}): "
                "the other allele seems to be counted"
            )
