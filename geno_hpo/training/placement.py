"""Where a data set's codes lie for TensorFlow: on a CPU in the very pages of the mapped file."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

__all__ = ["on_device"]

ALIGNMENT = 64
"""Bytes at whose multiples TensorFlow's CPU kernels want a tensor to begin."""


def on_device(codes: NDArray[np.int8]) -> Any:
    """Give codes as a tensor, without a copy where TensorFlow can read them as they lie.

    On a CPU an aligned, contiguous array is taken as it is; so all workers of a machine read one
    mapped file through the page cache. TensorFlow keeps the array alive and only reads it; nobody
    may write to it. On a GPU, and for any other array, the codes are copied once.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8.
    """
    here = np.ascontiguousarray(codes)
    plain = here.flags.writeable and here.ctypes.data % ALIGNMENT == 0 and here.size > 0
    if plain and not tf.config.list_logical_devices("GPU"):
        return tf.experimental.dlpack.from_dlpack(here.__dlpack__())
    return tf.constant(here)
