"""Plain results that say why: hyperparameters that mattered, and what the winner looks at.

The study fills these, the report draws them. Positions are the data set's columns; matrices of
motifs are ``(width, 4)`` for A, C, G, T.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Association", "Example", "Explanation", "Importance", "Motif", "Track", "consensus"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Importance:
    """How much each hyperparameter had to do with being among the best trials.

    Parameters
    ----------
    shares
        Hyperparameter to its share, largest first; together 1. Empty where nothing can be told.
    trials, best
        Complete trials it is drawn from, and how many of them count as the best.
    """

    shares: dict[str, float]
    trials: int
    best: int


@dataclass(frozen=True)
class Track:
    """One method's attribution along the positions.

    Parameters
    ----------
    method, label
        Short name, and the name for people.
    scores, spread
        ``(positions,)`` mean over restarts and its standard deviation; NaN where not tried.
    precision
        Average precision (AUPRC) of a simulation's causal positions; None without such.
    """

    method: str
    label: str
    scores: Floats
    spread: Floats
    precision: float | None = None


@dataclass(frozen=True)
class Motif:
    """A motif that the network found, or one that was planted or given.

    Parameters
    ----------
    source
        ``attributions``, ``filter`` or ``known``.
    name
        For people, such as ``motif 1 for resistant``.
    matrix
        ``(width, 4)`` base frequencies.
    sites
        Places it was made of; 0 for a known one.
    known, similarity, p_value
        The known motif most like it, how alike (cosine), and by what chance; "" without one.
    offset, reversed_strand
        Where the known one begins on it, and whether on the other strand.
    tie
        A filter's rank correlation with the output.
    """

    source: str
    name: str
    matrix: Floats
    sites: int = 0
    known: str = ""
    similarity: float = 0.0
    p_value: float = 1.0
    offset: int = 0
    reversed_strand: bool = False
    tie: float | None = None


@dataclass(frozen=True)
class Example:
    """One sequence with the contribution of each base, mean over restarts.

    Parameters
    ----------
    sample, label
        Its id, and what it is.
    codes, heights
        ``(positions,)`` bases and signed contributions.
    planted
        Half-open columns of copies that a simulation planted.
    """

    sample: str
    label: str
    codes: NDArray[np.int8]
    heights: Floats
    planted: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Association:
    """Variants: what shuffling one costs the network, beside its univariate test.

    Parameters
    ----------
    columns
        ``(tested,)`` columns of the data set that were shuffled.
    loss, spread
        ``(tested,)`` loss of score on the test samples, mean over restarts and shuffles, and its
        standard deviation over restarts.
    log_p
        ``(positions,)`` −log10 p of the univariate test on the development samples.
    metric
        Name of the score.
    """

    columns: NDArray[np.intp]
    loss: Floats
    spread: Floats
    log_p: Floats
    metric: str


@dataclass(frozen=True)
class CodonPlaces:
    """A codon's place by each method of attribution.

    Parameters
    ----------
    locus, number
        Gene, and codon number in it from 1.
    change
        Changes from the commonest codon, most frequent first; empty where it does not vary.
    causal
        Whether a simulation put a cause here.
    places
        Method to place, from 1; a method that gives it nothing has none.
    """

    locus: str
    number: int
    change: str
    causal: bool
    places: dict[str, int]

    @property
    def name(self) -> str:
        """The gene with the commonest change, or with the codon's number: ``katG S315T``."""
        return f"{self.locus} {self.change.partition(',')[0].split(' and ')[0] or self.number}"


@dataclass(frozen=True)
class Explanation:
    """What was asked of the winner's restarts.

    Parameters
    ----------
    tracks
        One a method.
    samples
        Samples looked at.
    restarts
        Networks averaged.
    gap
        What integrated gradients miss of adding up to the output, a share.
    untrained
        Rank correlation of contributions with those of the same network with random weights.
    between
        Mean rank correlation of contributions between restarts; None for one.
    motifs, known
        Motifs found, and those that were planted or given.
    examples
        Single sequences.
    on_copies
        Positive samples whose highest contribution lies on a planted copy, and all with a copy.
    association
        For variants.
    folds, over_folds
        Networks of the folds that were asked, and the rank correlation of their mean with the
        restarts' mean; 0 and None where they were not.
    codons
        For coding loci: codons with their place by each method, those with the best places first.
    notes
        Bounds of work that were met, and what could not be asked.
    """

    tracks: tuple[Track, ...]
    samples: int
    restarts: int
    gap: float
    untrained: float
    between: float | None
    motifs: tuple[Motif, ...] = ()
    known: tuple[Motif, ...] = ()
    examples: tuple[Example, ...] = ()
    on_copies: tuple[int, int] | None = None
    association: Association | None = None
    folds: int = 0
    over_folds: float | None = None
    codons: tuple[CodonPlaces, ...] = ()
    notes: tuple[str, ...] = ()

    def first_codons(self, method: str, many: int = 5) -> list[CodonPlaces]:
        """The codons at the first places of a method, best first."""
        there = [one for one in self.codons if one.places.get(method, many + 1) <= many]
        return sorted(there, key=lambda one: one.places[method])

    @property
    def content(self) -> dict[str, Any]:
        """Numbers for ``summary.json``."""
        return {
            "samples": self.samples,
            "restarts": self.restarts,
            "completeness_gap": self.gap,
            "untrained_correlation": self.untrained,
            "restart_correlation": self.between,
            "fold_correlation": self.over_folds,
            "causal_precision": {
                track.method: track.precision
                for track in self.tracks
                if track.precision is not None
            },
            "codons": {
                track.method: [one.name for one in self.first_codons(track.method)]
                for track in self.tracks
                if self.codons
            },
            "peaks_on_copies": list(self.on_copies) if self.on_copies else None,
            "motifs": [
                {
                    "name": one.name,
                    "sites": one.sites,
                    "consensus": consensus(one.matrix),
                    "known": one.known or None,
                    "similarity": one.similarity if one.known else None,
                    "p_value": one.p_value if one.known else None,
                }
                for one in self.motifs
                if one.source == "attributions"
            ],
        }


def consensus(matrix: Floats) -> str:
    """Letters of a motif: the base of each column, lower case where it holds less than half."""
    best = matrix.argmax(axis=1)
    letters = ["ACGT"[i] for i in best]
    return "".join(
        letter if row[i] >= 0.5 else letter.lower()
        for letter, row, i in zip(letters, matrix, best, strict=True)
    )
