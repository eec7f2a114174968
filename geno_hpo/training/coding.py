"""How samples become the model's input on the device: one small interface.

The data set lies on the device once as int8 codes ``(samples, positions)``. A coding turns the
rows of a batch into the float32 tensor the Keras model takes, inside the compiled function.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.encoding import AMBIGUOUS, GAP, probabilities
from geno_hpo.errors import InputError

__all__ = [
    "CentredCoding",
    "Coding",
    "DosageCoding",
    "ImputedCoding",
    "OneHotCoding",
    "ProjectedCoding",
    "mutated",
    "reverse_complement",
    "taking_dosages",
    "taking_one_hot",
]

BASES = 4


class Coding(Protocol):
    """The codes of a data set and what to make of them."""

    @property
    def codes(self) -> NDArray[np.int8]:
        """``(samples, positions)`` int8."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample at the model's input."""

    @property
    def signature(self) -> tuple[Any, ...]:
        """What of the coding decides a compiled function."""

    @property
    def constants(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Dtype and shape of each array that a replica's fold must give."""

    @property
    def ready(self) -> bool:
        """Whether a replica gives the inputs of all samples instead of arrays that make them."""

    def inputs(self, rows: Any, *constants: Any) -> Any:
        """From int8 rows ``(batch, positions)`` to float32 ``(batch, *input_shape)``.

        Where inputs are `ready`, `rows` are their rows.
        """


def _int8_matrix(codes: NDArray[np.int8]) -> None:
    if codes.ndim != 2 or codes.dtype != np.int8:
        raise InputError(f"codes must be 2-d int8, got {codes.ndim}-d {codes.dtype}")


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
        _int8_matrix(self.codes)
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


def mutated(rows: Any, rate: Any, noise: Any) -> Any:
    """Replace known bases at random, each by one of the other three with equal chance.

    Parameters
    ----------
    rows
        ``(batch, length)`` int8 codes; below 0 (unknown) and from 4 (a gap) they stay.
    rate
        Chance of a base to be replaced, a scalar in [0, 1).
    noise
        ``(batch, length)`` uniform in [0, 1).
    """
    from keras import ops

    third = ops.minimum(noise * (3.0 / ops.maximum(rate, 1e-30)), 2.0)
    base = ops.logical_and(rows >= 0, rows < BASES)
    struck = ops.logical_and(base, noise < rate)
    other = ops.mod(rows + 1 + ops.cast(third, "int8"), BASES)
    return ops.where(struck, ops.cast(other, "int8"), rows)


def reverse_complement(rows: Any) -> Any:
    """The other strand of codes ``(batch, length)``; gaps and unknown bases stay what they are."""
    from keras import ops

    turned = ops.flip(rows, axis=1)
    base = ops.logical_and(turned >= 0, turned < BASES)
    return ops.where(base, ops.cast(BASES - 1 - turned, "int8"), turned)


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


@dataclass(frozen=True, eq=False)
class DosageCoding:
    """Variants: ``(dosage − mean) / scale`` of the chosen columns, not called (−1) filled before.

    Constants of a replica, as fitted on the fold's training part: ``columns`` (k,) int32, ``fill``
    (k,), ``mean`` (k,) and ``scale`` (k,) float32. An infinite scale silences a column: its input
    is 0.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8 dosages.
    selected
        k, the number of columns that enter; the same on every fold.
    """

    codes: NDArray[np.int8]
    selected: int
    ready: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _int8_matrix(self.codes)
        if not 1 <= self.selected <= self.codes.shape[1]:
            raise InputError(
                f"selected must lie in [1, {self.codes.shape[1]}] variants, got {self.selected}"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(k,)``."""
        return (self.selected,)

    @property
    def signature(self) -> tuple[Any, ...]:
        """Name and shape."""
        return ("dosage", int(self.codes.shape[1]), self.selected)

    @property
    def constants(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Columns, fill, mean and scale."""
        k = (self.selected,)
        return (("int32", k), ("float32", k), ("float32", k), ("float32", k))

    def inputs(self, rows: Any, *constants: Any) -> Any:
        """Scaled dosages ``(batch, k)``."""
        from keras import ops

        columns, fill, mean, scale = constants
        chosen = ops.take(rows, columns, axis=1)
        dosages = ops.where(chosen < 0, fill, ops.cast(chosen, "float32"))
        return (dosages - mean) / scale


@dataclass(frozen=True, eq=False)
class ProjectedCoding(DosageCoding):
    """Variants as principal components: scaled dosages times axes.

    Constants of a replica: those of `DosageCoding`, then ``axes`` (k, components) float32.

    Parameters
    ----------
    components
        Number of components, at least 1.
    """

    components: int = 1

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(components,)``."""
        return (self.components,)

    @property
    def signature(self) -> tuple[Any, ...]:
        """Name and shape."""
        return ("projected dosage", int(self.codes.shape[1]), self.selected, self.components)

    @property
    def constants(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """Columns, fill, mean, scale and axes."""
        return (*super().constants, ("float32", (self.selected, self.components)))

    def inputs(self, rows: Any, *constants: Any) -> Any:
        """Components ``(batch, components)``."""
        from keras import ops

        *dosage, axes = constants
        return ops.matmul(super().inputs(rows, *dosage), axes)


@dataclass(frozen=True, eq=False)
class ImputedCoding:
    """Variants whose inputs were made on the host: neighbours tell each sample its own dosages.

    Constant of a replica: the inputs of all samples, ``(samples, width)`` float32.

    Parameters
    ----------
    codes
        ``(samples, variants)`` int8 dosages, of which nothing is read here.
    width
        Number of inputs.
    """

    codes: NDArray[np.int8]
    width: int
    ready: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _int8_matrix(self.codes)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """``(width,)``."""
        return (self.width,)

    @property
    def signature(self) -> tuple[Any, ...]:
        """Name and shape."""
        return ("imputed", *self.codes.shape, self.width)

    @property
    def constants(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        """The inputs."""
        return (("float32", (int(self.codes.shape[0]), self.width)),)

    def inputs(self, rows: Any, *_: Any) -> Any:
        """The rows as they are."""
        return rows


def taking_dosages(model: Any, axes: NDArray[np.float32]) -> Any:
    """Put the projection in front of a model, so that it takes scaled dosages.

    Parameters
    ----------
    model
        ``keras.Model`` over components ``(batch, components)``.
    axes
        ``(k, components)``.

    Returns
    -------
    keras.Model
        Over scaled dosages ``(batch, k)``.
    """
    import keras

    inputs = keras.Input((axes.shape[0],), name="scaled_dosages")
    layer = keras.layers.Dense(
        axes.shape[1], use_bias=False, trainable=False, name="principal_components"
    )
    projected = layer(inputs)
    layer.set_weights([axes])
    return keras.Model(inputs, model(projected), name=model.name)
