"""What ``bundle.json`` says: task, encoding, limits, models, where it came from, and checksums.

Arrays lie beside it. ``encoding.npz`` holds, for sequences, ``reference`` (positions,) int8 (the
commonest base of the study's training samples, −1 where none is known) and ``genome``
(positions,) int64 (0-based, −1 for columns without a place on the genome); for variants ``names``,
``counted`` and ``other`` (k,) text and ``dosage`` (k,) float32, the training samples' mean.
``preprocess.npz`` holds what was fitted: ``mean`` (positions, symbols) of sequences, which the
models apply themselves; ``fill``, ``mean`` and ``scale`` (k,) of variants (principal components are
the models' own), ``donors`` (training samples, k) int8 with ``neighbour_count`` and
``neighbour_weights`` where neighbours tell missing dosages; ``target_mean`` and ``target_scale``
(outputs,) of a trait.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

__all__ = [
    "ENCODING",
    "FORMAT",
    "MANIFEST",
    "PREPROCESS",
    "BundleLocus",
    "Limits",
    "Manifest",
    "ModelFile",
    "Threshold",
]

FORMAT = 1
"""Version of the folder's form; a bundle with a higher one is refused."""

MANIFEST = "bundle.json"
ENCODING = "encoding.npz"
PREPROCESS = "preprocess.npz"

DRUGS = frozenset(
    {
        *("inh", "rif", "emb", "pza", "str", "levo", "moxi", "oflx", "cip", "amk", "kan", "cap"),
        *("eth", "lzd", "bdq", "cfz", "dlm", "isoniazid", "rifampicin", "rifampin", "ethambutol"),
        *("pyrazinamide", "streptomycin", "levofloxacin", "moxifloxacin", "ofloxacin"),
        *("ciprofloxacin", "amikacin", "kanamycin", "capreomycin", "ethionamide", "linezolid"),
        *("bedaquiline", "clofazimine", "delamanid"),
    }
)
"""Outputs with these names are called drugs in tables."""


class Part(BaseModel):
    """Base of every part of the manifest: unknown keys refused, frozen."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class BundleLocus(Part):
    """A stretch ``[start, stop)`` of the position axis; an empty name where there is only one."""

    name: str
    start: int = Field(ge=0)
    stop: int = Field(ge=1)
    strand: Literal["+", "-"] = "+"


class Threshold(Part):
    """A probability of at least `value` is called 1; `source` says where it was learnt."""

    target: str
    value: float
    source: str


class Limits(Part):
    """What a sample may lack or differ by, as shares; learnt from the study's training samples."""

    unknown: float = Field(ge=0, le=1)
    """Bases or genotypes that are not known, over the whole sample."""

    locus: float = Field(ge=0, le=1)
    """The same in the locus where most is unknown."""

    mismatch: float | None = Field(default=None, ge=0, le=1)
    """Known bases that are not the reference's; null where the study's own samples differ too
    much from each other for that to tell a species."""


class ModelFile(Part):
    """One restart: its file, the seed it started from, and its score on the sealed test set."""

    file: str
    seed: int
    test_score: float | None = None


class Manifest(Part):
    """The whole of ``bundle.json``; a value that exists agrees with itself."""

    format: int
    name: str
    question: str = ""
    kind: Literal["sequence", "variants"]
    task: Literal["binary", "multiclass", "multilabel", "regression"]
    targets: tuple[str, ...] = Field(min_length=1)
    classes: tuple[str, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    width: int = Field(ge=1)
    """Positions of a sample, or variants that enter the models."""
    symbols: Literal[1, 4, 5]
    """4: A C G T; 5: a gap too; 1: variants."""
    top: Literal[1, 2] = 2
    """Variants: the largest dosage that the study saw."""
    loci: tuple[BundleLocus, ...] = ()
    reading: dict[str, Any] = Field(default_factory=dict)
    """The study's ``data`` options that decide how files are read."""
    limits: Limits
    models: tuple[ModelFile, ...] = Field(min_length=1)
    family: str
    params: dict[str, Any]
    epochs: int
    metric: str = ""
    notes: tuple[str, ...] = ()
    provenance: dict[str, Any]
    versions: dict[str, str]
    files: dict[str, str]
    """SHA-256 of every other file of the folder."""

    @model_validator(mode="after")
    def _agrees(self) -> Manifest:
        if (self.kind == "variants") != (self.symbols == 1):
            raise ValueError(f"symbols of {self.kind} cannot be {self.symbols}")
        if self.loci and [locus.start for locus in self.loci] != [
            0,
            *(locus.stop for locus in self.loci[:-1]),
        ]:
            raise ValueError("loci must follow one another from column 0")
        if self.loci and self.loci[-1].stop != self.width:
            raise ValueError(f"loci end at {self.loci[-1].stop}, width is {self.width}")
        called = self.task in ("binary", "multilabel")
        if len(self.thresholds) != (len(self.targets) if called else 0):
            raise ValueError(f"{len(self.thresholds)} thresholds for {len(self.targets)} targets")
        if missing := [model.file for model in self.models if model.file not in self.files]:
            raise ValueError(f"no checksum of {missing[0]}")
        return self

    @property
    def stretches(self) -> tuple[BundleLocus, ...]:
        """The loci; one without a name where the study told none."""
        return self.loci or (BundleLocus(name="", start=0, stop=self.width),)

    @property
    def subject(self) -> str:
        """What an output is called in tables: ``drug`` where all have names of drugs."""
        return "drug" if all(name.lower() in DRUGS for name in self.targets) else "target"
