"""The README inside a bundle, in plain words."""

from __future__ import annotations

from geno_hpo.bundle.manifest import FORMAT, Manifest

__all__ = ["readme"]

FILES = f"""\
- `models/`: one Keras model a restart, saved without Python code.
- `encoding.npz`, `preprocess.npz`: plain NumPy arrays, no pickle.
- `bundle.json`: what the program reads; format {FORMAT}, with the SHA-256 of every file. A changed
  file is refused.
- `study.yaml`, `search_spaces/`: the study as it was run."""


def readme(manifest: Manifest, donors: int = 0) -> str:
    """Text of ``README.md``; `donors` is the number of training samples whose genotypes it has."""
    use = (
        "    pip install geno-hpo[predict]\n"
        f"    geno-hpo predict . -i {_example(manifest)} -o predictions.csv -v"
    )
    parts = [
        f"# {manifest.name}: a model that predicts {_listed(manifest.targets)}",
        _question(manifest),
        "## Use",
        use,
        _input(manifest),
        "## What comes out",
        _output(manifest),
        "## When it does not answer",
        _limits(manifest),
        "## Where it comes from",
        _origin(manifest),
        "## Files",
        FILES,
        _genotypes(donors),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _genotypes(donors: int) -> str:
    if not donors:
        return ""
    return (
        f"**`preprocess.npz` holds genotypes of {donors} training samples**, without their ids: "
        "dosages that an input lacks are told by the nearest of them. Genotypes can identify "
        "people; pass the folder on only where the samples' consent and licence allow it."
    )


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:15]) + (f" and {len(names) - 15} more" if len(names) > 15 else "")


def _question(manifest: Manifest) -> str:
    simulated = (
        "**The study's data were simulated. The model says nothing about real samples.**"
        if manifest.provenance.get("simulated")
        else ""
    )
    return "\n\n".join(text for text in (manifest.question, simulated) if text)


def _example(manifest: Manifest) -> str:
    return "sequences.fasta" if manifest.kind == "sequence" else "genotypes.vcf"


def _input(manifest: Manifest) -> str:
    if manifest.kind == "variants":
        return (
            f"The input is genotypes of {manifest.width} variants: PLINK, VCF or a table with one "
            "row a sample and one column a variant. Variants are found by their ids, in any order; "
            "`encoding.npz` lists them with the allele that is counted."
        )
    loci = manifest.loci
    of = f", the loci {_listed(tuple(locus.name for locus in loci))} in this order" if loci else ""
    return (
        f"The input is aligned sequences of {manifest.width} positions{of}: FASTA, one-hot CSV "
        "(what `geno-hpo encode` writes), or BAM where the positions on the genome are known."
    )


def _output(manifest: Manifest) -> str:
    restarts = len(manifest.models)
    text = (
        f"{restarts} models, trained from different seeds, answer together: the mean of their "
        "answers, and as `spread` their standard deviation. "
    )
    if manifest.task == "regression":
        return text + "`value` is the trait in the units of the study."
    if manifest.task == "multiclass":
        return text + f"`call` is the likeliest class ({_listed(manifest.classes)})."
    lines = [
        f"- {each.target}: 1 from a probability of {each.value:.4g} on ({each.source})"
        for each in manifest.thresholds
    ]
    if manifest.classes:
        text += f"`call` is 1 for {manifest.classes[1]} and 0 for {manifest.classes[0]}. "
    else:
        text += "`call` is 1 or 0; for a drug 1 = resistant, 0 = susceptible. "
    return text + "Thresholds:\n\n" + "\n".join(lines)


def _limits(manifest: Manifest) -> str:
    limits = manifest.limits
    what = "bases" if manifest.kind == "sequence" else "genotypes"
    text = (
        f"`call` is `cannot tell` where more than {limits.unknown:.0%} of a sample's {what} are "
        "unknown"
    )
    if len(manifest.stretches) > 1:
        text += f", or more than {limits.locus:.0%} of one locus"
    if manifest.kind == "variants":
        return (
            text + ". An input without all variants, or with other alleles, is refused. "
            "Whether a sample belongs to the study's population is not checked."
        )
    if limits.mismatch is None:
        return (
            text + ". The study's samples differ so much from each other that a sample of another "
            "species cannot be told: none is refused."
        )
    return (
        text + f". A sample that differs from the reference at more than {limits.mismatch:.0%} of "
        "its known bases is refused: it is of another species, or of other loci."
    )


def _origin(manifest: Manifest) -> str:
    told = manifest.provenance
    rows = [f"- study: {manifest.name}, model family {manifest.family}"]
    rows += [f"- {key.replace('_', ' ')}: {value}" for key, value in told.items() if value]
    rows += [f"- note: {note}" for note in manifest.notes]
    return "\n".join(rows)
