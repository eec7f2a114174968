"""Where the samples come from: a catalogue entry, sequences with labels, or a variant table.

Paths are kept as written; a relative one counts from the project folder (the folder that holds
``studies/``). The readers in `geno_hpo.data` open them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from geno_hpo.config.known import Known

__all__ = ["CatalogueData", "DataConfig", "ReaderData", "SequenceData", "Strict", "VariantData"]

Scalar = bool | int | float | str


class Strict(BaseModel):
    """Base of every configuration block: unknown keys refused, nothing coerced, frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def as_name(value: object) -> object:
    """Read a whole number as the text it is: the column or label ``1``."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_list(value: object) -> object:
    """Read one text as a list of one."""
    return [value] if isinstance(value, str) else value


Name = Annotated[
    str, Field(min_length=1), BeforeValidator(as_name, json_schema_input_type=str | int)
]
Names = Annotated[
    tuple[Name, ...],
    BeforeValidator(as_list, json_schema_input_type=str | list[str]),
    Field(strict=False),
]
FilePath = Annotated[Path, Field(strict=False)]


VariantFormat = Literal[
    "table", "plain", "parquet", "plink", "vcf", "hdf5", "npz", "rdata", "variant_list"
]


class CatalogueData(Strict):
    """A named data set of the catalogue (`geno-hpo data list` shows them)."""

    catalogue: str = Field(min_length=1)
    """Name of the data set in the catalogue."""

    loci: Names = ()
    """Loci to take, where the entry offers several; empty takes the entry's default for the
    target."""

    options: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """Further options of this entry, such as the number of simulated samples."""


class SequenceData(Strict):
    """DNA sequences and their labels: FASTA, one-hot CSV, or text lines."""

    model_config = ConfigDict(
        json_schema_extra={
            "if": {
                "properties": {"format": {"enum": ["fasta", "one_hot", "lines"]}},
                "required": ["format"],
            },
            "then": {"required": ["labels"]},
        }
    )

    sequences: FilePath
    """File of sequences, plain or gzip; or a folder: one multi-FASTA a locus, or one one-hot
    CSV a sample."""

    labels: FilePath | None = None
    """CSV or TSV table with a header: one row a sample, with the target columns; or label lines
    (see match). Left out where the sequences hold the labels (label<TAB>sequence)."""

    format: Literal["auto", "fasta", "one_hot", "labelled", "lines"] = "auto"
    """Format of the sequences: by its look (auto), FASTA, one-hot CSV (A,C,G,T), label<TAB>sequence
    (labelled), or a sequence a line (lines)."""

    match: Literal["id", "order"] | None = None
    """How labels find their sequence: by sample id, or by order (line i of both). By default
    order for lines, else id."""

    id: Name | None = None
    """Column of the table that holds the sample ids; by default the first column."""

    pad: Literal["none", "right"] = "none"
    """What to do when lengths differ: refuse (none), or fill up on the right with unknown."""

    alphabet: Literal["dna", "gapped"] = "dna"
    """Letters that may occur: A, C, G, T and N (dna), or also the gap - of an alignment
    (gapped)."""

    ambiguous: Literal["unknown", "refuse", "draw", "probabilities"] = "unknown"
    """What IUPAC codes such as R become: unknown, an error (refuse), one of the bases they stand
    for, drawn by the study's seed (draw), or all of these with equal shares of the 1 in one-hot
    (probabilities). With draw and probabilities N stays unknown."""

    loci: Names = ()
    """Loci to take, in this order, from a folder of FASTA files or a one-hot CSV with a column
    locus; empty takes all."""

    regions: FilePath | None = None
    """BED file or table of regions to cut from an indexed FASTA file; each is one sequence."""

    coordinates: Literal[0, 1] | None = None
    """Whether a table of regions counts from 0 (half-open) or from 1 (closed); by default what
    its header says."""

    groups: Names = ()
    """Columns of the table that hold groups of related samples (lineage, family)."""

    @model_validator(mode="after")
    def _labels_are_somewhere(self) -> SequenceData:
        if self.labels is None and self.format in ("fasta", "one_hot", "lines"):
            raise ValueError(f"format {self.format} holds no labels: name their file in `labels`")
        if self.labels is not None and self.format == "labelled":
            raise ValueError("format labelled holds the labels itself: leave out `labels`")
        return self


class VariantData(Strict):
    """Genotypes of any format: 0, 1 or 2 copies of an allele, a sample and a variant."""

    variants: FilePath
    """The file: CSV, TSV, Parquet, PLINK ``.bed``, VCF, BCF, HDF5, npz, RData, plain text."""

    format: VariantFormat | None = None
    """How the file is written; by default told by its first bytes, else by its suffix."""

    labels: FilePath | None = None
    """Table that holds the target columns; by default they stand in the variants' file."""

    id: Name | None = None
    """Column that holds the sample ids, in both tables; by default the first column."""

    groups: Names = ()
    """Columns that hold groups of related samples (population, family)."""

    samples: Names = ()
    """Samples to take, by id; ``file:PATH`` names a list of them. Empty takes all."""

    snps: Names = ()
    """Variants to take, by name; ``file:PATH`` names a list of them. Empty takes all."""

    chromosomes: Names = ()
    """Chromosomes to take, as the file calls them. Empty takes all."""

    regions: Names = ()
    """VCF and BCF: regions to take, such as ``chr1:1001-2000`` (1-based, both ends included)."""

    min_maf: float = Field(0.0, ge=0, le=0.5)
    """Least frequency of the rarer allele; variants below it are left out and counted."""

    max_missing: float = Field(1.0, ge=0, le=1)
    """Largest share of samples in which a variant may be not called."""

    missing: Names = ()
    """Tables: cells that say not called, beside -1, NA, NaN, ``--`` and empty ones."""

    multiallelic: Literal["split", "drop", "refuse"] = "split"
    """VCF and BCF: what to do with a site of several ALT alleles."""

    header: bool = True
    """Plain text: whether the first line names the columns; else they are called 1, 2, …"""

    ids: Literal["column", "numbered"] = "column"
    """Plain text: sample ids stand in a column, or the rows are numbered from 1."""

    arrays: dict[str, str] = Field(default_factory=dict)
    """HDF5, npz, RData: names of the arrays, such as ``genotypes: calls/dosage``."""

    reference: FilePath | None = None
    """Variant list: FASTA of the reference genome."""

    loci: FilePath | None = None
    """Variant list: CSV with the columns locus, start, end (1-based, inclusive) and strand."""


class ReaderData(Strict):
    """Data that a reader of an installed package opens (docs/reference/extend.md)."""

    reader: Annotated[str, Known("readers")]
    """Name of the reader, as its package calls it."""

    path: FilePath
    """File or folder that it opens."""

    labels: FilePath | None = None
    """Table of labels, where the reader wants one."""

    groups: Names = ()
    """Groups of related samples that it shall give (lineage, family)."""

    options: dict[str, Scalar | list[Scalar]] = Field(default_factory=dict)
    """What else it wants to know."""


KINDS: dict[str, type[Strict]] = {
    "catalogue": CatalogueData,
    "sequences": SequenceData,
    "variants": VariantData,
    "reader": ReaderData,
}
"""The key that tells a data block's kind."""


def _kind(value: Any) -> str | None:
    """Give the model's name that `value` means; None where it names no source, or several."""
    if isinstance(value, Strict):
        return type(value).__name__
    found = [key for key in KINDS if key in value] if isinstance(value, dict) else []
    return KINDS[found[0]].__name__ if len(found) == 1 else None


DataConfig = CatalogueData | SequenceData | VariantData | ReaderData
"""Any of the four."""

DataField = Annotated[
    Annotated[CatalogueData, Tag("CatalogueData")]
    | Annotated[SequenceData, Tag("SequenceData")]
    | Annotated[VariantData, Tag("VariantData")]
    | Annotated[ReaderData, Tag("ReaderData")],
    Discriminator(_kind),
]
"""The same for a field: told apart by the key ``catalogue``, ``sequences``, ``variants`` or
``reader``."""
