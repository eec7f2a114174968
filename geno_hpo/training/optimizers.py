"""Keras's optimizers on one flat vector, their hyperparameters runtime values.

The common ones (sgd, adam, adamw, rmsprop) are single fused operations of TensorFlow with the
formulas of Keras. The others are Keras's own: a Keras optimizer reads ``beta_1`` and the like when
its update is traced; here these attributes are replaced by scalar variables first, so that the
traced update reads their present value. Trials that differ in them share one compiled function.
"""

from __future__ import annotations

from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from geno_hpo.models.parameter import Parameters
from geno_hpo.models.training import OPTIMIZERS

__all__ = ["Update", "make_update"]


class Update(Protocol):
    """One optimizer built on the flat vector."""

    slots: list[Any]
    """TensorFlow variables that are the optimizer's part of a replica's state."""

    def apply(self, gradient: Any, rate: Any, step: Any) -> None:
        """Change the flat vector.

        Parameters
        ----------
        gradient
            Of the loss by the flat vector.
        rate
            Learning rate, a scalar tensor.
        step
            Steps done before this one over all epochs, a scalar int32 tensor.
        """


class _Fused:
    """What the fused updates share: the vector, runtime values, slots, weight decay."""

    names: tuple[str, ...] = ()

    def __init__(self, params: Parameters, runtime: dict[str, Any], flat: Any) -> None:
        self._params, self._runtime, self._flat = params, runtime, flat.value
        self._default = keras.optimizers.get(str(params["optimizer"]))
        self.slots = [tf.Variable(tf.zeros(flat.shape), name=name) for name in self.names]

    def _value(self, name: str) -> Any:
        if name in self._runtime:
            return self._runtime[name].read_value()
        return float(getattr(self._default, name))

    def apply(self, gradient: Any, rate: Any, step: Any) -> None:
        if "weight_decay" in self._runtime:
            self._flat.assign_sub(self._flat * (self._value("weight_decay") * rate))
        self._update(gradient, rate, step, [self._flat.handle, *(x.handle for x in self.slots)])

    def _update(self, gradient: Any, rate: Any, step: Any, handles: list[Any]) -> None:
        raise NotImplementedError


class _Adam(_Fused):
    """Two moments, bias-corrected; with weight decay it is adamw.

    The fused operation takes 1 − β₂ in single precision, Keras in double: 1.3e-5 apart at 0.999.
    The rate makes up for it, so that the first hundreds of steps agree to rounding.
    """

    names = ("moment_1", "moment_2")

    def _update(self, gradient: Any, rate: Any, step: Any, handles: list[Any]) -> None:
        beta_1, beta_2 = self._value("beta_1"), self._value("beta_2")
        times = tf.cast(step + 1, tf.float32)
        if "beta_2" not in self._runtime:
            rate = rate * float(np.sqrt((1.0 - np.float32(beta_2)) / (1.0 - beta_2)))
        tf.raw_ops.ResourceApplyAdam(
            var=handles[0],
            m=handles[1],
            v=handles[2],
            beta1_power=tf.pow(beta_1, times),
            beta2_power=tf.pow(beta_2, times),
            lr=rate,
            beta1=beta_1,
            beta2=beta_2,
            epsilon=self._default.epsilon,
            grad=gradient,
        )


class _RMSprop(_Fused):
    """Root mean square of gradients; momentum 0 equals none."""

    names = ("mean_square", "momentum")

    def _update(self, gradient: Any, rate: Any, _step: Any, handles: list[Any]) -> None:
        tf.raw_ops.ResourceApplyRMSProp(
            var=handles[0],
            ms=handles[1],
            mom=handles[2],
            lr=rate,
            rho=self._value("rho"),
            momentum=self._value("momentum"),
            epsilon=self._default.epsilon,
            grad=gradient,
        )


class _SGD(_Fused):
    """Plain descent."""

    def _update(self, gradient: Any, rate: Any, _step: Any, handles: list[Any]) -> None:
        tf.raw_ops.ResourceApplyGradientDescent(var=handles[0], alpha=rate, delta=gradient)


class _Momentum(_Fused):
    """Descent with (Nesterov) momentum, the learning rate inside the momentum as in Keras."""

    names = ("momentum",)

    def _update(self, gradient: Any, rate: Any, _step: Any, handles: list[Any]) -> None:
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=handles[0],
            accum=handles[1],
            lr=rate,
            grad=gradient,
            momentum=self._value("momentum"),
            use_nesterov=bool(self._params.get("nesterov", False)),
        )


class _FromKeras:
    """Any other Keras optimizer; each works element by element, so one vector serves."""

    def __init__(self, params: Parameters, runtime: dict[str, Any], flat: Any) -> None:
        name = str(params["optimizer"])
        self._optimizer = keras.optimizers.get(name)
        self._optimizer.build([flat])
        for key in OPTIMIZERS[name]:
            if key in runtime:
                setattr(self._optimizer, key, runtime[key])
        self._optimizer.weight_decay = runtime.get("weight_decay")
        rate = self._optimizer.learning_rate
        self.slots = [v.value for v in self._optimizer.variables if v is not rate]

    def apply(self, gradient: Any, rate: Any, _step: Any) -> None:
        self._optimizer.learning_rate.assign(rate)
        self._optimizer.apply([gradient])


def make_update(params: Parameters, runtime: dict[str, Any], flat: Any) -> Update:
    """Make the optimizer of a configuration.

    Parameters
    ----------
    params
        Complete parameters.
    runtime
        Scalar TensorFlow variables of the runtime values in use, by name.
    flat
        The ``keras.Variable`` that holds all trainable values in one vector.
    """
    name = str(params["optimizer"])
    if name == "sgd":
        return (_Momentum if "momentum" in runtime else _SGD)(params, runtime, flat)
    fused = {"adam": _Adam, "adamw": _Adam, "rmsprop": _RMSprop}
    return fused.get(name, _FromKeras)(params, runtime, flat)
