"""Names that a study picks from a file: samples, variants, chromosomes, none of them unknown."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import Genotypes, Index
from geno_hpo.data.tables import require_file
from geno_hpo.errors import InputError

__all__ = ["choose", "choose_samples", "choose_variants", "wanted_names"]

LIST = "file:"
"""Begins an entry that names a file of names, one a line."""


def wanted_names(entries: Sequence[str]) -> tuple[str, ...]:
    """Names as listed, and those of the files that are named as ``file:PATH``.

    Raises
    ------
    InputError
        A file is missing or empty, or a name stands twice.
    """
    names: list[str] = []
    for each in entries:
        if each.startswith(LIST):
            path = Path(each.removeprefix(LIST))
            require_file(path, "list")
            names.extend(path.read_text(encoding="utf-8-sig").split())
        else:
            names.append(each)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice!r} is listed twice")
    return tuple(names)


def choose(known: Sequence[str], wanted: Sequence[str], what: str) -> Index:
    """Places of the wanted names in `known`, ascending.

    Raises
    ------
    InputError
        Names that are not there: how many, and what is near the first.
    """
    places = {name: place for place, name in enumerate(known)}
    unknown = [name for name in wanted if name not in places]
    if unknown:
        first = unknown[0]
        swapped = first.removeprefix("chr") if first.startswith("chr") else f"chr{first}"
        near = [swapped] if swapped in places else get_close_matches(first, known[:10000], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; the first is {known[0]!r}"
        raise InputError(f"{len(unknown)} of {len(wanted)}: no {what} is called {first!r}{hint}")
    return np.array(sorted(places[name] for name in wanted), dtype=np.intp)


def choose_samples(genotypes: Genotypes, config: VariantData) -> Index:
    """Indices of the samples that the study picks; all without a choice."""
    wanted = wanted_names(config.samples)
    if not wanted:
        return np.arange(len(genotypes.ids), dtype=np.intp)
    return choose(genotypes.ids, wanted, f"sample of {genotypes.path}")


def choose_variants(genotypes: Genotypes, config: VariantData) -> Index:
    """Indices of the variants that the study picks by name and chromosome.

    Raises
    ------
    InputError
        Unknown names, chromosomes the format does not tell, or nothing left.
    """
    columns = np.arange(len(genotypes.names), dtype=np.intp)
    if wanted := wanted_names(config.snps):
        columns = choose(genotypes.names, wanted, f"variant of {genotypes.path}")
    if config.chromosomes:
        if not genotypes.chromosomes:
            raise InputError(
                f"{genotypes.path} does not tell its variants' chromosomes: leave `chromosomes` out"
            )
        present = tuple(dict.fromkeys(genotypes.chromosomes))
        choose(present, config.chromosomes, f"chromosome of {genotypes.path}")
        inside = np.isin(np.array(genotypes.chromosomes), config.chromosomes)
        columns = columns[inside[columns]]
    if not len(columns):
        raise InputError(
            f"no variant of {genotypes.path} is among `snps` and on `chromosomes` "
            f"{', '.join(config.chromosomes)}"
        )
    return columns
