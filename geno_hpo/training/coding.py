"""How samples become the model's input on the device: one small interface.

The data set lies on the device once as int8 codes ``(samples, positions)``. A coding turns the
rows of a batch into the float32 tensor the Keras model takes, inside the compiled function.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError

__all__ = ["Coding", "check_codes"]


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


def check_codes(codes: NDArray[np.int8]) -> None:
    """Refuse codes of another form.

    Raises
    ------
    InputError
        They are not two-dimensional int8.
    """
    if codes.ndim != 2 or codes.dtype != np.int8:
        raise InputError(f"codes must be 2-d int8, got {codes.ndim}-d {codes.dtype}")
