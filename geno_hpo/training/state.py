"""A replica's state in TensorFlow: the variables it is loaded into, and the arrays it is kept as.

A *state* is a tuple of tensors, never changed in place: the flat vector of the trained values, the
optimizer's variables, and one vector of the moving statistics where a model has them. Nothing
random is in it: every random number comes from the replica's seed and the number of the step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from geno_hpo.models import Parameters
from geno_hpo.training.optimizers import make_update
from geno_hpo.training.protocol import Weights
from geno_hpo.training.variables import ModelVariables

__all__ = ["State", "StateVariables"]

State = tuple[Any, ...]


class StateVariables:
    """The variables that a state of one signature is loaded into.

    The trained values are one flat vector: the optimizer updates it in a few large operations, the
    model sees slices of it (aligned, so not copied).

    Parameters
    ----------
    model
        The Keras model.
    params
        Complete parameters.
    runtime
        Scalar variables of the runtime values in use, by name.
    """

    def __init__(self, model: Any, params: Parameters, runtime: dict[str, Any]) -> None:
        self.model = ModelVariables(model)
        self.layout = self.model.layout
        flat = keras.Variable(np.zeros(self.layout.total, np.float32), name="flat", dtype="float32")
        self.flat = flat.value
        self.update = make_update(params, runtime, flat)
        self._fresh_slots = [tf.constant(v.numpy()) for v in self.update.slots]
        self.statistics = tf.Variable(tf.zeros(self.model.moving_layout.total), name="statistics")

    # --- outside compiled functions ----------------------------------------------------------

    def initial(
        self, seed: int, rule: str, learned: Mapping[str, NDArray[np.float32]] | None
    ) -> State:
        """State of a freshly built model and optimizer; see `initial_weights`."""
        flat, moving = self.model.initial(seed, rule, learned)
        statistics = [tf.constant(moving)] if self.model.moving else []
        return (tf.constant(flat), *self._fresh_slots, *statistics)

    def revived(self, arrays: Sequence[NDArray[Any]]) -> State:
        """State of a checkpoint's arrays, whichever engine wrote them."""
        return tuple(
            tf.constant(array, variable.dtype)
            for array, variable in zip(arrays, self._loaded, strict=True)
        )

    def lean(self, state: State) -> State:
        """A state with the optimizer's variables left empty: what `weights` reads."""
        slots = range(1, 1 + len(self._fresh_slots))
        return tuple(
            part[:0] if i in slots and part.shape.rank else part for i, part in enumerate(state)
        )

    def weights(self, state: State) -> Weights:
        """Inference weights of a state."""
        return self.model.weights(state[0].numpy(), state[-1].numpy())

    @property
    def specs(self) -> list[Any]:
        """Shape and dtype of each tensor of a state."""
        return [tf.TensorSpec(v.shape, v.dtype) for v in self._loaded]

    # --- inside compiled functions -----------------------------------------------------------

    def load(self, state: Sequence[Any]) -> None:
        """Set the variables to a state."""
        for variable, value in zip(self._loaded, state, strict=True):
            variable.assign(value)

    def read(self) -> list[Any]:
        """The variables' values as a state."""
        return [variable.read_value() for variable in self._loaded]

    def trained(self) -> list[Any]:
        """Values of the model's trainable variables as they are now."""
        return self.layout.split(self.flat.read_value())

    def moving(self) -> list[Any]:
        """The moving statistics as they are now."""
        if not self.model.moving:
            return []
        return self.model.moving_layout.split(self.statistics)

    def move(self, others: Sequence[Any]) -> None:
        """Keep the statistics among what a step left of the model's other variables."""
        if self.model.moving:
            self.statistics.assign(self.model.moved(others))

    @property
    def _loaded(self) -> list[Any]:
        moving = [self.statistics] if self.model.moving else []
        return [self.flat, *self.update.slots, *moving]
