"""Keras's optimizers on one flat vector as plain functions, for the JAX engine.

Their formulas and their slots are those of `geno_hpo.training.optimizers`, so that a checkpoint of
one engine goes on in the other. Where Keras's own optimizer asks a hyperparameter in Python
(``momentum > 0``), which a value inside a compiled function cannot answer, the formula stands here;
the others are Keras's, their hyperparameters replaced by values while they are traced.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import jax.numpy as jnp
import keras
import numpy as np

from geno_hpo.models.parameter import Parameters
from geno_hpo.models.training import OPTIMIZERS

__all__ = ["StatelessUpdate", "stateless_update"]

Value = Callable[[str], Any]
"""Gives the present value of a runtime hyperparameter, None where it is not in use."""
Slots = tuple[Any, ...]


class StatelessUpdate(Protocol):
    """One optimizer."""

    fresh: tuple[Any, ...]
    """Its slots at the start, NumPy arrays."""

    def __call__(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, step: Any, value: Value
    ) -> tuple[Any, Slots]:
        """Vector and slots after a step; `step`: steps done before this one."""


class _Formula:
    """An optimizer whose slots are vectors like the flat one."""

    slots = 0

    def __init__(self, params: Parameters, total: int) -> None:
        self._params = params
        self._default = keras.optimizers.get(str(params["optimizer"]))
        self.fresh = tuple(np.zeros(total, np.float32) for _ in range(self.slots))

    def __call__(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, step: Any, value: Value
    ) -> tuple[Any, Slots]:
        decay = value("weight_decay")
        if decay is not None:
            flat = flat - flat * (decay * rate)

        def told(name: str) -> Any:
            given = value(name)
            return float(getattr(self._default, name)) if given is None else given

        return self._moved(flat, slots, gradient, rate, step, told)

    def _moved(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, step: Any, told: Value
    ) -> tuple[Any, Slots]:
        raise NotImplementedError


class _Adam(_Formula):
    slots = 2

    def _moved(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, step: Any, told: Value
    ) -> tuple[Any, Slots]:
        beta_1, beta_2 = told("beta_1"), told("beta_2")
        times = jnp.asarray(step + 1, jnp.float32)
        rate = rate * jnp.sqrt(1.0 - beta_2**times) / (1.0 - beta_1**times)
        first = slots[0] + (gradient - slots[0]) * (1.0 - beta_1)
        second = slots[1] + (gradient * gradient - slots[1]) * (1.0 - beta_2)
        moved = flat - rate * first / (jnp.sqrt(second) + self._default.epsilon)
        return moved, (first, second)


class _RMSprop(_Formula):
    slots = 2

    def _moved(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, _step: Any, told: Value
    ) -> tuple[Any, Slots]:
        square = slots[0] + (gradient * gradient - slots[0]) * (1.0 - told("rho"))
        change = rate * gradient / jnp.sqrt(square + self._default.epsilon)
        momentum = told("momentum") * slots[1] + change
        return flat - momentum, (square, momentum)


class _SGD(_Formula):
    def _moved(
        self, flat: Any, _slots: Slots, gradient: Any, rate: Any, _step: Any, _told: Value
    ) -> tuple[Any, Slots]:
        return flat - rate * gradient, ()


class _Momentum(_Formula):
    slots = 1

    def _moved(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, _step: Any, told: Value
    ) -> tuple[Any, Slots]:
        share = told("momentum")
        momentum = slots[0] * share - rate * gradient
        if self._params.get("nesterov", False):
            return flat + share * momentum - rate * gradient, (momentum,)
        return flat + momentum, (momentum,)


class _FromKeras:
    """Any other Keras optimizer; each works element by element, so one vector serves."""

    def __init__(self, params: Parameters, total: int) -> None:
        self._name = str(params["optimizer"])
        self._optimizer = keras.optimizers.get(self._name)
        self._optimizer.build([keras.Variable(np.zeros(total, np.float32), name="flat")])
        rate = self._optimizer.learning_rate
        self._rate = [v is rate for v in self._optimizer.variables]
        self.fresh = tuple(np.asarray(v) for v in self._optimizer.variables if v is not rate)

    def __call__(
        self, flat: Any, slots: Slots, gradient: Any, rate: Any, step: Any, value: Value
    ) -> tuple[Any, Slots]:
        del step  # Keras counts in a slot
        names = [*OPTIMIZERS[self._name], "weight_decay"]
        kept = {name: getattr(self._optimizer, name) for name in names}
        try:
            for name in names:
                given = value(name)
                if given is not None or name == "weight_decay":
                    setattr(self._optimizer, name, given)
            waiting = iter(slots)
            variables = [rate if own else next(waiting) for own in self._rate]
            moved, after = self._optimizer.stateless_apply(variables, [gradient], [flat])
        finally:
            for name, former in kept.items():
                setattr(self._optimizer, name, former)
        return moved[0], tuple(x for x, own in zip(after, self._rate, strict=True) if not own)


def stateless_update(params: Parameters, total: int, runtime: Sequence[str]) -> StatelessUpdate:
    """Make the optimizer of a configuration.

    Parameters
    ----------
    params
        Complete parameters.
    total
        Length of the flat vector.
    runtime
        Names of the runtime values in use.
    """
    name = str(params["optimizer"])
    if name == "sgd":
        return (_Momentum if "momentum" in runtime else _SGD)(params, total)
    formulas: dict[str, type[_Formula]] = {"adam": _Adam, "adamw": _Adam, "rmsprop": _RMSprop}
    return formulas.get(name, _FromKeras)(params, total)
