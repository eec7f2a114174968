"""Sequences as the model's input: one-hot, or the difference from the cohort's mean."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from geno_hpo.encoding import AMBIGUOUS, GAP, probabilities
from geno_hpo.errors import InputError
from geno_hpo.training.coding import check_codes

__all__ = ["CentredCoding", "OneHotCoding", "taking_one_hot"]


@dataclass(frozen=True, eq=False)
class OneHotCoding:
    """Sequences: code *s* becomes a 1 in channel *s*, an unknown base (−1) all zeros.

    IUPAC codes (above the gap) become the shares of the bases that they stand for, looked up in a
    small table; data without them are compared with the symbols, which is faster.

    Parameters
    ----------
    codes
        ``(samples, length)`` int8 below `symbols`, or IUPAC codes.
    symbols
        4 (A C G T) or 5 (with gaps).
    """

    codes: NDArray[np.int8]
    symbols: int = 4
    ready: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_codes(self.codes)
        top = int(self.codes.max(initial=-1))
        if self.symbols <= top <= GAP or top > GAP + len(AMBIGUOUS):
            raise InputError(f"codes must be below {self.symbols} symbols, got {top}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(length, symbols)``."""
        return (int(self.codes.shape[1]), self.symbols)

    @property
    def signature(self) -> tuple[Any, ...]:
        """Name and shape."""
        return ("one-hot", self.shared, *self.input_shape)

    @cached_property
    def shared(self) -> bool:
        """Whether there are IUPAC codes, whose bases share the 1."""
        return bool(self.codes.max(initial=-1) > GAP)

    @property
    def constants(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """None: nothing is fitted."""
        return ()

    def inputs(self, rows: Any, *_: Any) -> Any:
        """One-hot ``(batch, length, symbols)``."""
        from keras import ops

        if self.shared:
            table = probabilities(self.symbols)
            return ops.take(table, ops.mod(ops.cast(rows, "int32"), len(table)), axis=0)
        symbols = np.arange(self.symbols, dtype=np.int8)
        return ops.cast(ops.equal(ops.expand_dims(rows, -1), symbols), "float32")


@dataclass(frozen=True, eq=False)
class CentredCoding(OneHotCoding):
    """Sequences as the difference of their one-hot code from the training part's mean.

    Samples of one species are almost the same sequence. Their plain one-hot codes differ in a few
    columns in a hundred, so that a network mostly learns what all have in common: every step moves
    all outputs together, and training crawls or jumps. Centred, a conserved position is 0 and has
    no gradient, and an unknown base (all zeros) says "as the others".

    Constants of a replica: ``mean`` (length, symbols) float32, fitted on the fold's training part.
    """

    @property
    def signature(self) -> tuple[Any, ...]:
        """Name and shape."""
        return ("centred one-hot", self.shared, *self.input_shape)

    @property
    def constants(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The mean."""
        return (("float32", self.input_shape),)

    def inputs(self, rows: Any, *constants: Any) -> Any:
        """Centred one-hot ``(batch, length, symbols)``; 0 where the base is unknown."""
        from keras import ops

        codes = super().inputs(rows)
        known = ops.cast(ops.expand_dims(rows, -1) >= 0, "float32")
        return codes - known * constants[0]


def taking_one_hot(model: Any, mean: NDArray[np.float32]) -> Any:
    """Put the centring in front of a model, so that it takes plain one-hot sequences.

    Parameters
    ----------
    model
        ``keras.Model`` over centred one-hot ``(batch, length, symbols)``.
    mean
        ``(length, symbols)`` that was subtracted.

    Returns
    -------
    keras.Model
        Of ordinary Keras layers, over ``(batch, length, symbols)``; an all-zero base is unknown.
    """
    import keras

    inputs = keras.Input(mean.shape, name="one_hot")
    known = keras.ops.sum(inputs, axis=-1, keepdims=True)
    centre = keras.layers.Normalization(
        axis=(1, 2), mean=mean, variance=np.ones_like(mean), name="centre"
    )
    centred = keras.layers.Multiply(name="known")([centre(inputs), known])
    return keras.Model(inputs, model(centred), name=model.name)
