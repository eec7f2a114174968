"""Initial weights of a model from a seed, the same on every backend.

Kernels are drawn Glorot-uniform (Keras's default) with NumPy; every other variable starts from
the constant its layer gives it (biases 0, scales 1, moving means 0, moving variances 1). So a model
is re-initialised without being built again, and two engines start from equal weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.models.blocks import DROPOUT_RATE

__all__ = ["glorot_uniform", "inference_variables", "initial_weights", "initialise"]

_CONSTANT = {
    "bias": 0.0,
    "gamma": 1.0,
    "beta": 0.0,
    "moving_mean": 0.0,
    "moving_variance": 1.0,
}


def glorot_uniform(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw a kernel ``(*window, inputs, outputs)`` uniformly in ±√(6 / (fan in + fan out)).

    References
    ----------
    Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks,
    AISTATS 2010.
    """
    window = int(np.prod(shape[:-2]))
    limit = np.sqrt(6.0 / (window * (shape[-2] + shape[-1])))
    return rng.uniform(-limit, limit, shape).astype(np.float32)


def inference_variables(model: Any) -> list[Any]:
    """Give the variables predictions depend on, in the order of the plain model's ``weights``."""
    return [variable for variable in model.weights if variable.name != DROPOUT_RATE]


def initial_weights(model: Any, seed: int) -> list[NDArray[np.float32]]:
    """Values for `inference_variables` of a freshly built model with this seed.

    Raises
    ------
    KeyError
        A family added a kind of variable that has no rule here.
    """
    rng = np.random.default_rng([seed, 0])
    return [
        glorot_uniform(tuple(variable.shape), rng)
        if variable.name == "kernel"
        else np.full(tuple(variable.shape), _CONSTANT[variable.name], np.float32)
        for variable in inference_variables(model)
    ]


def initialise(model: Any, seed: int) -> None:
    """Set `model`'s variables to `initial_weights`."""
    for variable, value in zip(
        inference_variables(model), initial_weights(model, seed), strict=True
    ):
        variable.assign(value)
