"""A trained network as a function of its own inputs: logits, gradients, first-layer activations.

The engine's compiled functions start from the samples' codes. Integrated gradients, mutagenesis and
permutation ask about inputs that no sample has, so they need the Keras model itself. Inputs are
``(rows, length, symbols)`` or ``(rows, variants)`` float32, as the coding gives them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Parameters, build
from geno_hpo.training.coding import taking_dosages
from geno_hpo.training.protocol import Weights

__all__ = ["Probe"]

# Input values that go through the network at once.
AT_ONCE = 2**20
Floats = NDArray[np.float32]


class Probe:
    """Logits and gradients of one network at any input.

    Parameters
    ----------
    params, shape
        The configuration.
    weights
        Its weights; None leaves the network untrained, as `seed` initialises it.
    axes
        ``(k, components)`` of principal components in front of it, or None.
    seed
        Seed of initial weights.
    """

    def __init__(
        self,
        params: Parameters,
        shape: ModelShape,
        weights: Weights | None,
        *,
        axes: NDArray[np.float32] | None = None,
        seed: int = 0,
    ) -> None:
        model = build(params, shape, plain=True, seed=seed)
        if weights is not None:
            model.set_weights(list(weights))
        self._network = model
        self._model = model if axes is None else taking_dosages(model, axes)
        self.input_shape: tuple[int, ...] = tuple(self._model.input_shape[1:])
        self.units: int = shape.units
        rows = tf.TensorSpec([None, *self.input_shape], tf.float32)
        self._logits = tf.function(self._call, input_signature=[rows], autograph=False)
        self._slope = tf.function(
            self._gradient, input_signature=[rows, tf.TensorSpec([], tf.int32)], autograph=False
        )

    def _call(self, inputs: Any) -> Any:
        return self._model(inputs, training=False)

    def _gradient(self, inputs: Any, output: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            chosen = tf.gather(self._call(inputs), output, axis=1)
        return tape.gradient(chosen, inputs, unconnected_gradients="zero")

    def _parts(self, rows: int) -> list[slice]:
        size = max(1, AT_ONCE // int(np.prod(self.input_shape)))
        return [slice(start, start + size) for start in range(0, rows, size)]

    def logits(self, inputs: Floats) -> Floats:
        """Logits (or scaled trait values), ``(rows, units)``."""
        parts = [
            self._logits(tf.constant(inputs[part])).numpy() for part in self._parts(len(inputs))
        ]
        return np.concatenate([np.zeros((0, self.units), np.float32), *parts])

    def gradients(self, inputs: Floats, output: int = 0) -> Floats:
        """Gradient of one logit by the inputs, shaped as they are."""
        chosen = tf.constant(output)
        parts = [
            self._slope(tf.constant(inputs[part]), chosen).numpy()
            for part in self._parts(len(inputs))
        ]
        return np.concatenate([np.zeros((0, *self.input_shape), np.float32), *parts])

    def first_layer(self) -> FirstLayer | None:
        """The convolution that reads the sequence; None where the network has none."""
        import keras

        layers = self._network.layers
        places = [i for i, layer in enumerate(layers) if isinstance(layer, keras.layers.Conv1D)]
        if not places or layers[places[0]].input is not self._network.inputs[0]:
            return None
        last = places[0]
        while isinstance(
            layers[last + 1], keras.layers.BatchNormalization | keras.layers.Activation
        ):
            last += 1
        convolution = layers[places[0]]
        return FirstLayer(
            keras.Model(self._network.input, layers[last].output),
            int(convolution.kernel_size[0]),
            int(convolution.filters),
        )


class FirstLayer:
    """Activations of a network's first convolution.

    Parameters
    ----------
    model
        From inputs to activations ``(rows, length, filters)``; positions are the inputs' own.
    width, filters
        Of the convolution; an activation at position p read ``p − (width − 1) // 2`` and on.
    """

    def __init__(self, model: Any, width: int, filters: int) -> None:
        self._model = model
        self.width = width
        self.filters = filters

    def activations(self, inputs: Floats) -> Floats:
        """Activations ``(rows, length, filters)``."""
        found: Floats = self._model(inputs, training=False).numpy()
        return found
