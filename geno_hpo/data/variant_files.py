"""A user's genotype files → `Dataset`: format told or recognised, labels joined, one matrix built.

Order of work: open the file, choose samples, join labels by id, drop samples without any label,
count and leave out variants, read the rest. So the matrix is read once, at its final size.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from geno_hpo.config import VariantData
from geno_hpo.data.arrays import open_hdf5, open_npz
from geno_hpo.data.dataset import Dataset, Origin
from geno_hpo.data.genotypes import Asked, Genotypes, Index
from geno_hpo.data.labels import Labels, build_target, read_labels
from geno_hpo.data.named_variants import align_table
from geno_hpo.data.parquet_table import open_parquet
from geno_hpo.data.plink import open_plink
from geno_hpo.data.r_data import open_rdata
from geno_hpo.data.selection import LIST, choose_samples, choose_variants
from geno_hpo.data.snp_table import layout_of, open_snp_table
from geno_hpo.data.tables import Layout, require_file
from geno_hpo.data.variant_matrix import build_matrix
from geno_hpo.data.vcf import open_vcf
from geno_hpo.errors import DataError, InputError

__all__ = ["open_genotypes", "read_variants", "recognise"]

_OPEN: dict[str, Callable[[VariantData, Asked], Genotypes]] = {
    "table": open_snp_table,
    "plain": open_snp_table,
    "variant_list": open_snp_table,
    "parquet": open_parquet,
    "plink": open_plink,
    "vcf": open_vcf,
    "hdf5": open_hdf5,
    "npz": open_npz,
    "rdata": open_rdata,
}
_SUFFIXES = {
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".parquet": "parquet",
    ".bed": "plink",
    ".bim": "plink",
    ".fam": "plink",
    ".vcf": "vcf",
    ".bcf": "vcf",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
    ".npz": "npz",
    ".rdata": "rdata",
    ".rda": "rdata",
}
_STARTS = {
    b"\x6c\x1b": "plink",
    b"PAR1": "parquet",
    b"\x89HDF": "hdf5",
    b"PK\x03\x04": "npz",
    b"##fileformat=VCF": "vcf",
    b"BCF": "vcf",
    b"RDX": "rdata",
    b"RDA": "rdata",
}
# Options and the formats that understand them.
_ONLY = {
    "regions": ("vcf",),
    "multiallelic": ("vcf",),
    "header": ("plain",),
    "ids": ("plain",),
    "id": ("table", "plain", "parquet", "variant_list"),
    "missing": ("table", "plain", "parquet", "variant_list"),
    "arrays": ("hdf5", "npz", "rdata"),
    "reference": ("variant_list",),
    "loci": ("variant_list",),
}


def recognise(path: Path) -> str:
    """Tell a file's format by its first bytes, unpacked if gzipped, else by its suffix.

    Raises
    ------
    DataError
        Neither says.
    """
    require_file(path, "variants")
    with path.open("rb") as stream:
        head = stream.read(16)
    if head[:2] == b"\x1f\x8b":
        try:
            with gzip.open(path) as stream:
                head = stream.read(16)
        except (OSError, EOFError) as error:
            raise DataError(f"variants file {path} is no readable gzip: {error}") from error
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    suffix = Path(path.name.lower().removesuffix(".gz")).suffix
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    raise DataError(
        f"the format of {path} cannot be told by its suffix or first bytes: say "
        f"`format:` {', '.join(_OPEN)}"
    )


def open_genotypes(config: VariantData, asked: Asked) -> Genotypes:
    """Open genotypes of the format that the data block names; its paths as they can be opened.

    Raises
    ------
    DataError
        A fault of the file.
    """
    return _OPEN[config.format or recognise(config.variants)](config, asked)


def read_variants(
    config: VariantData, asked: Asked, *, positive: str | None = None, root: Path = Path()
) -> Dataset:
    """Read genotypes and labels as a study's data block says.

    Parameters
    ----------
    config
        The data block.
    asked
        Targets, groups and task.
    positive
        Label of the positive class of a binary target.
    root
        Folder that relative paths count from.

    Raises
    ------
    InputError
        An option that the format has no use for, or a choice of what is not there.
    DataError
        A file does not say what it should, or no sample has a label.
    """
    config = _rooted(config, root)
    if config.variants.suffix in (".bim", ".fam"):
        config = config.model_copy(update={"variants": config.variants.with_suffix(".bed")})
    kind = config.format or recognise(config.variants)
    config = config.model_copy(update={"format": kind})
    for option, formats in _ONLY.items():
        default = VariantData.model_fields[option].get_default(call_default_factory=True)
        if option == "id" and config.labels is not None:
            continue
        if getattr(config, option) != default and kind not in formats:
            raise InputError(f"option {option!r} is for {', '.join(formats)}, not for {kind}")
    genotypes = _OPEN[kind](config, asked)
    rows = choose_samples(genotypes, config)
    labels = _labels(genotypes, config, asked)
    rows, labels, notes = _join(genotypes, rows, labels, config)
    target, told = build_target(labels, task=asked.task, positive=positive)
    groups = labels.group_arrays() | {name: g[rows] for name, g in genotypes.groups.items()}
    for name in asked.groups:
        if name not in groups:
            listed = ", ".join(groups) or "none"
            raise InputError(f"{config.variants} tells no group {name!r} (its groups: {listed})")
    keep = ~np.isnan(target.values).all(axis=1)
    if not keep.all():
        told.append(f"{int((~keep).sum())} samples without a label left out")
        rows = rows[keep]
        target = replace(target, values=target.values[keep])
        groups = {name: group[keep] for name, group in groups.items()}
    origin = (*genotypes.notes, *notes)
    name = config.variants.name.removesuffix(".gz").rsplit(".", 1)[0]
    source = config.variants.name
    if config.labels is not None:
        source += f" and {config.labels.name}"
    ids = tuple(genotypes.ids[row] for row in rows)
    if kind == "variant_list":
        codes, axis, loci, counted = align_table(config, genotypes, rows)
        made = Origin(source, notes=(*origin, *counted, *told))
        return Dataset(name, "sequence", ids, codes, axis, target, made, groups, loci)
    columns = choose_variants(genotypes, config)
    picked = len(genotypes.names) - len(columns)
    matrix = build_matrix(
        genotypes,
        rows,
        columns,
        min_maf=config.min_maf,
        max_missing=config.max_missing,
        folder=asked.scratch,
    )
    if picked:
        origin = (*origin, f"{picked} of {len(genotypes.names)} variants not chosen")
    return Dataset(
        name=name,
        kind="variants",
        ids=ids,
        codes=matrix.codes,
        axis=tuple(genotypes.names[column] for column in matrix.columns),
        target=target,
        groups=groups,
        origin=Origin(source, notes=(*origin, *matrix.notes, *told)),
    )


def _rooted(config: VariantData, root: Path) -> VariantData:
    """The data block with paths that can be opened from here."""
    files = ("variants", "labels", "reference", "loci")
    lists = {
        key: tuple(
            f"{LIST}{root / each.removeprefix(LIST)}" if each.startswith(LIST) else each
            for each in getattr(config, key)
        )
        for key in ("samples", "snps")
    }
    paths = {key: root / path for key in files if (path := getattr(config, key)) is not None}
    return config.model_copy(update={**paths, **lists})


def _labels(genotypes: Genotypes, config: VariantData, asked: Asked) -> Labels:
    """Labels of the table that is named, else those of the genotypes' own file.

    A table of labels beside plain text is plain text too, unless its name says CSV or TSV.
    """
    if config.labels is None:
        if genotypes.labels is None:
            raise InputError(f"{genotypes.path} holds no labels: name their table in `labels`")
        return genotypes.labels
    delimited = config.labels.name.lower().removesuffix(".gz").endswith((".csv", ".tsv"))
    return read_labels(
        config.labels,
        id_column=config.id,
        targets=asked.target,
        groups=[name for name in asked.groups if name not in genotypes.groups],
        layout=Layout() if delimited else layout_of(config),
    )


def _join(
    genotypes: Genotypes, rows: Index, labels: Labels, config: VariantData
) -> tuple[Index, Labels, list[str]]:
    """Samples that have a row of labels, in the genotypes' order, and what is left over."""
    places = {sample: place for place, sample in enumerate(labels.ids)}
    kept = [row for row in rows if genotypes.ids[row] in places]
    if not kept:
        raise DataError(
            f"no id of {genotypes.path} is in {labels.path}: samples are called "
            f"{genotypes.ids[rows[0]]!r} …, labels {labels.ids[0]!r} …"
        )
    notes = []
    if config.samples:
        notes.append(f"{len(rows)} samples chosen")
    if left := len(rows) - len(kept):
        notes.append(f"{left} of {len(rows)} samples without a row of labels left out")
    if (left := len(labels.ids) - len(kept)) and config.labels is not None:
        notes.append(f"{left} of {len(labels.ids)} rows of labels without a sample left out")
    taken = labels.take([places[genotypes.ids[row]] for row in kept])
    return np.array(kept, dtype=np.intp), taken, notes
