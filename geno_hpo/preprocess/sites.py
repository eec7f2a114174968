"""What is learned from the training part of sequences, ``(samples, positions)`` int8, −1 unknown.

IUPAC codes that were kept count for each of their bases by its share.

`sequence_mean` centres the networks' input; `SiteFeatures` are the baselines' binary columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.encoding import GAP, probabilities
from geno_hpo.errors import InputError
from geno_hpo.preprocess.association import blocks

__all__ = ["SiteFeatures", "sequence_features", "sequence_mean"]

Codes = NDArray[np.int8]
Indices = NDArray[np.intp]


def sequence_mean(codes: Codes, train_idx: Indices, symbols: int) -> NDArray[np.float32]:
    """Share of each symbol at each position of the training part, unknown bases left out.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8, −1 unknown.
    train_idx
        Samples to learn from.
    symbols
        4 (A C G T) or 5 (with gaps).

    Returns
    -------
    ndarray
        ``(positions, symbols)`` float32; 0 where no training sample is known.
    """
    counts = np.concatenate(
        [_shares(codes[train_idx, here], symbols) for here in _blocks(codes, train_idx)]
    )
    known = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    mean: NDArray[np.float32] = (counts / known).astype(np.float32)
    return mean


@dataclass(frozen=True, eq=False)
class SiteFeatures:
    """Which symbol at which position makes a feature.

    Parameters
    ----------
    columns
        ``(features,)`` int32 positions.
    symbols
        ``(features,)`` int8 codes, 0 to 4.
    merged
        Number of features left out because another one is 1 in the same training samples.
    """

    columns: NDArray[np.int32]
    symbols: NDArray[np.int8]
    merged: int = 0

    def transform(
        self, codes: Codes, samples: Indices | None = None
    ) -> NDArray[np.uint8] | NDArray[np.float32]:
        """Turn codes ``(all samples, positions)`` into ``(samples, features)`` 0/1; unknown is 0.

        `samples`: rows to turn; None for all. Only the features' columns are copied. Where IUPAC
        codes are among them, features are float32: the share of the symbol.
        """
        rows = np.arange(len(codes)) if samples is None else samples
        chosen = codes[np.ix_(rows, self.columns)]
        if chosen.size and chosen.max() > GAP:
            shares: NDArray[np.float32] = probabilities(5)[chosen, self.symbols]
            return shares
        features: NDArray[np.uint8] = np.equal(chosen, self.symbols).view(np.uint8)
        return features


def sequence_features(codes: Codes, train_idx: Indices) -> SiteFeatures:
    """One feature for each symbol beside the most frequent one, at each position that varies.

    Both are judged in the training part, by symbols that were read outright; ties go to the lower
    code. Features that are alike in all training samples are one feature, the first of them.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8, −1 unknown.
    train_idx
        Samples to learn from.

    Raises
    ------
    InputError
        No position varies.
    """
    blurred = bool(codes.max() > GAP)
    found = [_present(codes[train_idx, here], here, blurred) for here in _blocks(codes, train_idx)]
    columns, symbols, bits = (np.concatenate(parts) for parts in zip(*found, strict=True))
    if len(columns) == 0:
        raise InputError(
            f"none of the {codes.shape[1]} positions varies among {len(train_idx)} training samples"
        )
    whole = bits.view([("", np.void, bits.shape[1])]).ravel()
    _, first = np.unique(whole, return_index=True)
    first.sort()
    return SiteFeatures(
        columns[first].astype(np.int32), symbols[first].astype(np.int8), len(columns) - len(first)
    )


def _blocks(codes: Codes, train_idx: Indices) -> Iterator[slice]:
    """Blocks of positions, so that a training part is never copied whole."""
    return blocks(codes.shape[1], len(train_idx))


def _tallies(train: Codes, symbols: int) -> NDArray[np.intp]:
    """How often each symbol stands at each position, ``(positions, symbols)``."""
    return np.stack([(train == symbol).sum(axis=0) for symbol in range(symbols)], axis=1)


def _shares(train: Codes, symbols: int) -> NDArray[Any]:
    """The same, with IUPAC codes shared among their bases."""
    if train.max(initial=GAP) == GAP:
        return _tallies(train, symbols)
    table = probabilities(symbols)[:-1].astype(np.float64)
    shares: NDArray[Any] = _tallies(train, len(table)) @ table
    return shares


def _present(
    train: Codes, here: slice, blurred: bool
) -> tuple[Indices, Indices, NDArray[np.uint8]]:
    """Symbols beside the commonest one in a block: positions, symbols and who has them, packed."""
    tallies = _tallies(train, 5)
    present = tallies > 0
    present[np.arange(len(tallies)), tallies.argmax(axis=1)] = False
    columns, symbols = (part.astype(np.intp) for part in np.nonzero(present))
    own = np.ascontiguousarray(train[:, columns].T)
    held = own == symbols[:, None]
    if blurred:
        possible = probabilities(5)[own, symbols[:, None]] > 0
        held = np.concatenate([held, possible], axis=1)
    return columns + here.start, symbols, np.packbits(held, axis=1)
