"""An input of any format → `Samples` of a bundle: which reader it takes is told by its look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from geno_hpo.bundle.alignments import open_alignments
from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.samples import Samples
from geno_hpo.bundle.sequences import open_sequences
from geno_hpo.bundle.variants import open_variants
from geno_hpo.errors import InputError

__all__ = ["InputOptions", "open_samples"]

ALIGNMENTS = (".bam", ".cram")


@dataclass(frozen=True)
class InputOptions:
    """What else may be said about an input.

    Parameters
    ----------
    regions
        Alignments: list of regions, for a bundle that does not know its loci's places.
    reference
        Alignments: FASTA, for CRAM.
    id_column
        Tables: column of the sample ids; None takes the study's, or the first.
    """

    regions: Path | None = None
    reference: Path | None = None
    id_column: str | None = None


def open_samples(bundle: Bundle, inputs: tuple[Path, ...], options: InputOptions) -> Samples:
    """Open what `geno-hpo predict` was given.

    Raises
    ------
    InputError
        Several files that are no alignments, or none.
    BundleError
        The input is not what the bundle was made for: other loci, lengths, variants or alleles.
    DataError
        Any fault of a file.
    """
    if not inputs:
        raise InputError("an input must be named: geno-hpo predict BUNDLE -i FILE")
    aligned = [path.name.lower().endswith(ALIGNMENTS) for path in inputs]
    if bundle.manifest.kind == "sequence" and all(aligned):
        return open_alignments(bundle, inputs, options.regions, options.reference)
    if len(inputs) > 1:
        named = ", ".join(path.name for path in inputs[:3])
        raise InputError(f"several inputs must all be BAM or CRAM files, got {named}")
    if bundle.manifest.kind == "sequence":
        return open_sequences(bundle, inputs[0])
    if any(aligned):
        raise InputError(
            f"{bundle.folder} predicts from genotypes: a VCF, PLINK file or table is wanted, "
            f"got {inputs[0].name}"
        )
    return open_variants(bundle, inputs[0], options.id_column)
