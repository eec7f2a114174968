"""The plain way of computing a model on a batch, and what any way must offer.

A *way* turns sample indices into what a model computes on, and computes it: every way gives the
same logits and gradients. The other one is `geno_hpo.training.windowed.WindowedWay`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import tensorflow as tf

from geno_hpo.training.coding import Coding

__all__ = ["Change", "PlainWay", "Way", "forward"]


Change = Callable[[Any], Any]
"""What chance does to a batch's codes ``(batch, positions)`` int8 in training."""


class Way(Protocol):
    """How a model is computed on a batch, inside a compiled function."""

    name: str
    """Of the compiled functions."""
    chunk: int
    """Samples at once in prediction."""
    units: int
    """Outputs of the model."""

    def started(self, given: list[Any]) -> list[Any]:
        """From what an epoch is given to what its batches are given; outside the loops."""

    def inputs(self, samples: Any, given: list[Any], change: Change | None = None) -> Any:
        """What `call` takes of a batch; nothing is derived through it."""

    def call(
        self, parts: list[Any], others: list[Any], inputs: Any, given: list[Any], *, training: bool
    ) -> tuple[Any, list[Any], list[Any]]:
        """Logits ``(batch, units)``, the other variables afterwards, losses added in training."""


class PlainWay:
    """The Keras model on the inputs of each sample.

    Parameters
    ----------
    model
        The Keras model.
    coding
        How rows become inputs.
    codes
        ``(samples, positions)`` int8, on the device.
    ready
        Whether epochs are given the whole data set's inputs in place of the coding's arrays.
    chunk
        Samples at once in prediction.
    """

    name = "plain"

    def __init__(self, model: Any, coding: Coding, codes: Any, *, ready: bool, chunk: int) -> None:
        self._model, self._coding, self._codes = model, coding, codes
        self.units = int(model.output.shape[-1])
        self.ready, self.chunk = ready, chunk

    def started(self, given: list[Any]) -> list[Any]:
        """The same."""
        return given

    def inputs(self, samples: Any, given: list[Any], change: Change | None = None) -> Any:
        """Model inputs ``(batch, *input shape)`` of the codes, changed first where asked."""
        if self.ready or self._coding.ready:
            return tf.gather(given[0], samples)
        rows = tf.gather(self._codes, samples)
        return self._coding.inputs(rows if change is None else change(rows), *given)

    def call(
        self, parts: list[Any], others: list[Any], inputs: Any, given: list[Any], *, training: bool
    ) -> tuple[Any, list[Any], list[Any]]:
        """Call the whole model."""
        del given
        logits, after, *added = self._model.stateless_call(
            parts, others, inputs, training=training, return_losses=training
        )
        return logits, after, added[0] if added else []


def forward(way: Way, parts: list[Any], others: list[Any], samples: Any, given: list[Any]) -> Any:
    """Logits of any number of samples, some at once; without dropout."""
    size, chunk = tf.size(samples), way.chunk
    logits = tf.TensorArray(
        tf.float32,
        size=(size + chunk - 1) // chunk,
        element_shape=[None, way.units],
        infer_shape=False,
    )

    def body(index: Any, logits: Any) -> Any:
        part = samples[index * chunk : tf.minimum((index + 1) * chunk, size)]
        told, *_ = way.call(parts, others, way.inputs(part, given), given, training=False)
        return index + 1, logits.write(index, told)

    _, logits = tf.while_loop(lambda index, _: index * chunk < size, body, (tf.constant(0), logits))
    return tf.reshape(logits.concat(), [size, way.units])
