"""Convolutional networks: a tower of convolutions over positions, then dense layers.

Each tower level is convolution (same padding) → batch norm (optional) → activation → max pooling
(rounded up); after the head, dropout stands before every dense layer, the output layer included.
Variants enter as one channel in the order of their columns.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.models.family import Family
from geno_hpo.models.parameters import ACTIVATION, BATCH_NORM, DROPOUT, Parameter, Parameters
from geno_hpo.models.shape import ModelShape

__all__ = ["CNN"]


def _check(params: Parameters, shape: ModelShape) -> None:
    """Refuse a kernel wider than the sequence it reads."""
    length, pool, kernel = shape.length, int(params["pool"]), int(params["kernel"])
    if kernel > length:
        what = "sequence" if shape.kind == "sequence" else "row of variants"
        raise InputError(f"kernel must be at most the {what}'s length {length}, got {kernel}")
    if pool > length:
        raise InputError(f"pool must be at most the length {length}, got {pool}")


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    from keras import layers

    tensor = inputs
    if len(inputs.shape) == 2:
        tensor = layers.Reshape((inputs.shape[1], 1), name="channel")(tensor)
    for level in range(1, int(params["conv_layers"]) + 1):
        tensor = blocks.conv(
            tensor, int(params["filters"]), int(params["kernel"]), name=f"conv_{level}"
        )
        tensor = blocks.pool(tensor, int(params["pool"]), name=f"pool_{level}")
    tensor = blocks.head(tensor, str(params["pooling_head"]))
    for level in range(1, int(params["dense_layers"]) + 1):
        tensor = blocks.drop(tensor, name=f"dense_{level}")
        tensor = blocks.dense(tensor, int(params["neurons"]), name=f"dense_{level}")
    return blocks.drop(tensor, name="logits")


CNN = Family(
    name="cnn",
    description="Convolutions over positions, pooled, then dense layers.",
    kinds=("sequence", "variants"),
    parameters=(
        Parameter("conv_layers", "int", 1, "Convolution levels.", low=1, high=12),
        Parameter("filters", "int", 32, "Filters of each convolution.", low=1),
        Parameter("kernel", "int", 8, "Width of each convolution in positions.", low=1),
        Parameter("pool", "int", 2, "Width of max pooling; 1 for none.", low=1),
        Parameter("dense_layers", "int", 1, "Dense layers before the output.", low=0, high=8),
        Parameter("neurons", "int", 32, "Units of each dense layer.", low=1),
        Parameter(
            "pooling_head",
            "choice",
            "flat",
            "How positions become features: all of them, or a global maximum or average.",
            choices=("flat", "max", "average"),
        ),
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
    ),
    check=_check,
    body=_body,
)
