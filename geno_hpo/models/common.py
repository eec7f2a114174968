"""Hyperparameters that several families have, each said once."""

from __future__ import annotations

from geno_hpo.errors import InputError
from geno_hpo.models.parameter import Parameter, Parameters, share
from geno_hpo.models.shape import ModelShape

__all__ = [
    "ACTIVATION",
    "BATCH_NORM",
    "DENSE",
    "DROPOUT",
    "POOLING_HEAD",
    "SPATIAL_DROPOUT",
    "STOCHASTIC_DEPTH",
    "at_most_length",
    "row",
]

ACTIVATION = Parameter(
    "activation",
    "choice",
    "relu",
    "Activation of hidden layers.",
    choices=("relu", "elu", "gelu", "selu", "silu", "tanh"),
)
BATCH_NORM = Parameter("batch_norm", "bool", False, "Batch normalisation before activations.")
DROPOUT = share("dropout", "Dropout rate around dense layers; without it no dropout layer.")
SPATIAL_DROPOUT = share(
    "spatial_dropout",
    "Share of filters left out as a whole, all positions together; without it no such layer.",
)
STOCHASTIC_DEPTH = share(
    "stochastic_depth",
    "Chance that a sample passes by the last block, in training; earlier blocks have a part of it.",
)
DENSE = (
    Parameter("dense_layers", "int", 1, "Dense layers before the output.", low=0, high=8),
    Parameter("neurons", "int", 32, "Units of each dense layer.", low=1),
)
POOLING_HEAD = Parameter(
    "pooling_head",
    "choice",
    "flat",
    "How positions become features: all of them, or a global maximum or average.",
    choices=("flat", "max", "average"),
)


def row(shape: ModelShape) -> str:
    """Give what a sample of this kind is called."""
    return "sequence" if shape.kind == "sequence" else "row of variants"


def at_most_length(params: Parameters, shape: ModelShape, *names: str) -> None:
    """Refuse widths greater than the length of what they read.

    Raises
    ------
    InputError
        With the rule and the value.
    """
    for name in names:
        if int(params[name]) > shape.length:
            raise InputError(
                f"{name} must be at most the {row(shape)}'s length {shape.length}, "
                f"got {params[name]}"
            )
