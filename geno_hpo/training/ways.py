"""The plain way of computing a model on a batch, and what any way must offer.

A *way* turns sample indices into what a model computes on, and computes it: every way gives the
same logits and gradients. The other one is `geno_hpo.training.windowed.WindowedWay`.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from geno_hpo.training.coding import Coding, mutated

__all__ = ["Mutation", "PlainWay", "Way", "forward"]


class Mutation(NamedTuple):
    """How bases mutate in a step: the rate, and the seed of the step's random numbers."""

    rate: Any
    seed: Any


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

    def inputs(self, samples: Any, given: list[Any], mutation: Mutation | None = None) -> Any:
        """What `call` takes of a batch; nothing is derived through it."""

    def call(
        self, parts: list[Any], others: list[Any], inputs: Any, given: list[Any], *, training: bool
    ) -> tuple[Any, list[Any]]:
        """Logits ``(batch, units)`` and the model's other variables afterwards."""


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

    def inputs(self, samples: Any, given: list[Any], mutation: Mutation | None = None) -> Any:
        """Model inputs ``(batch, *input shape)``; with a mutation bases change first."""
        if self.ready:
            return tf.gather(given[0], samples)
        rows = tf.gather(self._codes, samples)
        if mutation is not None:
            noise = tf.random.stateless_uniform(tf.shape(rows), mutation.seed)
            rows = mutated(rows, mutation.rate, noise)
        return self._coding.inputs(rows, *given)

    def call(
        self, parts: list[Any], others: list[Any], inputs: Any, given: list[Any], *, training: bool
    ) -> tuple[Any, list[Any]]:
        """Call the whole model."""
        del given
        logits, after = self._model.stateless_call(parts, others, inputs, training=training)
        return logits, after


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
        told, _ = way.call(parts, others, way.inputs(part, given), given, training=False)
        return index + 1, logits.write(index, told)

    _, logits = tf.while_loop(lambda index, _: index * chunk < size, body, (tf.constant(0), logits))
    return tf.reshape(logits.concat(), [size, way.units])
