"""What a bundle keeps of a study's data: how a file becomes its inputs, and what a sample may lack.

References, alleles and limits are learnt from the development part; the test set is not looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.variant_files import open_genotypes, recognise
from geno_hpo.errors import GenoHpoError
from geno_hpo.evaluation.inputs import FittedInputs
from geno_hpo.study.finished import Finished

__all__ = ["encoding_of"]

LEAST_UNKNOWN = 0.10
LEAST_LOCUS = 0.25
LEAST_MISMATCH = 0.05
ROOM = 2.0
"""A limit is this many times what 99 of 100 development samples stay below."""
NO_SPECIES = 0.5
"""From this limit on, differences from the reference tell no species."""
BLOCK_BYTES = 2**26

Array = NDArray[Any]


def encoding_of(
    finished: Finished, inputs: FittedInputs
) -> tuple[dict[str, Array], dict[str, float | None], int]:
    """Arrays, limits, and the largest dosage of the development part."""
    dataset, development = finished.prepared.dataset, finished.prepared.split.development
    if inputs.variants is None:
        reference = _commonest(dataset, development)
        limits = _sequence_limits(dataset, development, reference)
        return {"reference": reference, "genome": _genome(dataset)}, limits, 2
    columns = inputs.variants.columns
    names = np.array([dataset.axis[column] for column in columns], dtype=np.str_)
    counted, other = _alleles(finished, names.tolist())
    dosage, unknown, top = _dosages(dataset, development, columns)
    arrays = {"names": names, "counted": counted, "other": other, "dosage": dosage}
    share = max(LEAST_UNKNOWN, ROOM * float(np.quantile(unknown, 0.99)))
    return arrays, {"unknown": min(1.0, share), "locus": 1.0, "mismatch": None}, top


def _commonest(dataset: Dataset, samples: NDArray[np.intp]) -> NDArray[np.int8]:
    """Commonest symbol of each position, −1 where none is known."""
    counts = np.zeros((5, dataset.features), dtype=np.int64)
    for rows in _blocks(samples, dataset.features):
        codes = np.asarray(dataset.codes[rows])
        for symbol in range(5):
            counts[symbol] += (codes == symbol).sum(axis=0)
    return np.where(counts.any(axis=0), counts.argmax(axis=0), -1).astype(np.int8)


def _sequence_limits(
    dataset: Dataset, samples: NDArray[np.intp], reference: NDArray[np.int8]
) -> dict[str, float | None]:
    stretches = [(locus.start, locus.stop) for locus in dataset.loci] or [(0, dataset.features)]
    whole, worst, differ = [], [], []
    for rows in _blocks(samples, dataset.features):
        codes = np.asarray(dataset.codes[rows])
        missing = codes < 0
        whole.append(missing.mean(axis=1))
        parts = [missing[:, start:stop].mean(axis=1) for start, stop in stretches]
        worst.append(np.max(parts, axis=0))
        known = ~missing & (reference >= 0)
        differ.append((known & (codes != reference)).sum(axis=1) / np.maximum(known.sum(axis=1), 1))

    def limit(shares: list[Array], least: float) -> float:
        return max(least, ROOM * float(np.quantile(np.concatenate(shares), 0.99)))

    mismatch = limit(differ, LEAST_MISMATCH)
    return {
        "unknown": min(1.0, limit(whole, LEAST_UNKNOWN)),
        "locus": min(1.0, limit(worst, LEAST_LOCUS)),
        "mismatch": mismatch if mismatch < NO_SPECIES else None,
    }


def _dosages(
    dataset: Dataset, samples: NDArray[np.intp], columns: NDArray[np.int32]
) -> tuple[NDArray[np.float32], NDArray[np.float64], int]:
    """Mean dosage of each column, share of each sample not called, and the largest dosage."""
    total, called = np.zeros(len(columns)), np.zeros(len(columns))
    unknown, top = [], 1
    for rows in _blocks(samples, dataset.features):
        codes = np.asarray(dataset.codes[rows])[:, columns]
        known = codes >= 0
        total += np.where(known, codes, 0).sum(axis=0)
        called += known.sum(axis=0)
        unknown.append(1 - known.mean(axis=1))
        top = max(top, int(codes.max()))
    mean = (total / np.maximum(called, 1)).astype(np.float32)
    return mean, np.concatenate(unknown), top


def _blocks(samples: NDArray[np.intp], width: int) -> list[NDArray[np.intp]]:
    step = max(1, BLOCK_BYTES // max(width, 1))
    return [samples[start : start + step] for start in range(0, len(samples), step)]


def _genome(dataset: Dataset) -> NDArray[np.int64]:
    places = np.full(dataset.features, -1, dtype=np.int64)
    for locus in dataset.loci:
        if locus.genome:
            places[locus.start : locus.stop] = locus.genome
    return places


def _alleles(finished: Finished, names: list[str]) -> tuple[Array, Array]:
    """Counted and other allele of each variant, from the study's own file; "" where unknown."""
    data, root = finished.plan.config.data, finished.plan.project.root
    nothing = np.full(len(names), "", dtype=np.str_)
    if not isinstance(data, VariantData):
        return nothing, nothing
    rooted = data.model_copy(update={"variants": root / data.variants})
    if rooted.variants.suffix in (".bim", ".fam"):
        rooted = rooted.model_copy(update={"variants": rooted.variants.with_suffix(".bed")})
    if rooted.labels is not None:
        rooted = rooted.model_copy(update={"labels": root / rooted.labels})
    try:
        kind = rooted.format or recognise(rooted.variants)
        rooted = rooted.model_copy(update={"format": kind})
        asked = Asked(finished.plan.config.targets, finished.plan.config.task, data.groups)
        found = open_genotypes(rooted, asked)
    except GenoHpoError:  # the file has gone since: the bundle tells no alleles
        return nothing, nothing
    told = dict(zip(found.names, found.alleles, strict=False))
    pairs = [told.get(name, ("", "")) for name in names]
    counted, other = zip(*pairs, strict=True)
    return np.array(counted, dtype=np.str_), np.array(other, dtype=np.str_)
