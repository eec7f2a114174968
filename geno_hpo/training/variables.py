"""A model's variables as an engine keeps them: which are trained, which move, which are values.

The trained ones are one flat vector, the moving statistics another; seeds of dropout and runtime
hyperparameters are given anew in every step. Nothing here belongs to a backend.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.models.initial import inference_variables, initial_weights, leading_axes
from geno_hpo.models.runtime import RUNTIME_VARIABLES
from geno_hpo.training.layout import Layout
from geno_hpo.training.protocol import Weights

__all__ = ["ModelVariables"]

Floats = NDArray[np.float32]


class ModelVariables:
    """Where each variable of a model belongs.

    Parameters
    ----------
    model
        A Keras model that `geno_hpo.models.build` made.
    """

    def __init__(self, model: Any) -> None:
        self._model = model
        self.trained = list(model.trainable_variables)
        self.layout = Layout([variable.shape for variable in self.trained])
        self._inferring = inference_variables(model)
        kept = {id(v) for v in self._inferring}
        self._others = list(model.non_trainable_variables)
        self.moving = [v for v in self._others if id(v) in kept]
        self.moving_layout = Layout([variable.shape for variable in self.moving])
        self.seeded = [
            v for v in self._others if id(v) not in kept and v.name not in RUNTIME_VARIABLES
        ]
        self._axes = leading_axes(model)

    @property
    def shapes(self) -> list[tuple[Any, str]]:
        """Shape and dtype of each weight that predictions depend on."""
        return [(tuple(v.shape), v.dtype) for v in self._inferring]

    @property
    def kernels(self) -> Floats:
        """1 where the flat vector holds a kernel's value, else 0."""
        return self.layout.pack(
            [np.full(tuple(v.shape), v.name == "kernel", np.float32) for v in self.trained]
        )

    @property
    def norm_axes(self) -> list[tuple[int, ...] | None]:
        """For each trained variable the axes that lead into one unit; None where none do."""
        return [self._axes.get(id(variable)) for variable in self.trained]

    def initial(
        self, seed: int, rule: str, learned: Mapping[str, Floats] | None
    ) -> tuple[Floats, Floats]:
        """Both vectors of a freshly built model; see `initial_weights`."""
        drawn = initial_weights(self._model, seed, rule, learned)
        values = dict(zip(map(id, self._inferring), drawn, strict=True))
        flat = self.layout.pack([values[id(v)] for v in self.trained])
        return flat, self.moving_layout.pack([values[id(v)] for v in self.moving])

    def weights(self, flat: Floats, moving: Floats) -> Weights:
        """Inference weights of both vectors."""
        trained = self.layout.unpack(flat)
        values = dict(zip(map(id, self.trained), trained, strict=True))
        if self.moving:
            moved = self.moving_layout.unpack(moving)
            values |= dict(zip(map(id, self.moving), moved, strict=True))
        return tuple(values[id(v)] for v in self._inferring)

    def others(
        self, moving: Sequence[Any], seeds: Sequence[Any], value: Callable[[str], Any]
    ) -> list[Any]:
        """Values in the order of the model's ``non_trainable_variables``.

        Parameters
        ----------
        moving, seeds
            Of the moving and the seeded variables.
        value
            Gives the present value of a runtime hyperparameter.
        """
        values = dict(zip(map(id, self.moving), moving, strict=True))
        values |= dict(zip(map(id, self.seeded), seeds, strict=True))
        return [
            values[id(v)] if id(v) in values else value(RUNTIME_VARIABLES[v.name])
            for v in self._others
        ]

    def moved(self, others: Sequence[Any]) -> Any:
        """The vector of moving statistics among what a step left of the other variables."""
        values = dict(zip(map(id, self._others), others, strict=True))
        return self.moving_layout.join([values[id(v)] for v in self.moving])

    def parted(self, weights: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """From inference weights to the trained and the moving values."""
        values = dict(zip(map(id, self._inferring), weights, strict=True))
        return [values[id(v)] for v in self.trained], [values[id(v)] for v in self.moving]
