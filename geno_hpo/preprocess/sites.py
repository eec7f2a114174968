"""What is learned from the training part of sequences, ``(samples, positions)`` int8, −1 unknown.

`sequence_mean` centres the networks' input; `SiteFeatures` are the baselines' binary columns.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
        [_tallies(codes[train_idx, here], symbols) for here in _blocks(codes, train_idx)]
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

    def transform(self, codes: Codes, samples: Indices | None = None) -> NDArray[np.uint8]:
        """Turn codes ``(all samples, positions)`` into ``(samples, features)`` 0/1; unknown is 0.

        `samples`: rows to turn; None for all. Only the features' columns are copied.
        """
        rows = np.arange(len(codes)) if samples is None else samples
        features: NDArray[np.uint8]
        features = np.equal(codes[np.ix_(rows, self.columns)], self.symbols).view(np.uint8)
        return features


def sequence_features(codes: Codes, train_idx: Indices) -> SiteFeatures:
    """One feature for each symbol beside the most frequent one, at each position that varies.

    Both are judged in the training part; ties go to the lower code. Features that are 1 in the
    same training samples are one feature, the first of them.

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
    found = [_present(codes[train_idx, here], here) for here in _blocks(codes, train_idx)]
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


def _present(train: Codes, here: slice) -> tuple[Indices, Indices, NDArray[np.uint8]]:
    """Symbols beside the commonest one in a block: positions, symbols and who has them, packed."""
    tallies = _tallies(train, 5)
    present = tallies > 0
    present[np.arange(len(tallies)), tallies.argmax(axis=1)] = False
    columns, symbols = (part.astype(np.intp) for part in np.nonzero(present))
    held = np.ascontiguousarray(train[:, columns].T) == symbols[:, None]
    return columns + here.start, symbols, np.packbits(held, axis=1)
