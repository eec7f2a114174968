"""The parts that families are made of, as Keras layers.

Tensors are ``(batch, length, channels)`` before the head and ``(batch, features)`` after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from geno_hpo.models.tower import Activate, Conv, Norm, Part, Pool, Tower

__all__ = ["DROPOUT_RATE", "Blocks", "FusedNorm", "RuntimeDropout"]

DROPOUT_RATE = "dropout_rate"
"""Name of the variable that holds a `RuntimeDropout`'s rate."""

NORM_MOMENTUM = 0.9
"""How much of the moving moments a step of batch normalisation keeps. Keras's 0.99 needs several
hundred steps to forget its start; genomic data sets give a few dozen an epoch, and until then a
network's probabilities are far off although it ranks samples well."""


@keras.saving.register_keras_serializable(package="geno_hpo")
class RuntimeDropout(layers.Layer):  # type: ignore[misc]
    """Dropout whose rate is a variable, so that one compiled function serves every rate.

    Same function as ``keras.layers.Dropout``: in training each value is kept with probability
    ``1 − rate`` and then divided by it; otherwise the input passes.

    Parameters
    ----------
    seed
        Seed of the masks until an engine sets the generator's state.
    """

    def __init__(self, seed: int = 0, **options: Any) -> None:
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.rate = self.add_weight(
            name=DROPOUT_RATE, shape=(), initializer="zeros", trainable=False
        )

    def compute_output_spec(self, inputs: Any, **_: Any) -> Any:
        """Shape and dtype stay; said here, Keras need not trace `call` to find out."""
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop values in training."""
        if not training:
            return inputs
        noise = keras.random.uniform(ops.shape(inputs), seed=self.seed_generator)
        rate = ops.convert_to_tensor(self.rate)
        kept = ops.cast(noise >= rate, inputs.dtype)
        return inputs * (kept / (1.0 - rate))


class FusedNorm(layers.BatchNormalization):  # type: ignore[misc]
    """Batch normalisation over the last axis; on TensorFlow training is one operation each way.

    Same function and variables as ``keras.layers.BatchNormalization``.
    """

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Normalise; in training by the batch's moments, which move the moving ones."""
        if not training or keras.backend.backend() != "tensorflow":
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        channels = inputs.shape[-1]
        gamma, beta = (ops.convert_to_tensor(x) for x in (self.gamma, self.beta))
        output, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=tf.reshape(inputs, [1, 1, -1, channels]),
            scale=gamma,
            offset=beta,
            mean=np.zeros(0, np.float32),
            variance=np.zeros(0, np.float32),
            epsilon=self.epsilon,
            is_training=True,
        )
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        biased = variance * (tf.maximum(count - 1.0, 1.0) / count)
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
        return tf.reshape(output, tf.shape(inputs))


@dataclass(frozen=True)
class Blocks:
    """Makes layers; `plain` makes ordinary Keras layers only, for export.

    Parameters
    ----------
    plain
        Use ``keras.layers.Dropout`` and ``BatchNormalization`` in place of `RuntimeDropout` and
        `FusedNorm`.
    activation
        Keras name of the hidden layers' activation.
    batch_norm
        Normalise between a layer and its activation; the layer then has no bias of its own, which
        normalisation would take away again.
    dropout
        Rate, or None for no dropout layers at all.
    """

    plain: bool
    activation: str
    batch_norm: bool
    dropout: float | None

    def _norm(self, name: str) -> Any:
        kind = layers.BatchNormalization if self.plain else FusedNorm
        return kind(momentum=NORM_MOMENTUM, name=name)

    def activate(self, tensor: Any, name: str) -> Any:
        """Batch normalisation, if any, then the activation."""
        if self.batch_norm:
            tensor = self._norm(f"{name}_norm")(tensor)
        return layers.Activation(self.activation, name=f"{name}_{self.activation}")(tensor)

    def drop(self, tensor: Any, name: str) -> Any:
        """Dropout in front of the dense layer called `name`."""
        if self.dropout is None:
            return tensor
        if self.plain:
            return layers.Dropout(self.dropout, name=f"{name}_dropout")(tensor)
        return RuntimeDropout(name=f"{name}_dropout")(tensor)

    def channels(self, inputs: Any) -> Any:
        """From ``(batch, variants)`` to one channel; sequences stay as they are."""
        if len(inputs.shape) == 3:
            return inputs
        return layers.Reshape((inputs.shape[1], 1), name="channel")(inputs)

    def stack(self, tensor: Any, tower: Tower) -> Any:
        """Lay the parts of a tower on ``(batch, length, channels)``."""
        for part in tower:
            tensor = self._part(tensor, part)
        return tensor

    def _part(self, tensor: Any, part: Part) -> Any:
        if isinstance(part, Conv):
            layer = layers.Conv1D(
                part.filters,
                part.kernel,
                strides=part.stride,
                dilation_rate=part.dilation,
                padding=part.padding,
                use_bias=part.bias,
                name=part.name,
            )
            return layer(tensor)
        if isinstance(part, Norm):
            return self._norm(part.name)(tensor)
        if isinstance(part, Activate):
            return layers.Activation(part.kind, name=part.name)(tensor)
        if isinstance(part, Pool):
            layer = layers.MaxPooling1D(part.width, padding=part.padding, name=part.name)
            return layer(tensor)
        return self.head(tensor, part.kind)

    def head(self, tensor: Any, kind: str) -> Any:
        """From ``(batch, length, channels)`` to ``(batch, features)``."""
        if kind == "max":
            return layers.GlobalMaxPooling1D(name="head_max")(tensor)
        if kind == "average":
            return layers.GlobalAveragePooling1D(name="head_average")(tensor)
        return layers.Flatten(name="head_flat")(tensor)

    def dense(self, tensor: Any, neurons: int, name: str) -> Any:
        """Fully connected layer, activated."""
        layer = layers.Dense(neurons, use_bias=not self.batch_norm, name=name)
        return self.activate(layer(tensor), name)
