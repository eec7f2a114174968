"""Many arrays in one flat vector: where each lies, and the ways there and back.

The vector holds first the arrays whose sizes are multiples of 16 floats (64 bytes), then all others
close together, then zeros up to the next multiple. TensorFlow cuts the first kind without copying.
Both engines lay a model out alike, so that one reads the other's checkpoints.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

__all__ = ["Layout"]

_ALIGN = 16


class Layout:
    """Where each array lies in the flat vector.

    Parameters
    ----------
    shapes
        Shapes of the float32 arrays, in the order in which they are given and taken.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        self._shapes = [tuple(int(n) for n in shape) for shape in shapes]
        sizes = [int(np.prod(shape)) for shape in self._shapes]
        whole = [i for i, size in enumerate(sizes) if size % _ALIGN == 0]
        rest = [i for i, size in enumerate(sizes) if size % _ALIGN]
        self._order = whole + rest
        self._head = [sizes[i] for i in whole]
        self._tail = [sizes[i] for i in rest]
        gap = -sum(self._tail) % _ALIGN
        self._gap = [gap] if gap else []
        starts = np.cumsum([0, *(sizes[i] for i in self._order)])
        self._spans = {
            i: (int(a), int(b)) for i, a, b in zip(self._order, starts, starts[1:], strict=False)
        }
        self.total = sum(sizes) + gap

    def split(self, flat: Any) -> list[Any]:
        """From the vector to tensors, in a compiled function."""
        tail = sum(self._tail) + sum(self._gap)
        pieces = _cut(flat, [*self._head, *([tail] if tail else [])])
        if tail:
            pieces[-1:] = _cut(pieces[-1], [*self._tail, *self._gap])[: len(self._tail)]
        found = dict(zip(self._order, pieces, strict=True))
        return [
            found[i] if len(shape) == 1 else ops.reshape(found[i], shape)
            for i, shape in enumerate(self._shapes)
        ]

    def join(self, parts: list[Any]) -> Any:
        """From tensors to the vector, in a compiled function."""
        pieces = [
            parts[i] if len(self._shapes[i]) == 1 else ops.reshape(parts[i], [-1])
            for i in self._order
        ]
        return ops.concatenate([*pieces, *(ops.zeros([gap]) for gap in self._gap)], 0)

    def pack(self, parts: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
        """From NumPy arrays to the vector."""
        flat = np.zeros(self.total, np.float32)
        for i, part in enumerate(parts):
            flat[slice(*self._spans[i])] = part.ravel()
        return flat

    def unpack(self, flat: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """From the vector to NumPy arrays of their own."""
        return [
            flat[slice(*self._spans[i])].reshape(shape).copy()
            for i, shape in enumerate(self._shapes)
        ]


def _cut(flat: Any, sizes: list[int]) -> list[Any]:
    if len(sizes) == 1:
        return [flat]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # its split takes the sizes, and need not reckon them back

        return list(tf.split(flat, sizes))
    return list(ops.split(flat, np.cumsum(sizes)[:-1]))
