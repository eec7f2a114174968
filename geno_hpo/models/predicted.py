"""A dense layer whose weights another network predicts from what is known of each input.

For very many inputs (variants) and few samples, a free weight from each input to each unit is too
much to learn. Here a small *auxiliary* network turns each variant's description (its genotype
frequencies in each class) into its row of weights: ``(variants, groups × 3)`` → ``(variants,
units)``. What is trained is the auxiliary network, whose size does not grow with the variants.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from geno_hpo.models.present import row_weights

__all__ = ["PredictedDense"]


@keras.saving.register_keras_serializable(package="geno_hpo")
class PredictedDense(layers.Layer):  # type: ignore[misc]
    """``(batch, variants)`` → ``(batch, units)`` by predicted weights.

    Parameters
    ----------
    units
        Units of this layer.
    described
        Numbers that describe a variant.
    hidden
        Units of each hidden layer of the auxiliary network.
    activation
        Keras name of its activation.
    use_bias
        Add a bias, which is free.
    reconstruction
        A second auxiliary network predicts weights back from the units to the variants; the mean
        squared error of the inputs it gives is added to the loss, times a runtime value, which
        starts from this number. None: there is no such network.
    """

    def __init__(
        self,
        units: int,
        described: int,
        hidden: tuple[int, ...],
        activation: str,
        use_bias: bool = True,
        reconstruction: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units, self.described, self.use_bias = units, described, use_bias
        self.activation = keras.activations.get(activation)
        sizes = (*hidden, units)
        self.forward = self._auxiliary("forward", sizes, activation)
        self.backward = [] if reconstruction is None else self._auxiliary("back", sizes, activation)
        self.rate = None
        if reconstruction is not None:
            self.rate = self.add_weight(
                name="reconstruction_rate",
                shape=(),
                initializer=keras.initializers.Constant(reconstruction),
                trainable=False,
                autocast=False,
            )

    def _auxiliary(self, name: str, sizes: tuple[int, ...], activation: str) -> list[Any]:
        kinds = [activation] * (len(sizes) - 1) + ["linear"]
        return [
            layers.Dense(size, activation=kind, name=f"{name}_{number}")
            for number, (size, kind) in enumerate(zip(sizes, kinds, strict=True), start=1)
        ]

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make the variables; `histograms` is set from the training part, not trained."""
        variants = int(input_shape[-1] or 0)
        self.histograms = self.add_weight(
            name="histograms",
            shape=(variants, self.described),
            initializer="zeros",
            trainable=False,
        )
        if self.use_bias:
            self.bias = self.add_weight(name="bias", shape=(self.units,), initializer="zeros")
        for network in (self.forward, self.backward):
            width = self.described
            for layer in network:
                layer.build((variants, width))
                width = layer.units
        self.scale = 1.0 / np.sqrt(variants)

    def _predicted(self, network: list[Any]) -> Any:
        tensor = ops.convert_to_tensor(self.histograms)
        for layer in network:
            tensor = layer(tensor)
        return tensor

    def kernel(self) -> Any:
        """Predicted weights ``(variants, units)``.

        Divided by √variants, so that the sum over variants starts with a variance near 1.
        """
        return self._predicted(self.forward) * self.scale

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Batch and units."""
        return (*input_shape[:-1], self.units)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Weigh and sum; in training the reconstruction's error joins the loss."""
        output = ops.matmul(inputs, self.kernel())
        if self.use_bias:
            output = output + self.bias
        if training and self.rate is not None:
            back = ops.transpose(self._predicted(self.backward)) / np.sqrt(self.units)
            again = ops.matmul(self.activation(output), back)
            error = ops.square(inputs - again)
            weights = row_weights(error.shape[0]) if error.shape[0] else None
            mean = ops.mean(error)
            if weights is not None:
                mean = ops.matmul(weights, ops.mean(error, axis=1))
            self.add_loss(self.rate * mean)
        return output

    def baked(self) -> list[Any]:
        """Weights of the ordinary dense layer that this one has become."""
        kernel = np.asarray(ops.convert_to_numpy(self.kernel()))
        return [kernel, np.asarray(self.bias.value)] if self.use_bias else [kernel]
