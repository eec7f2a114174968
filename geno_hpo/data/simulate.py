"""The embedded *simulated* cohort: a katG-like gene in a clonal population, its truth known.

``simulate_katg`` gives codes ``(isolates, 2223)``: the gene read 5′ to 3′ on the reverse strand,
so that column 0 is the highest genome coordinate, as katG lies in *M. tuberculosis* H37Rv. The
sequence itself is drawn, not H37Rv's. The steps:

1. a reference gene: 741 codons, GC about 0.65, no stop inside, codon 315 AGC (serine);
2. a clonal tree (`geno_hpo.data.clonal_tree`): lineages, sub-clades, clones, private variants;
3. resistance arises many times over the tree and spreads with some clones; each event has one
   cause: S315T (about two thirds of resistant isolates), one of ten rarer codons, or a cause
   outside the gene that no sequence shows;
4. phenotypes are wrong for 3 % of isolates; stretches of bases (about 0.3 %) are uncalled.

Neutral missense changes lie all over the gene, so that "any missense" is no shortcut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.clonal_tree import ClonalTree, grow_tree
from geno_hpo.data.dataset import Dataset, Locus, Origin, Target, Truth
from geno_hpo.data.simulated import drawn_by, sample_names
from geno_hpo.errors import DataError

__all__ = ["CODONS", "simulate_katg"]

CODONS = 741
_LENGTH = 3 * CODONS
_GENOME_END = 2_156_111  # 1-based H37Rv position of the gene's first base, reverse strand
_DOMINANT = 315
_STOPS = ("TAA", "TAG", "TGA")

_PHENOTYPE_ERROR = 0.03
_UNCALLED_ISOLATES = 0.25  # isolates with a stretch of uncalled bases …
_UNCALLED_LENGTH = 27  # … and its mean length: 0.3 % of all bases
_DOMINANT_SHARE = 0.66
_TAIL_SHARES = (0.06, 0.05, 0.04, 0.03, 0.025, 0.025, 0.02, 0.02, 0.015, 0.015)
_EVENT_SIZE = 6  # largest clone in which a rarer cause may spread

_HIDDEN = len(_TAIL_SHARES) + 1  # cause index of resistance from outside the gene
_NONE = -1


@dataclass(frozen=True)
class _Cause:
    """A resistance codon: its 1-based number, the column that changes, and the new base."""

    codon: int
    column: int
    base: int


def simulate_katg(seed: int = 1, isolates: int = 1800) -> Dataset:
    """Simulate resistance to isoniazid in a katG-like gene; nothing in it is real.

    Parameters
    ----------
    seed
        Seed of everything drawn.
    isolates
        Number of isolates, at least 100. With the default every causal codon has at least 8
        carriers; small cohorts may lack some.

    Returns
    -------
    Dataset
        Binary target ``inh`` (resistant is the positive class), groups ``lineage`` and
        ``clone``, the truth with the causal columns and the oracle's AUC.

    Raises
    ------
    DataError
        `isolates` is below 100.

    Notes
    -----
    The oracle knows each isolate's causal state, uncalled bases included, and scores by the
    posterior probability of an observed "resistant" under the generating model: ``1 − error``
    for carriers of any causal change, and for all others ``h (1 − error) + (1 − h) error``
    with ``h`` the share of hidden causes among isolates without a causal change. No score of
    the causal states has a higher expected AUC.
    """
    if isolates < 100:
        raise DataError(f"a simulated cohort has at least 100 isolates, got {isolates}")
    rng = np.random.default_rng([seed, 315])
    reference = _reference_gene(rng)
    causes = _draw_causes(rng, reference)
    tree = grow_tree(rng, isolates)
    truth = _mutate(rng, reference, tree, {cause.codon for cause in causes})
    cause_of = _assign_causes(rng, tree)
    for index, cause in enumerate(causes):
        truth[cause_of == index, cause.column] = cause.base

    resistant = cause_of != _NONE
    observed = resistant ^ (rng.random(isolates) < _PHENOTYPE_ERROR)
    in_gene = resistant & (cause_of != _HIDDEN)
    return Dataset(
        name="katg_simulated",
        kind="sequence",
        ids=sample_names(isolates),
        codes=_uncall(rng, truth),
        axis=tuple(f"katG:{codon}.{base}" for codon in range(1, CODONS + 1) for base in (1, 2, 3)),
        target=Target(
            task="binary",
            values=observed.astype(np.float32)[:, None],
            names=("inh",),
            classes=("susceptible", "resistant"),
        ),
        groups={
            "lineage": np.array([f"L{number + 1}" for number in tree.lineage]),
            "clone": np.array([f"C{number + 1:04d}" for number in tree.clone]),
        },
        loci=(
            Locus(
                name="katG",
                start=0,
                stop=_LENGTH,
                genome=tuple(range(_GENOME_END - 1, _GENOME_END - 1 - _LENGTH, -1)),
                strand="-",
                coding=0,
            ),
        ),
        origin=_origin(seed, reference, causes, cause_of),
        truth=Truth(
            positions=tuple(sorted(cause.column for cause in causes)),
            oracle={"auc": _oracle_auc(in_gene, cause_of == _HIDDEN, observed)},
        ),
    )


def _origin(
    seed: int, reference: NDArray[np.int8], causes: list[_Cause], cause_of: NDArray[np.int64]
) -> Origin:
    names = []
    for index, cause in enumerate(causes):
        codon = reference[3 * cause.codon - 3 : 3 * cause.codon]
        changed = codon.copy()
        changed[cause.column % 3] = cause.base
        name = encoding.change_name(codon, changed, cause.codon)
        names.append(f"{name} ({int((cause_of == index).sum())})")
    return drawn_by(
        __name__,
        seed,
        "sequence, isolates and resistance",
        "causal changes and their carriers: " + ", ".join(names),
        f"resistant from a cause outside the gene: {int((cause_of == _HIDDEN).sum())}",
    )


def _reference_gene(rng: np.random.Generator) -> NDArray[np.int8]:
    """Draw ``(2223,)`` codes: ATG, sense codons of high GC with AGC at 315, TGA."""
    codons = [a + b + c for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    sense = [codon for codon in codons if codon not in _STOPS]
    weights = np.array([1.8 ** sum(base in "GC" for base in codon) for codon in sense])
    drawn = rng.choice(sense, size=CODONS, p=weights / weights.sum())
    drawn[0], drawn[_DOMINANT - 1], drawn[-1] = "ATG", "AGC", "TGA"
    return encoding.encode("".join(drawn))


def _draw_causes(rng: np.random.Generator, reference: NDArray[np.int8]) -> list[_Cause]:
    """S315T first, then one missense change in each of ten codons at least ten apart."""
    causes = [_Cause(_DOMINANT, 3 * _DOMINANT - 2, 1)]
    for codon in rng.permutation(np.arange(20, CODONS - 20)):
        if min(abs(int(codon) - cause.codon) for cause in causes) < 10:
            continue
        frame = reference[3 * codon - 3 : 3 * codon]
        place, base = int(rng.integers(2)), int(rng.integers(4))
        changed = frame.copy()
        changed[place] = base
        before, after = encoding.translate(frame), encoding.translate(changed)
        if after not in (before, "*"):
            causes.append(_Cause(int(codon), int(3 * codon - 3 + place), base))
        if len(causes) == _HIDDEN:
            break
    return causes


def _mutate(
    rng: np.random.Generator, reference: NDArray[np.int8], tree: ClonalTree, spared: set[int]
) -> NDArray[np.int8]:
    """Sequences ``(isolates, 2223)`` with the tree's neutral mutations; no stop, no causal codon.

    Each event of the tree is one substitution, silent or missense, in all isolates below it.
    """
    codes = np.repeat(reference[None], len(tree.lineage), axis=0)
    candidates = np.array([c for c in range(2, CODONS) if c not in spared])
    stops = {tuple(encoding.encode(stop)) for stop in _STOPS}
    for carriers in tree.events:
        while True:
            column = 3 * (int(rng.choice(candidates)) - 1) + int(rng.integers(3))
            base = (int(reference[column]) + int(rng.integers(1, 4))) % 4
            first = column - column % 3
            frames = codes[carriers, first : first + 3].copy()
            frames[:, column % 3] = base
            if stops.isdisjoint(map(tuple, np.unique(frames, axis=0))):
                break
        codes[carriers, column] = base
    return codes


def _assign_causes(rng: np.random.Generator, tree: ClonalTree) -> NDArray[np.int64]:
    """Cause of resistance of each isolate: a cause index, or −1 for susceptible ones.

    Resistance events come from the tree; each gets a cause with a chance that follows what the
    cause still lacks of its share, so that the shares hold closely and every cause arises in
    several clones. Hidden causes arise in single isolates only: a hidden clone would be
    predictable from its neutral variants, and the oracle no longer the best predictor.
    """
    shares = np.array([_DOMINANT_SHARE, *_TAIL_SHARES, 0.0])
    shares[_HIDDEN] = 1.0 - shares.sum()
    lacking = shares * sum(len(carriers) for carriers in tree.resistance)
    cause_of = np.full(len(tree.lineage), _NONE, dtype=np.int64)
    for carriers in sorted(tree.resistance, key=len, reverse=True):
        chance = np.maximum(lacking, 0.0) ** 1.5
        chance[lacking < len(carriers) / 2] = 0.0
        if len(carriers) > 1:
            chance[_HIDDEN] = 0.0
        if len(carriers) > _EVENT_SIZE or not chance.any():
            chance = np.eye(len(shares))[0]
        cause = int(rng.choice(len(shares), p=chance / chance.sum()))
        lacking[cause] -= len(carriers)
        cause_of[carriers] = cause
    return cause_of


def _uncall(rng: np.random.Generator, truth: NDArray[np.int8]) -> NDArray[np.int8]:
    """Put a stretch of unknown bases into some isolates, as low coverage does."""
    codes = truth.copy()
    for row in np.flatnonzero(rng.random(len(codes)) < _UNCALLED_ISOLATES):
        start = int(rng.integers(_LENGTH))
        codes[row, start : start + int(rng.geometric(1 / _UNCALLED_LENGTH))] = encoding.UNKNOWN
    return codes


def _oracle_auc(
    in_gene: NDArray[np.bool_], hidden: NDArray[np.bool_], observed: NDArray[np.bool_]
) -> float:
    """AUC of the posterior described in `simulate_katg`, ties counted half."""
    share = hidden[~in_gene].mean()
    other = share * (1 - _PHENOTYPE_ERROR) + (1 - share) * _PHENOTYPE_ERROR
    score = np.where(in_gene, 1 - _PHENOTYPE_ERROR, other)
    positive, negative = score[observed], score[~observed]
    above = (positive[:, None] > negative[None]).mean()
    level = (positive[:, None] == negative[None]).mean()
    return float(above + level / 2)
