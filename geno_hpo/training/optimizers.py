"""Keras optimizers whose hyperparameters are runtime values.

A Keras optimizer reads ``beta_1`` and the like when its update is traced. Here these attributes are
replaced by scalar variables first, so that the traced update reads their present value: trials
that differ in them share one compiled function.
"""

from __future__ import annotations

from typing import Any

import keras

from geno_hpo.models.parameters import OPTIMIZERS, Value

__all__ = ["make_optimizer"]


class _Switched:
    """A runtime value that stands for "not zero" in Keras's own ``if momentum != 0``.

    With momentum 0 the update with a momentum slot equals the one without, so the slot is kept
    whatever the value is.
    """

    def __init__(self, variable: Any) -> None:
        self.variable = variable
        self.dtype = variable.dtype

    def __tf_tensor__(self, dtype: Any = None, name: str | None = None) -> Any:
        import tensorflow as tf

        return tf.convert_to_tensor(self.variable, dtype=dtype, name=name)

    def __ne__(self, other: object) -> bool:
        return True

    def __gt__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def make_optimizer(params: dict[str, Value], runtime: dict[str, Any], flat: Any) -> Any:
    """Make and build the optimizer of a configuration.

    Parameters
    ----------
    params
        Complete parameters.
    runtime
        Scalar backend variables of the runtime values in use, by name.
    flat
        The ``keras.Variable`` that holds all trainable values in one vector. Every optimizer here
        works element by element, so that one vector gives what separate variables would.

    Returns
    -------
    keras.optimizers.Optimizer
        Built on `flat`. Its learning rate is a variable of its own, to be set by the caller.
    """
    name = str(params["optimizer"])
    own = [key for key in OPTIMIZERS[name] if key in params]
    settings: dict[str, Any] = {"nesterov": params["nesterov"]} if "nesterov" in own else {}
    if "momentum" in own:
        settings["momentum"] = 0.5
    optimizer = keras.optimizers.get({"class_name": name, "config": settings})
    optimizer.build([flat])
    for key in own:
        if key == "momentum":
            optimizer.momentum = _Switched(runtime[key])
        elif key in runtime:
            setattr(optimizer, key, runtime[key])
    optimizer.weight_decay = runtime.get("weight_decay")
    return optimizer
