"""From a long row to a few tokens, for networks whose cost grows with every step.

The row is cut into at most `tokens` windows of equal width. Without a `kernel` a window's values
become a token by a dense layer that all windows share; with one, a convolution of this width reads
the row first, and a window's token is its maximum over the window.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.models.common import at_most_length
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tower import Conv, Pool

__all__ = ["TOKENS", "check_tokens", "tokenise"]

TOKENS = (
    Parameter("tokens", "int", 32, "Windows that the row is cut into, at most.", low=1, high=1024),
    Parameter(
        "kernel",
        "int",
        None,
        "Width of a convolution that reads the row first; without it windows are read as they are.",
        low=1,
    ),
)


def check_tokens(params: Parameters, shape: ModelShape) -> None:
    """Refuse a kernel wider than the row."""
    at_most_length(params, shape, *(["kernel"] if "kernel" in params else []))


def tokenise(inputs: Any, params: Parameters, blocks: Any, width: int) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, steps, width)``."""
    from keras import layers

    tensor = blocks.channels(inputs)
    length, channels = tensor.shape[1:]
    window = -(-length // int(params["tokens"]))
    if "kernel" in params:
        bias = not blocks.batch_norm
        tensor = blocks.stack(tensor, (Conv("reader", width, int(params["kernel"]), bias=bias),))
        tensor = blocks.activate(tensor, "reader")
        return blocks.stack(tensor, (Pool("windows", window),) if window > 1 else ())
    steps = -(-length // window)
    if steps * window > length:
        tensor = layers.ZeroPadding1D((0, steps * window - length), name="fill")(tensor)
    tensor = layers.Reshape((steps, window * channels), name="windows")(tensor)
    return blocks.dense(tensor, width, name="token")
