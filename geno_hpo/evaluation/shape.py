"""The form of a network's inputs: of a study, and of a configuration that selects for itself."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.data.mapped import row_blocks
from geno_hpo.encoding import GAP
from geno_hpo.errors import InputError
from geno_hpo.models import FAMILIES, ModelShape, Parameters
from geno_hpo.preprocess import input_width

if TYPE_CHECKING:
    from geno_hpo.config import PreprocessConfig

__all__ = ["chosen", "learns", "model_shape", "shaped"]


def model_shape(dataset: Dataset, settings: PreprocessConfig) -> ModelShape:
    """What a model of this data set takes in and gives out."""
    loci: tuple[int, ...] = ()
    if dataset.kind == "sequence":
        loci = _loci(dataset)
        symbols = 5 if _has_gaps(dataset.codes) else 4
        length = dataset.features
    else:
        symbols = 1
        length = input_width(dataset.features, settings)
    return ModelShape(
        kind=dataset.kind,
        length=length,
        symbols=symbols,
        units=dataset.target.units,
        task=dataset.target.task,
        loci=loci,
        counts=dataset.target.counts,
    )


def shaped(shape: ModelShape, settings: PreprocessConfig, dataset: Dataset) -> ModelShape:
    """The study's `model_shape` with the width of the settings that `chosen` gave."""
    if dataset.kind == "sequence":
        return shape
    return replace(shape, length=input_width(dataset.features, settings))


def chosen(settings: PreprocessConfig, params: Parameters, dataset: Dataset) -> PreprocessConfig:
    """Settings of one configuration: its ``select``, if it has one, in place of the study's.

    Raises
    ------
    InputError
        The data are sequences, the number does not lie between the components and the variants,
        or the family describes variants where components are the inputs.
    """
    if settings.components is not None and learns(params):
        raise InputError(
            f"family {params['family']} reads {', '.join(learns(params))} of variants, which "
            f"principal components do not have: got preprocess.components {settings.components}"
        )
    if "select" not in params:
        return settings
    select, least = params["select"], settings.components or 1
    if dataset.kind == "sequence":
        raise InputError(f"select belongs to variant tables, got {select} with sequences")
    if isinstance(select, bool | float | str) or not least <= select <= dataset.features:
        bound = f"the {least} components" if settings.components else "1"
        raise InputError(
            f"select must be an integer from {bound} to the {dataset.features} variants, "
            f"got {select!r}"
        )
    return settings.model_copy(update={"select": select})


def learns(params: Parameters) -> tuple[str, ...]:
    """Weights that the family of a configuration takes from the training part."""
    family = FAMILIES.get(str(params.get("family", "")))
    return () if family is None else family.learns


def _loci(dataset: Dataset) -> tuple[int, ...]:
    """Lengths of two or more loci that lie side by side over the whole axis; else none."""
    ends = [0, *(locus.stop for locus in dataset.loci)]
    side_by_side = [locus.start for locus in dataset.loci] == ends[:-1]
    if len(dataset.loci) < 2 or not side_by_side or ends[-1] != dataset.features:
        return ()
    return tuple(locus.stop - locus.start for locus in dataset.loci)


def _has_gaps(codes: NDArray[np.int8]) -> bool:
    """Whether a sequence holds a gap; IUPAC codes lie above it."""
    top = int(codes.max())
    return top == GAP or (top > GAP and any((rows == GAP).any() for rows in row_blocks(codes)))
