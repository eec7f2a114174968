"""*Simulated* diploid SNPs ``(samples, variants)``: a quantitative trait, or drifted populations.

References
----------
Balding, Nichols (1995). A method for quantifying differentiation between populations at
multi-allelic loci. Genetica 96:3-12.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset, Target, Truth
from geno_hpo.data.oracle import trait_scores
from geno_hpo.data.simulated import drawn_by, require, sample_names
from geno_hpo.errors import DataError

__all__ = ["simulate_ancestry", "simulate_trait"]

Floats = NDArray[np.float64]

_BLOCK = 20  # neighbouring variants that are inherited together
_RATE = 0.02  # share of genotypes that are not called


def simulate_trait(
    seed: int = 1,
    samples: int = 1000,
    variants: int = 2000,
    causal: int = 50,
    *,
    heritability: float = 0.5,
    dominance: float = 0.0,
    epistasis: float = 0.0,
    linkage: float = 0.9,
) -> Dataset:
    """Simulate a trait with mean 0 and variance about 1 from SNPs in blocks of linkage.

    Parameters
    ----------
    seed
        Seed of everything drawn.
    samples, variants
        Size: at least 50 samples, at least 40 variants.
    causal
        Number of causal variants: at least 2, at most one in each block of 20.
    heritability
        Variance of the genetic value, in (0, 1).
    dominance, epistasis
        Shares of the genetic variance that come from heterozygotes, and from products of two
        causal variants; each in [0, 1], together at most 1. The rest is additive.
    linkage
        Correlation of neighbouring variants' liabilities within a block, in [0, 1).

    Notes
    -----
    The oracle predicts by the genetic value, the best there is in squared error.

    Raises
    ------
    DataError
        A number outside its range.
    """
    blocks = variants // _BLOCK
    if samples < 50 or not 2 <= causal <= blocks:
        raise DataError(
            f"a simulated trait takes at least 50 samples and 2 to {blocks} causal variants (one "
            f"in each block of {_BLOCK}), got {samples} samples and {causal}"
        )
    require("heritability", 0 < heritability < 1, heritability, "(0, 1)")
    require("dominance", 0 <= dominance <= 1, dominance, "[0, 1]")
    require("epistasis", 0 <= epistasis <= 1, epistasis, "[0, 1]")
    require("dominance + epistasis", dominance + epistasis <= 1, dominance + epistasis, "[0, 1]")
    require("linkage", 0 <= linkage < 1, linkage, "[0, 1)")
    rng = np.random.default_rng([seed, 201])
    frequency = rng.uniform(0.05, 0.5, variants)
    codes = _haplotypes(rng, samples, frequency, linkage)
    codes += _haplotypes(rng, samples, frequency, linkage)
    place = rng.choice(blocks, causal, replace=False) * _BLOCK + rng.integers(0, _BLOCK, causal)
    place = np.sort(place)
    causes = codes[:, place].astype(np.float64)
    standard = _standard(causes)
    parts = [
        (1 - dominance - epistasis, standard @ rng.normal(size=causal)),
        (dominance, _beyond_dosage(causes) @ rng.normal(size=causal)),
        (epistasis, (standard * np.roll(standard, 1, axis=1)) @ rng.normal(size=causal)),
    ]
    genetic = sum(np.sqrt(share) * _standard(value[:, None])[:, 0] for share, value in parts)
    genetic = _standard(np.asarray(genetic)[:, None])[:, 0] * np.sqrt(heritability)
    trait = genetic + rng.normal(size=samples) * np.sqrt(1 - heritability)
    codes[rng.random(codes.shape) < _RATE] = -1
    return Dataset(
        name="trait_simulated",
        kind="variants",
        ids=sample_names(samples),
        codes=codes,
        axis=tuple(f"snp{number:05d}" for number in range(1, variants + 1)),
        target=Target("regression", trait.astype(np.float32)[:, None], ("trait",)),
        origin=drawn_by(
            __name__,
            seed,
            "genotypes and labels",
            f"{causal} causal variants, heritability {heritability:g}, of which dominance "
            f"{dominance:g} and epistasis {epistasis:g}",
        ),
        truth=Truth(tuple(int(column) for column in place), trait_scores(genetic, trait)),
    )


def simulate_ancestry(
    seed: int = 1,
    samples: int = 1000,
    variants: int = 300,
    populations: int = 4,
    drift: float = 0.02,
) -> Dataset:
    """Simulate samples of populations whose allele frequencies have drifted apart.

    Parameters
    ----------
    seed
        Seed of everything drawn.
    samples, variants
        Size: at least 20 samples a population.
    populations
        At least 2.
    drift
        F_ST of each population to the ancestral one, in (0, 0.5].

    Notes
    -----
    Frequencies follow Balding and Nichols (1995). The oracle knows them, and names the population
    under which a sample's called genotypes are most likely.

    Raises
    ------
    DataError
        A number outside its range.
    """
    if populations < 2 or samples < 20 * populations or variants < 1:
        raise DataError(
            f"simulated ancestry takes at least 2 populations of 20 samples and a variant, got "
            f"{samples} samples, {populations} populations, {variants} variants"
        )
    require("drift", 0 < drift <= 0.5, drift, "(0, 0.5]")
    rng = np.random.default_rng([seed, 202])
    ancestral = rng.uniform(0.05, 0.95, variants)
    scale = (1 - drift) / drift
    drawn = rng.beta(ancestral * scale, (1 - ancestral) * scale, (populations, variants))
    frequency = np.clip(drawn, 1e-3, 1 - 1e-3)
    population = rng.permutation(np.arange(samples) % populations)
    codes = rng.binomial(2, frequency[population]).astype(np.int8)
    codes[rng.random(codes.shape) < _RATE] = -1
    carried = np.where(codes < 0, 0, codes)
    other = np.where(codes < 0, 0, 2 - codes)
    likelihood = carried @ np.log(frequency).T + other @ np.log1p(-frequency).T
    right = float((likelihood.argmax(axis=1) == population).mean())
    return Dataset(
        name="ancestry_simulated",
        kind="variants",
        ids=sample_names(samples),
        codes=codes,
        axis=tuple(f"snp{number:05d}" for number in range(1, variants + 1)),
        target=Target(
            "multiclass",
            population.astype(np.float32)[:, None],
            ("population",),
            tuple(f"P{number + 1}" for number in range(populations)),
        ),
        origin=drawn_by(
            __name__,
            seed,
            "genotypes and labels",
            f"{populations} populations, F_ST {drift:g} to their ancestor",
        ),
        truth=Truth(tuple(range(variants)), {"accuracy": right}),
    )


def _haplotypes(
    rng: np.random.Generator, samples: int, frequency: Floats, linkage: float
) -> NDArray[np.int8]:
    """Alleles ``(samples, variants)``: blocks of liabilities, cut at each variant's frequency."""
    variants = len(frequency)
    liability = rng.standard_normal((samples, variants), dtype=np.float32)
    fresh = np.sqrt(1 - linkage**2)
    for step in range(1, _BLOCK):
        now = np.arange(step, variants, _BLOCK)
        liability[:, now] = linkage * liability[:, now - 1] + fresh * liability[:, now]
    normal = NormalDist()
    cut = np.array([normal.inv_cdf(float(each)) for each in frequency])
    alleles: NDArray[np.int8] = (liability < cut).astype(np.int8)
    return alleles


def _standard(values: Floats) -> Floats:
    """Columns with mean 0 and variance 1; a constant column stays 0."""
    spread = values.std(axis=0)
    found: Floats = (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return found


def _beyond_dosage(dosage: Floats) -> Floats:
    """What being heterozygous adds to a straight line over the dosage, standardised."""
    mixed = _standard((dosage == 1).astype(np.float64))
    line = _standard(dosage)
    return _standard(mixed - line * (mixed * line).mean(axis=0))
