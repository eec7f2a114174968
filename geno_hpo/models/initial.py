"""Initial weights of a model from a seed, the same on every backend.

Kernels are drawn with NumPy by the rule that ``initializer`` names (Keras's default is
``glorot_uniform``), recurrent kernels are orthogonal; every other variable starts from the constant
its layer gives it (biases 0, but 1 at an LSTM's forget gates; scales 1, moving means 0, moving
variances 1). So a model is re-initialised without being built again, and two engines start from
equal weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import layers
from numpy.typing import NDArray

from geno_hpo.errors import InputError
from geno_hpo.models.runtime import RUNTIME_VARIABLES
from geno_hpo.models.training import INITIALIZERS

__all__ = ["drawn", "inference_variables", "initial_weights", "initialise", "leading_axes"]

_CONSTANT = {
    "bias": 0.0,
    "gamma": 1.0,
    "beta": 0.0,
    "moving_mean": 0.0,
    "moving_variance": 1.0,
    "histograms": 0.0,
}
_TRUNCATED = 0.87962566103423978
"""Standard deviation of a normal distribution cut at two of its own."""


def leading_axes(model: Any) -> dict[int, tuple[int, ...]]:
    """Axes of each kernel over which inputs lead into one unit or filter, by the variable's id.

    All but the last; of a kernel ``(windows, width, units)``, with weights for each window, the
    width.
    """
    apart = {
        id(layer.kernel)
        for layer in model.layers
        if isinstance(layer, layers.EinsumDense) and len(layer.kernel.shape) == 3
    }
    return {
        id(variable): (1,) if id(variable) in apart else tuple(range(len(variable.shape) - 1))
        for variable in model.weights
        if variable.name == "kernel"
    }


def drawn(
    shape: tuple[int, ...], axes: tuple[int, ...], rule: str, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Draw a kernel by one of the rules ``{glorot, he, lecun}_{uniform, normal}``.

    Parameters
    ----------
    shape
        ``(*window, inputs, outputs)``.
    axes
        See `leading_axes`; their sizes multiply to the fan in.
    rule
        The variance is 2 / (fan in + fan out), 2 / fan in or 1 / fan in.
    rng
        Where the numbers come from.

    References
    ----------
    Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010. He et al., Delving deep into rectifiers, ICCV 2015. LeCun et al., Efficient
    BackProp, 1998.
    """
    whose, form = INITIALIZERS[rule]
    entering = int(np.prod([shape[axis] for axis in axes]))
    leaving = entering // shape[-2] * shape[-1]
    share = {"glorot": 2.0 / (entering + leaving), "he": 2.0 / entering}.get(whose, 1.0 / entering)
    if form == "uniform":
        limit = np.sqrt(3.0 * share)
        return rng.uniform(-limit, limit, shape).astype(np.float32)
    values = rng.standard_normal(shape)
    while (far := np.abs(values) > 2.0).any():
        values[far] = rng.standard_normal(int(far.sum()))
    scaled: NDArray[np.float32] = (values * (np.sqrt(share) / _TRUNCATED)).astype(np.float32)
    return scaled


def inference_variables(model: Any) -> list[Any]:
    """Give the variables predictions depend on, in the order of the plain model's ``weights``."""
    return [variable for variable in model.weights if variable.name not in RUNTIME_VARIABLES]


def initial_weights(
    model: Any,
    seed: int,
    rule: str = "glorot_uniform",
    learned: Mapping[str, NDArray[np.float32]] | None = None,
) -> list[NDArray[np.float32]]:
    """Values for `inference_variables` of a freshly built model with this seed.

    Parameters
    ----------
    model, seed
        The model, and what decides the draws.
    rule
        See `drawn`.
    learned
        Values, by the variable's name, that come from the training part and not from chance.

    Raises
    ------
    KeyError
        A family added a kind of variable that has no rule here.
    InputError
        What was learned has another shape than the variable.
    """
    rng = np.random.default_rng([seed, 0])
    axes = leading_axes(model)
    values = []
    for variable in inference_variables(model):
        shape = tuple(variable.shape)
        if variable.name in (learned or {}):
            value = np.asarray((learned or {})[variable.name], np.float32)
            if value.shape != shape:
                raise InputError(f"{variable.name} must be {shape}, got {value.shape}")
        elif variable.name == "kernel":
            value = drawn(shape, axes[id(variable)], rule, rng)
        elif variable.name == "recurrent_kernel":
            value = _orthogonal(shape, rng)
        else:
            value = np.full(shape, _CONSTANT[variable.name], np.float32)
            if variable.name == "bias" and "lstm_cell" in variable.path:
                units = shape[0] // 4
                value[units : 2 * units] = 1.0
        values.append(value)
    return values


def initialise(model: Any, seed: int, rule: str = "glorot_uniform") -> None:
    """Set `model`'s variables to `initial_weights`."""
    values = initial_weights(model, seed, rule)
    for variable, value in zip(inference_variables(model), values, strict=True):
        variable.assign(value)


def _orthogonal(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Rows at right angles, of length 1: ``(units, gates × units)``."""
    columns, triangle = np.linalg.qr(rng.standard_normal((shape[1], shape[0])))
    return (columns * np.sign(np.diag(triangle))).T.astype(np.float32)
