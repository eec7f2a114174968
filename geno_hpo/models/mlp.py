"""Multi-layer perceptrons: dense layers over all positions or variants at once.

A sequence enters as its flattened one-hot code. Each level is dense → batch norm (optional) →
activation → dropout. *Wide and deep*: the inputs stand beside the last layer's units before the
output layer, so that a linear model and a deep one are trained together.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.models.common import ACTIVATION, BATCH_NORM, DROPOUT
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape

__all__ = ["MLP"]


def _check(params: Parameters, shape: ModelShape) -> None:
    """Accept everything: every perceptron fits every shape."""


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    from keras import layers

    flat = blocks.head(inputs, "flat") if len(inputs.shape) == 3 else inputs
    tensor, total = flat, int(params["layers"])
    for level in range(1, total + 1):
        tensor = blocks.dense(tensor, int(params["neurons"]), name=f"dense_{level}")
        following = "logits" if level == total else f"dense_{level + 1}"
        tensor = blocks.drop(tensor, name=following)
    if params["wide"] and total:
        tensor = layers.Concatenate(name="wide_and_deep")([flat, tensor])
    return tensor


MLP = Family(
    name="mlp",
    label="MLP",
    description="Dense layers over all positions or variants.",
    kinds=("sequence", "variants"),
    parameters=(
        Parameter("layers", "int", 1, "Hidden layers; 0 is a linear model.", low=0, high=12),
        Parameter("neurons", "int", 64, "Units of each hidden layer.", low=1),
        Parameter("wide", "bool", False, "Join the inputs to the last hidden layer."),
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
    ),
    check=_check,
    body=_body,
    reference="wide and deep: Cheng et al. 2016",
)
