"""Variants as the model's input: scaled dosages, principal components, or imputed on the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.training.coding import check_codes

__all__ = ["DosageCoding", "ImputedCoding", "ProjectedCoding", "taking_dosages"]


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
        check_codes(self.codes)
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
        check_codes(self.codes)

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
