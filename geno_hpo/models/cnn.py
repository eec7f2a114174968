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
from geno_hpo.models.tower import Activate, Conv, Head, Norm, Part, Pool, Tower

__all__ = ["CNN"]


def _check(params: Parameters, shape: ModelShape) -> None:
    """Refuse a kernel wider than the sequence it reads."""
    length, pool, kernel = shape.length, int(params["pool"]), int(params["kernel"])
    if kernel > length:
        what = "sequence" if shape.kind == "sequence" else "row of variants"
        raise InputError(f"kernel must be at most the {what}'s length {length}, got {kernel}")
    if pool > length:
        raise InputError(f"pool must be at most the length {length}, got {pool}")


def tower(params: Parameters) -> Tower:
    """Describe the tower of complete parameters, head included."""
    filters, kernel, pool = (int(params[name]) for name in ("filters", "kernel", "pool"))
    norm, activation = bool(params["batch_norm"]), str(params["activation"])
    parts: list[Part] = []
    for level in range(1, int(params["conv_layers"]) + 1):
        name = f"conv_{level}"
        parts.append(Conv(name, filters, kernel, bias=not norm))
        parts.extend([Norm(f"{name}_norm")] if norm else [])
        parts.append(Activate(f"{name}_{activation}", activation))
        parts.extend([Pool(f"pool_{level}", pool)] if pool > 1 else [])
    return (*parts, Head(str(params["pooling_head"])))


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    tensor = blocks.stack(blocks.channels(inputs), tower(params))
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
    tower=tower,
)
