"""Residual perceptrons: blocks of two dense layers, around which their input is led and added.

A dense layer brings the inputs to the blocks' width. A block is dense → batch norm (optional) →
activation → dropout → dense; with stochastic depth a sample passes by a block at random in
training, by the last one at the full rate, by the earlier ones at a part of it.

References
----------
He et al., Deep residual learning for image recognition, CVPR 2016. Huang et al., Deep networks with
stochastic depth, ECCV 2016. Gorishniy et al., Revisiting deep learning models for tabular data,
NeurIPS 2021.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.models.common import ACTIVATION, BATCH_NORM, DROPOUT, STOCHASTIC_DEPTH
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape

__all__ = ["RESIDUAL"]


def _check(params: Parameters, shape: ModelShape) -> None:
    """Accept everything: it fits every shape."""


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, neurons)``."""
    from keras import layers

    flat = blocks.head(inputs, "flat") if len(inputs.shape) == 3 else inputs
    width, total = int(params["neurons"]), int(params["blocks"])
    tensor = blocks.dense(flat, width, name="stem")
    for number in range(1, total + 1):
        branch = blocks.dense(tensor, width, name=f"block_{number}")
        branch = blocks.drop(branch, name=f"block_{number}_out")
        branch = layers.Dense(width, name=f"block_{number}_out")(branch)
        branch = blocks.depth(branch, f"block_{number}", number / total)
        tensor = layers.Add(name=f"skip_{number}")([tensor, branch])
    tensor = layers.Activation(blocks.activation, name="last_activation")(tensor)
    return blocks.drop(tensor, name="logits")


RESIDUAL = Family(
    name="residual",
    label="Residual network",
    description="Dense blocks with skips over all positions or variants.",
    kinds=("sequence", "variants"),
    parameters=(
        Parameter("blocks", "int", 2, "Residual blocks.", low=1, high=32),
        Parameter("neurons", "int", 64, "Units of every layer.", low=1),
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
        STOCHASTIC_DEPTH,
    ),
    check=_check,
    body=_body,
    reference="He et al. 2016; Huang et al. 2016; Gorishniy et al. 2021",
)
