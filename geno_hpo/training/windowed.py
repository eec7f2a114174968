"""Forward pass of a model whose tower is computed once for each distinct window of a batch.

The values of a level are two matrices: those of the reference's windows, ``(length, channels)``,
computed as one plain sequence, and those of the differing windows that the batch holds, ``(rows,
channels)``, each gathered from the rows below. At the tower's end they are put together to
``(batch, positions, channels)`` and the rest of the Keras model goes on as ever. The function is
that of the whole model, and TensorFlow derives its gradient; the sums of gradients over equal
windows are segment sums in a fixed order.

Batch normalisation takes the moments over all windows of the batch: each row counts as often as
the batch has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from geno_hpo.training.gathering import gathered, projected, spread
from geno_hpo.training.lookup import Lookup, Need
from geno_hpo.training.towers import Step, Tower, flat_dense
from geno_hpo.training.ways import Change

__all__ = ["WindowedWay"]

CHUNK_BYTES = 256 * 2**20
"""What the tower's end of one prediction takes, at most."""
LEAST, MOST = 32, 1024
"""Samples of one prediction, at least and at most."""


class _Values(NamedTuple):
    """Values of a level's windows, ``(length, channels)`` and ``(rows, channels)``."""

    reference: Any
    others: Any


class WindowedWay:
    """A model computed over distinct windows; see `geno_hpo.training.ways.Way`.

    Parameters
    ----------
    model
        The whole Keras model, over one-hot sequences.
    tower
        Its tower.
    lookup
        The data set's distinct windows under the tower's geometry.
    differences
        Compute a dense layer that directly follows the flattened tower as the reference's sum and
        each sample's differences, too.
    """

    def __init__(
        self, model: Any, tower: Tower, lookup: Lookup, *, differences: bool = False
    ) -> None:
        self._model, self._tower, self._lookup = model, tower, lookup
        self._dense = flat_dense(model, tower) if differences else None
        self.name = "windows" if self._dense is None else "windows and differences"
        self._begin = tower.end if self._dense is None else self._dense.output
        self._rest = keras.Model(self._begin, model.output)
        self._end = tower.steps[-1].level
        self._counted = frozenset(step.level for step in tower.steps if step.kind == "norm")
        self.units = int(model.output.shape[-1])
        width = 4 * int(np.prod(tower.end.shape[1:]))
        self.chunk = min(MOST, max(LEAST, CHUNK_BYTES // width))

    def started(self, given: list[Any]) -> list[Any]:
        """Inputs of the reference and of every letter that differs from it."""
        return self._lookup.base(given)

    def inputs(self, samples: Any, given: list[Any], change: Change | None = None) -> Need:
        """Rows of the dictionary that a batch needs."""
        del given, change
        return self._lookup.need(samples, self._counted, self._end)

    def call(
        self, parts: list[Any], others: list[Any], inputs: Need, given: list[Any], *, training: bool
    ) -> tuple[Any, list[Any], list[Any]]:
        """Compute the tower's rows, put the samples together, and call the rest of the model."""
        names = [id(variable) for variable in self._model.non_trainable_variables]
        values = dict(zip(map(id, self._model.trainable_variables), parts, strict=True))
        values |= dict(zip(names, others, strict=True))
        rows = [_Values(given[0], tf.gather(given[1], inputs.letters))]
        for step in self._tower.steps:
            rows.append(self._step(step, rows, inputs, values, training))
        features = self._together(rows[-1], inputs, values)
        logits, moved, *added = self._rest.stateless_call(
            [values[id(v)] for v in self._rest.trainable_variables],
            [values[id(v)] for v in self._rest.non_trainable_variables],
            features,
            training=training,
            return_losses=training,
        )
        values |= dict(zip(map(id, self._rest.non_trainable_variables), moved, strict=True))
        return logits, [values[name] for name in names], added[0] if added else []

    def _together(self, rows: _Values, need: Need, values: dict[int, Any]) -> Any:
        """What the rest of the model takes of each sample."""
        if self._dense is None:
            return spread(*rows, need)
        own = {v.name: values[id(v)] for v in self._dense.weights}
        sums = projected(*rows, own["kernel"], need)
        return self._dense.activation(sums + own["bias"] if self._dense.use_bias else sums)

    def _step(
        self, step: Step, rows: list[_Values], need: Need, values: dict[int, Any], training: bool
    ) -> _Values:
        sources = [rows[source] for source in step.sources]
        own = {v.name: values[id(v)] for v in step.layer.weights}
        if step.kind == "activation":
            return _each(step.layer.activation, sources[0])
        if step.kind == "norm":
            counts = need.levels[step.level].counts if training else None
            return _normalised(step.layer, sources[0], own, counts, values)
        if step.kind == "sum":
            return self._joined(step, sources, need, tf.add_n)
        if step.kind == "stack":
            return self._joined(step, sources, need, lambda parts: tf.concat(parts, 1))
        table = need.levels[step.level].tables[self._level_of(step.sources[0])]
        if step.kind == "shift":
            return self._shifted(step, sources[0], table)
        if step.kind == "pool":
            return self._pool(step, sources[0], table)
        return self._conv(step, sources[0], table, own)

    def _conv(self, step: Step, source: _Values, table: Any, own: dict[str, Any]) -> _Values:
        layer, kernel = step.layer, own["kernel"]
        sequence = source.reference[None]
        if layer.padding == "causal":
            left = (layer.kernel_size[0] - 1) * layer.dilation_rate[0]
            sequence = tf.pad(sequence, [[0, 0], [left, 0], [0, 0]])
        reference = ops.conv(
            sequence,
            kernel,
            strides=layer.strides,
            padding="same" if layer.padding == "same" else "valid",
            dilation_rate=layer.dilation_rate,
        )[0]
        held = gathered(_stacked(source, 0.0), table)
        width = int(np.prod(kernel.shape[:2]))
        windows = tf.reshape(held, [-1, width])
        given = _Values(reference, tf.matmul(windows, tf.reshape(kernel, [width, -1])))
        if layer.use_bias:
            given = _each(lambda x: x + own["bias"], given)
        return _each(layer.activation, given)

    def _pool(self, step: Step, source: _Values, table: Any) -> _Values:
        """Maximum; among equals the first gets the gradient, as in the pooling of sequences."""
        layer = step.layer
        reference = ops.max_pool(
            source.reference[None], layer.pool_size, strides=layer.strides, padding=layer.padding
        )[0]
        stacked = _stacked(source, float("-inf"))
        most = gathered(stacked, table[:, 0])
        for tap in range(1, table.shape[1]):
            most = tf.maximum(most, gathered(stacked, table[:, tap]))
        return _Values(reference, most)

    def _shifted(self, step: Step, source: _Values, table: Any) -> _Values:
        """A part of the positions, or more of them, the new ones 0."""
        reference = step.layer(source.reference[None])[0]
        return _Values(reference, gathered(_stacked(source, 0.0), table[:, 0]))

    def _joined(
        self, step: Step, sources: list[_Values], need: Need, together: Callable[[list[Any]], Any]
    ) -> _Values:
        """Tensors of one level put together, or of several levels that a join brings together."""
        levels = [self._level_of(source) for source in step.sources]
        reference = together([source.reference for source in sources])
        if set(levels) == {step.level}:
            return _Values(reference, together([source.others for source in sources]))
        tables = need.levels[step.level].tables
        parts = [
            gathered(_stacked(source, 0.0), tables[level][:, 0])
            for source, level in zip(sources, levels, strict=True)
        ]
        return _Values(reference, together(parts))

    def _level_of(self, tensor: int) -> int:
        return self._tower.steps[tensor - 1].level if tensor else 0


def _each(function: Any, values: _Values) -> _Values:
    return _Values(function(values.reference), function(values.others))


def _stacked(values: _Values, padding: float) -> Any:
    """All rows by their ids: padding, the reference's, the others."""
    first = tf.fill([1, values.reference.shape[1]], padding)
    return tf.concat([first, values.reference, values.others], 0)


def _normalised(
    layer: Any,
    values: _Values,
    own: dict[str, Any],
    counts: tuple[Any, Any] | None,
    variables: dict[int, Any],
) -> _Values:
    """Batch normalisation; with counts by the batch's moments, which move the moving ones."""
    mean, variance = own["moving_mean"], own["moving_variance"]
    if counts is not None:
        shares = [count[None] / (sum(map(tf.reduce_sum, counts))) for count in counts]
        mean = sum(tf.matmul(share, part)[0] for share, part in zip(shares, values, strict=True))
        apart = _each(lambda x: tf.square(x - mean), values)
        variance = sum(tf.matmul(share, part)[0] for share, part in zip(shares, apart, strict=True))
        for name, now in (("moving_mean", mean), ("moving_variance", variance)):
            (variable,) = (v for v in layer.non_trainable_variables if v.name == name)
            kept = own[name] * layer.momentum
            variables[id(variable)] = kept + now * (1.0 - layer.momentum)
    scale = own["gamma"] * tf.math.rsqrt(variance + layer.epsilon)
    return _each(lambda x: (x - mean) * scale + own["beta"], values)
