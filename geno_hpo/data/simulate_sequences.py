"""*Simulated* DNA with planted motifs: one motif, or marks of chromatin that share a grammar.

Codes are ``(sequences, length)``. The background is uniform; a planted copy of a motif has each
base changed with a given chance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.dataset import Dataset, Target, Truth
from geno_hpo.data.oracle import auc, outputs_truth
from geno_hpo.data.simulated import drawn_by, require, sample_names
from geno_hpo.errors import DataError

__all__ = ["MARKS", "MOTIF", "simulate_chromatin", "simulate_motif"]

MOTIF = "CGACCGAACTCC"
"""The motif that `simulate_motif` plants, that of Zou et al. (2019)."""

MARKS = ("open", "active", "silenced", "enhancer")
"""Marks of `simulate_chromatin`."""

_MOTIFS = 6
_WIDTH = 10
_SLOT = 25  # a motif stands inside a slot of its own, so that copies never overlap
_NEAR = 60  # bases within which two motifs act together
_PRESENT = 0.45


def simulate_motif(
    seed: int = 1, sequences: int = 2000, length: int = 50, changed: float = 0.25
) -> Dataset:
    """Simulate sequences of which half hold the motif, at a place drawn evenly.

    Parameters
    ----------
    seed
        Seed of everything drawn.
    sequences, length
        Size: at least 100 sequences, at least as long as the motif.
    changed
        Chance that a base of a planted copy is another one, in [0, 0.75].

    Notes
    -----
    The oracle scores by the likelihood ratio of "a motif somewhere" against "none" under the
    generating model, the best score there is (Neyman and Pearson).

    Raises
    ------
    DataError
        A size or chance outside its range.
    """
    motif = encoding.encode(MOTIF)
    width = len(motif)
    if sequences < 100 or length < width:
        raise DataError(
            f"simulated motifs take at least 100 sequences of {width} bases, got {sequences} of "
            f"{length}"
        )
    require("changed", 0 <= changed <= 0.75, changed, "[0, 0.75]")
    rng = np.random.default_rng([seed, 101])
    codes = rng.integers(0, 4, (sequences, length)).astype(np.int8)
    label = rng.permutation(np.arange(sequences) % 2 == 0)
    rows = np.flatnonzero(label)
    start = rng.integers(0, length - width + 1, len(rows))
    _plant(rng, codes, rows, start, motif, changed)

    windows = np.lib.stride_tricks.sliding_window_view(codes, width, axis=1)
    hits = (windows == motif).sum(axis=2)
    right, wrong = np.log(4 * (1 - changed)), np.log(max(4 * changed / 3, 1e-12))
    ratio = np.logaddexp.reduce(hits * right + (width - hits) * wrong, axis=1)
    return Dataset(
        name="motif_simulated",
        kind="sequence",
        ids=sample_names(sequences),
        codes=codes,
        axis=tuple(str(position + 1) for position in range(length)),
        target=Target(
            "binary", label.astype(np.float32)[:, None], ("motif",), ("absent", "present")
        ),
        origin=drawn_by(
            __name__,
            seed,
            "sequences and labels",
            f"the motif {MOTIF} stands in {len(rows)} of {sequences} sequences, each base changed "
            f"with chance {changed:g}",
        ),
        truth=Truth(
            tuple(range(length)),
            {"auc": auc(ratio, label)},
            motifs={"planted motif": MOTIF},
            copies=_copies(rows, start, width),
        ),
    )


def simulate_chromatin(
    seed: int = 1,
    sequences: int = 3000,
    length: int = 300,
    changed: float = 0.1,
    wrong: float = 0.05,
) -> Dataset:
    """Simulate four marks that six motifs decide by shared rules.

    Parameters
    ----------
    seed
        Seed of everything drawn.
    sequences, length
        Size: at least 200 sequences of at least 200 bases.
    changed
        Chance that a base of a planted copy is another one, in [0, 0.75].
    wrong
        Chance that a label is wrong, in [0, 0.5].

    Notes
    -----
    With motifs A to F: *open*: A or B. *active*: A and C within 60 bases of each other.
    *silenced*: D, and not B. *enhancer*: E before F, or A and C within 60 bases. The
    oracle knows which motifs were planted where.

    Raises
    ------
    DataError
        A size or chance outside its range.
    """
    if sequences < 200 or length < 200:
        raise DataError(
            f"simulated chromatin takes at least 200 sequences of 200 bases, got {sequences} of "
            f"{length}"
        )
    require("changed", 0 <= changed <= 0.75, changed, "[0, 0.75]")
    require("wrong", 0 <= wrong <= 0.5, wrong, "[0, 0.5]")
    rng = np.random.default_rng([seed, 102])
    codes = rng.integers(0, 4, (sequences, length)).astype(np.int8)
    motifs = rng.integers(0, 4, (_MOTIFS, _WIDTH)).astype(np.int8)
    slots = rng.permuted(np.tile(np.arange(length // _SLOT), (sequences, 1)), axis=1)[:, :_MOTIFS]
    start = slots * _SLOT + rng.integers(0, _SLOT - _WIDTH + 1, slots.shape)
    held = rng.random(start.shape) < _PRESENT
    copies: list[tuple[int, int, int]] = []
    for number, motif in enumerate(motifs):
        rows = np.flatnonzero(held[:, number])
        _plant(rng, codes, rows, start[rows, number], motif, changed)
        copies += _copies(rows, start[rows, number], _WIDTH)

    a, b, c, d, e, f = held.T
    together = a & c & (np.abs(start[:, 0] - start[:, 2]) <= _NEAR)
    states = np.stack(
        [a | b, together, d & ~b, (e & f & (start[:, 4] < start[:, 5])) | together], axis=1
    )
    labels = (states ^ (rng.random(states.shape) < wrong)).astype(np.float32)
    letters = {
        letter: encoding.decode(motif) for letter, motif in zip("ABCDEF", motifs, strict=True)
    }
    names = ", ".join(f"{letter} {text}" for letter, text in letters.items())
    return Dataset(
        name="chromatin_simulated",
        kind="sequence",
        ids=sample_names(sequences),
        codes=codes,
        axis=tuple(str(position + 1) for position in range(length)),
        target=Target("multilabel", labels, MARKS),
        origin=drawn_by(__name__, seed, "sequences and labels", f"motifs: {names}"),
        truth=replace(
            outputs_truth(
                tuple(range(length)), states.astype(np.float64), labels.astype(np.float64), MARKS
            ),
            motifs={f"planted {letter}": text for letter, text in letters.items()},
            copies=tuple(copies),
        ),
    )


def _copies(
    rows: NDArray[np.intp], start: NDArray[np.int64], width: int
) -> tuple[tuple[int, int, int], ...]:
    """Sample, start and stop of every planted copy."""
    return tuple((int(i), int(s), int(s) + width) for i, s in zip(rows, start, strict=True))


def _plant(
    rng: np.random.Generator,
    codes: NDArray[np.int8],
    rows: NDArray[np.intp],
    start: NDArray[np.int64],
    motif: NDArray[np.int8],
    changed: float,
) -> None:
    """Write a copy of the motif into each of these rows, some of its bases changed."""
    copies = np.repeat(motif[None], len(rows), axis=0)
    other = (copies + rng.integers(1, 4, copies.shape)) % 4
    copies = np.where(rng.random(copies.shape) < changed, other, copies)
    codes[rows[:, None], start[:, None] + np.arange(len(motif))] = copies.astype(np.int8)
