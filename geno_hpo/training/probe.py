"""A trained network as a function of its own inputs: logits, gradients, first-layer activations.

The engine's compiled functions start from the samples' codes. Integrated gradients, mutagenesis and
permutation ask about inputs that no sample has, so they need the Keras model itself. Inputs are
``(rows, length, symbols)`` or ``(rows, variants)`` float32, as the coding gives them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Parameters, build
from geno_hpo.training.dosages import taking_dosages
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
        self._logits, self._slope = _compiled(self._model)

    def _parts(self, inputs: Floats) -> Iterator[tuple[int, Floats]]:
        """Some rows at once, and how many of them count.

        JAX compiles for each number of rows, so there they are filled up to a few numbers.
        """
        most = max(1, AT_ONCE // int(np.prod(self.input_shape)))
        for start in range(0, len(inputs), most):
            part = inputs[start : start + most]
            if keras.backend.backend() == "jax":
                size = min(most, 1 << (len(part) - 1).bit_length())
                yield len(part), np.concatenate([part, part[: size - len(part)]])
            else:
                yield len(part), part

    def logits(self, inputs: Floats) -> Floats:
        """Logits (or scaled trait values), ``(rows, units)``."""
        parts = [np.asarray(self._logits(part))[:rows] for rows, part in self._parts(inputs)]
        return np.concatenate([np.zeros((0, self.units), np.float32), *parts])

    def gradients(self, inputs: Floats, output: int = 0) -> Floats:
        """Gradient of one logit by the inputs, shaped as they are."""
        parts = [np.asarray(self._slope(part, output))[:rows] for rows, part in self._parts(inputs)]
        return np.concatenate([np.zeros((0, *self.input_shape), np.float32), *parts])

    def first_layer(self) -> FirstLayer | None:
        """The convolution that reads the sequence; None where the network has none."""
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


def _compiled(model: Any) -> tuple[Callable[[Any], Any], Callable[[Any, int], Any]]:
    """Logits of inputs, and the gradient of one of them, on this process's backend."""
    if keras.backend.backend() == "jax":
        return _by_jax(model)
    return _by_tensorflow(model)


def _by_tensorflow(model: Any) -> tuple[Callable[[Any], Any], Callable[[Any, int], Any]]:
    import tensorflow as tf

    def call(inputs: Any) -> Any:
        return model(inputs, training=False)

    def gradient(inputs: Any, output: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            chosen = tf.gather(call(inputs), output, axis=1)
        return tape.gradient(chosen, inputs, unconnected_gradients="zero")

    rows = tf.TensorSpec([None, *model.input_shape[1:]], tf.float32)
    logits = tf.function(call, input_signature=[rows], autograph=False)
    place = tf.TensorSpec([], tf.int32)
    slope = tf.function(gradient, input_signature=[rows, place], autograph=False)
    return logits, slope


def _by_jax(model: Any) -> tuple[Callable[[Any], Any], Callable[[Any, int], Any]]:
    import jax

    trained = [variable.value for variable in model.trainable_variables]
    others = [variable.value for variable in model.non_trainable_variables]

    def call(inputs: Any) -> Any:
        return model.stateless_call(trained, others, inputs, training=False)[0]

    def chosen(inputs: Any, output: Any) -> Any:
        return jax.numpy.sum(jax.numpy.take(call(inputs), output, axis=1))

    return jax.jit(call), jax.jit(jax.grad(chosen))


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
        found: Floats = keras.ops.convert_to_numpy(self._model(inputs, training=False))
        return found
