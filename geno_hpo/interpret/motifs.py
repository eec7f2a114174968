"""Motifs from attributions and filters, and how alike they are to known ones.

Stretches of high contribution (*seqlets*) are cut out of every sequence; what aligns with the best
of them is averaged, aligned again, and told as base frequencies. A filter's motif is what it sees
where it is most active. Matrices are ``(width, 4)`` probabilities of A, C, G, T.

References
----------
Shrikumar A, Tian K, Avsec Ž, et al. (2018). Technical note on transcription factor motif discovery
from importance scores (TF-MoDISco). arXiv:1811.00416. (seqlets; what is here is far simpler)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.encoding import one_hot
from geno_hpo.interpret.known import KnownMotif

__all__ = ["Alignment", "Found", "compare_motifs", "filter_motif", "find_motifs", "information"]

Floats = NDArray[np.float64]

WINDOW = 10  # positions of a seqlet that must contribute together
MARGIN = 4  # positions kept on either side of it, and the farthest shift when seqlets are aligned
FEWEST = 10  # seqlets that make a motif
STRAYS = 5  # seqlets without a family that are passed over
ROUNDS = 6  # alignments of all seqlets to their mean
SHUFFLES = 400  # of a known motif's columns, for the chance of such a likeness
PSEUDOCOUNT = 0.5
TRIMMED = 0.2  # bits below which a column at the edge is cut off
HALF = 0.5


@dataclass(frozen=True)
class Found:
    """A motif and how many sites it was made of.

    Parameters
    ----------
    matrix
        ``(width, 4)`` base frequencies.
    sites
        Seqlets, or sequences in which a filter was active.
    heights
        ``(width, 4)`` mean contribution of each base at the sites; zeros for a filter.
    """

    matrix: Floats
    sites: int
    heights: Floats


@dataclass(frozen=True)
class Alignment:
    """The known motif most like another, and where they lie on each other.

    Parameters
    ----------
    name
        Of the known motif.
    similarity
        Cosine of the two matrices less 1/4, at the best offset; 1 is equal.
    p_value
        Chance of such a likeness with the known motif's columns and letters shuffled.
    offset
        Column of the found motif on which the known one begins.
    reversed_strand
        Whether the known motif is read on the other strand.
    """

    name: str
    similarity: float
    p_value: float
    offset: int
    reversed_strand: bool


def information(matrix: Floats) -> Floats:
    """Information of each column in bits, from 0 to 2."""
    safe = np.clip(matrix, 1e-12, None)
    bits: Floats = 2.0 + (matrix * np.log2(safe)).sum(axis=1)
    return np.maximum(bits, 0.0)


def find_motifs(
    contributions: NDArray[Any], codes: NDArray[np.int8], *, seed: int, most: int = 4
) -> tuple[Found, ...]:
    """Motifs that contribute together, the most frequent first.

    Parameters
    ----------
    contributions
        ``(samples, positions)`` signed; positive is what speaks for the output.
    codes
        ``(samples, positions)`` int8 of the same samples.
    seed
        Of the shuffles that say which sums chance gives.
    most
        Motifs at most.
    """
    if contributions.shape != codes.shape:
        raise ValueError(f"contributions must be {codes.shape}, got {contributions.shape}")
    rng = np.random.default_rng(seed)
    pieces = _seqlets(np.asarray(contributions, dtype=np.float64), codes, rng)
    found: list[Found] = []
    for _ in range(most + STRAYS):
        if len(pieces) < FEWEST or len(found) == most:
            break
        members, place = _family(pieces, rng)
        if members.sum() >= FEWEST:
            found.append(_averaged(pieces[members], place[members]))
            pieces = pieces[~members]
        else:
            pieces = pieces[1:]
    return tuple(sorted(found, key=lambda one: -one.sites))


def filter_motif(activations: NDArray[Any], codes: NDArray[np.int8], width: int) -> Found | None:
    """What one filter of the first convolution sees where it is active; None if that is rare.

    Parameters
    ----------
    activations
        ``(samples, positions)`` of the filter, after its activation.
    codes
        ``(samples, positions)`` int8.
    width
        Of the filter.
    """
    best = activations.argmax(axis=1)
    top = activations.max(axis=1)
    lowest = float(activations.min())
    active = top > lowest + HALF * (float(top.max()) - lowest)
    start = best - (width - 1) // 2
    inside = active & (start >= 0) & (start + width <= codes.shape[1])
    if top.max() <= lowest or inside.sum() < FEWEST:
        return None
    rows = np.flatnonzero(inside)
    windows = codes[rows[:, None], start[rows, None] + np.arange(width)]
    matrix = _frequencies(one_hot(windows)[..., :4].sum(axis=0))
    return Found(matrix, len(rows), np.zeros_like(matrix))


def compare_motifs(matrix: Floats, known: Sequence[KnownMotif], *, seed: int) -> Alignment | None:
    """The known motif most like this one; None without known motifs."""
    rng = np.random.default_rng(seed)
    best: Alignment | None = None
    for motif in known:
        similarity, offset, back = _liken(matrix, motif.matrix)
        if best is not None and similarity <= best.similarity:
            continue
        chance = [_liken(matrix, _shuffled(motif.matrix, rng))[0] for _ in range(SHUFFLES)]
        p = (1 + sum(x >= similarity for x in chance)) / (1 + SHUFFLES)
        best = Alignment(motif.name, similarity, p, offset, back)
    return best


def _seqlets(contributions: Floats, codes: NDArray[np.int8], rng: np.random.Generator) -> Floats:
    """Contribution matrices ``(seqlets, WINDOW + 2 MARGIN, 4)``, the strongest first."""
    samples, length = contributions.shape
    window = min(WINDOW, length)
    chance = _sums(rng.permuted(contributions, axis=1), window).max(axis=1)
    threshold = float(np.quantile(chance, 0.95))
    sums = _sums(contributions, window)
    height = one_hot(codes)[..., :4] * contributions[..., None]
    padded = np.pad(height, ((0, 0), (MARGIN, MARGIN + WINDOW - window), (0, 0)))
    cut, strength = [], []
    while True:
        best = sums.argmax(axis=1)
        value = sums[np.arange(samples), best]
        rows = np.flatnonzero(value > max(threshold, 0.0))
        if len(rows) == 0:
            break
        for row in rows:
            start = int(best[row])
            cut.append(padded[row, start : start + WINDOW + 2 * MARGIN])
            strength.append(value[row])
            sums[row, max(0, start - window + 1) : start + window] = -np.inf
    if not cut:
        return np.zeros((0, WINDOW + 2 * MARGIN, 4))
    return np.stack(cut)[np.argsort(-np.array(strength), kind="stable")]


def _sums(values: Floats, window: int) -> Floats:
    windows = np.lib.stride_tricks.sliding_window_view(values, window, axis=1)
    sums: Floats = windows.sum(axis=2)
    return sums


def _shifted(pieces: Floats) -> Floats:
    """Every piece at every shift, ``(pieces, shifts, width, 4)``; zeros come in at the edges."""
    padded = np.pad(pieces, ((0, 0), (MARGIN, MARGIN), (0, 0)))
    width = pieces.shape[1]
    return np.stack([padded[:, s : s + width] for s in range(2 * MARGIN + 1)], axis=1)


def _family(pieces: Floats, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Pieces like the strongest one: which, and the shift of each."""
    shifted = _shifted(pieces)
    lengths = np.linalg.norm(shifted.reshape(*shifted.shape[:2], -1), axis=2)
    template = pieces[0]
    members, place = np.zeros(len(pieces), dtype=bool), np.zeros(len(pieces), dtype=np.intp)
    for _ in range(ROUNDS):
        likeness = _cosines(shifted, lengths, template)
        place = likeness.argmax(axis=1)
        other = rng.permuted(template.reshape(-1, 4), axis=1)[rng.permutation(len(template))]
        chance = _cosines(shifted, lengths, other).max(axis=1)
        members = likeness.max(axis=1) > max(float(np.quantile(chance, 0.95)), 0.25)
        if not members.any():
            break
        template = shifted[members, place[members]].mean(axis=0)
    return members, place


def _cosines(shifted: Floats, lengths: Floats, template: Floats) -> Floats:
    """Cosine of every piece and shift with the template, ``(pieces, shifts)``."""
    products = np.tensordot(shifted, template, axes=([2, 3], [0, 1]))
    cosines: Floats = products / np.maximum(lengths * np.linalg.norm(template), 1e-12)
    return cosines


def _averaged(pieces: Floats, place: NDArray[np.intp]) -> Found:
    aligned = _shifted(pieces)[np.arange(len(pieces)), place]
    matrix = _frequencies((aligned != 0).sum(axis=0).astype(np.float64))
    heights = aligned.mean(axis=0)
    telling = np.flatnonzero(information(matrix) >= TRIMMED)
    first, last = (telling[0], telling[-1] + 1) if len(telling) else (0, len(matrix))
    return Found(matrix[first:last], len(pieces), heights[first:last])


def _frequencies(counts: NDArray[Any]) -> Floats:
    whole: Floats = np.asarray(counts, dtype=np.float64) + PSEUDOCOUNT
    whole /= whole.sum(axis=1, keepdims=True)
    return whole


def _liken(found: Floats, known: Floats) -> tuple[float, int, bool]:
    """Best cosine over offsets and strands, with both."""
    best = (-1.0, 0, False)
    size = np.linalg.norm(found - 0.25) * np.linalg.norm(known - 0.25)
    if size == 0:
        return best
    reach = len(known) - 1
    padded = np.pad(found - 0.25, ((reach, reach), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(known), axis=0)
    for back in (False, True):
        other = (known[::-1, ::-1] if back else known) - 0.25
        products = np.einsum("obw,wb->o", windows, other) / size
        place = int(products.argmax())
        if products[place] > best[0]:
            best = (float(products[place]), place - reach, back)
    return best


def _shuffled(matrix: Floats, rng: np.random.Generator) -> Floats:
    shuffled: Floats = rng.permuted(matrix[rng.permutation(len(matrix))], axis=1)
    return shuffled
