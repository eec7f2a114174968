"""Layers that keep compiled functions few and short: rates as variables, a fused norm.

A variable whose name stands in `RUNTIME_VARIABLES` holds a runtime hyperparameter. It is no weight:
an engine sets it from the configuration, and a saved or exported model does not have it.
"""

from __future__ import annotations

from typing import Any, Literal

import keras
import numpy as np
from keras import layers, ops

from geno_hpo.models.present import row_weights

__all__ = ["RUNTIME_VARIABLES", "FusedNorm", "RuntimeDropout"]

RUNTIME_VARIABLES = {
    f"{name}_rate": name
    for name in ("dropout", "spatial_dropout", "stochastic_depth", "reconstruction")
}
"""Hyperparameters by the name of the variables that hold them."""

Over = Literal["values", "channels", "samples"]


@keras.saving.register_keras_serializable(package="geno_hpo")
class RuntimeDropout(layers.Layer):  # type: ignore[misc]
    """Dropout whose rate is a variable.

    Same function as ``keras.layers.Dropout``: in training each value is kept with probability
    ``1 − rate`` and then divided by it; otherwise the input passes.

    Parameters
    ----------
    seed
        Seed of the masks until an engine sets the generator's state.
    parameter
        The hyperparameter that is the rate.
    over
        What is kept or dropped together: single ``values``, whole ``channels`` (all positions), or
        whole ``samples``, which is stochastic depth.
    share
        What the rate is multiplied by.
    """

    def __init__(
        self,
        seed: int = 0,
        parameter: str = "dropout",
        over: Over = "values",
        share: float = 1.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.over, self.share = over, share
        self.rate = self.add_weight(
            name=f"{parameter}_rate",
            shape=(),
            initializer="zeros",
            trainable=False,
            autocast=False,
        )

    def compute_output_spec(self, inputs: Any, **_: Any) -> Any:
        """Shape and dtype stay; said here, Keras need not trace `call` to find out."""
        return keras.KerasTensor(inputs.shape, inputs.dtype)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drop values in training."""
        if not training:
            return inputs
        shape = ops.shape(inputs)
        if self.over == "channels":
            shape = (shape[0], 1, shape[2])
        elif self.over == "samples":
            shape = (shape[0], *(1 for _ in shape[1:]))
        noise = keras.random.uniform(shape, seed=self.seed_generator)
        rate = ops.convert_to_tensor(self.rate)
        if self.share != 1.0:
            rate = rate * self.share
        kept = ops.cast(noise >= rate, inputs.dtype)
        return inputs * (kept / ops.cast(1.0 - rate, inputs.dtype))


class FusedNorm(layers.BatchNormalization):  # type: ignore[misc]
    """Batch normalisation over the last axis; on TensorFlow training is one operation each way.

    Same function and variables as ``keras.layers.BatchNormalization``. On JAX the moments leave out
    the rows that fill a batch up.
    """

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Normalise; in training by the batch's moments, which move the moving ones."""
        backend = keras.backend.backend()
        if not training or backend not in ("tensorflow", "jax"):
            return super().call(inputs, training=training, mask=mask)
        if backend == "jax":
            return self._over_present(inputs)
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
        self._move(mean, biased)
        return tf.reshape(output, tf.shape(inputs))

    def _over_present(self, inputs: Any) -> Any:
        """Train on JAX: means are matrix products with each row's weight."""
        from geno_hpo.models.xla import scaled, shifted

        samples, channels = inputs.shape[0], inputs.shape[-1]
        rows = ops.cast(ops.reshape(inputs, (-1, channels)), "float32")
        weights = row_weights(samples)
        if weights is None:
            weights = ops.full((samples,), 1.0 / samples)
        each = rows.shape[0] // samples
        weights = ops.repeat(weights / each, each)
        mean = ops.matmul(weights, rows)
        apart = shifted(rows, -mean)
        variance = ops.matmul(weights, ops.square(apart))
        self._move(mean, variance)
        factor = ops.rsqrt(variance + self.epsilon) * self.gamma
        output = shifted(scaled(apart, factor), ops.cast(self.beta, "float32"))
        return ops.cast(ops.reshape(output, inputs.shape), inputs.dtype)

    def _move(self, mean: Any, variance: Any) -> None:
        """Move the moving moments towards a batch's."""
        for moving, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
