"""Which rows of a batch are samples, where a backend fills the last batch up to a fixed size.

JAX compiles for one batch size, so an epoch's last batch is filled up with rows that must count for
nothing. Most layers look at each sample alone; those that look at the whole batch (batch
normalisation, a loss of their own) ask here. Set while a model is traced; where nothing is set,
every row is a sample.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["filled", "row_weights"]

_PRESENT: ContextVar[Any] = ContextVar("present", default=None)


@contextmanager
def filled(present: Any) -> Iterator[None]:
    """Models called inside see a batch with these samples, ``(batch,)`` float32 of 0 and 1."""
    token = _PRESENT.set(present)
    try:
        yield
    finally:
        _PRESENT.reset(token)


def row_weights(rows: int) -> Any | None:
    """Weights ``(rows,)`` of a tensor's first axis that add to 1; None where all count alike.

    `rows` is the batch, or a multiple of it where each sample has several rows side by side.
    """
    from keras import ops

    present = _PRESENT.get()
    if present is None:
        return None
    each = ops.repeat(present, rows // present.shape[0])
    return each / ops.maximum(ops.sum(each), 1.0)
