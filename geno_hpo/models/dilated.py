"""Residual dilated convolutions, for motifs that stand far apart.

One convolution (and pooling) reads the positions. Then each level convolves with taps twice as far
apart as the level before, 1, 2, 4 …, and adds what it finds to what it was given. So the receptive
field doubles with each level, while the number of weights grows by the same amount.

References
----------
Yu & Koltun, Multi-scale context aggregation by dilated convolutions, ICLR 2016. Kelley et al.,
Sequential regulatory activity prediction across chromosomes with convolutional neural networks,
Genome Research 2018.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.models.common import (
    ACTIVATION,
    BATCH_NORM,
    DENSE,
    DROPOUT,
    POOLING_HEAD,
    SPATIAL_DROPOUT,
    STOCHASTIC_DEPTH,
    at_most_length,
    row,
)
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tower import Activate, Conv, Head, Norm, Part, Pool, Skip, Spatial, Tower

__all__ = ["DILATED"]


def _check(params: Parameters, shape: ModelShape) -> None:
    """Refuse a kernel wider than the sequence, and taps that all fall beside it."""
    at_most_length(params, shape, "kernel", "pool")
    left = -(-shape.length // int(params["pool"]))
    farthest = 2 ** (int(params["dilated_layers"]) - 1)
    if farthest >= left:
        raise InputError(
            f"dilated_layers must keep the last dilation below the {left} positions that the "
            f"{row(shape)} has after pooling, got {params['dilated_layers']} (dilation {farthest})"
        )


def _tower(params: Parameters, _shape: ModelShape) -> Tower:
    """Describe the tower of complete parameters, head included."""
    norm, activation, filters = params["batch_norm"], params["activation"], int(params["filters"])

    def convolution(conv: Conv) -> tuple[Part, ...]:
        normed = (Norm(f"{conv.name}_norm"),) if norm else ()
        active = Activate(f"{conv.name}_{activation}", str(activation))
        return (replace(conv, bias=not norm), *normed, active)

    parts = [*convolution(Conv("conv_1", filters, int(params["kernel"])))]
    if int(params["pool"]) > 1:
        parts.append(Pool("pool_1", int(params["pool"])))
    total = int(params["dilated_layers"])
    for level in range(1, total + 1):
        name, width = f"dilated_{level}", int(params["dilated_kernel"])
        inner = convolution(Conv(name, filters, width, dilation=2 ** (level - 1)))
        if "spatial_dropout" in params:
            inner = (*inner, Spatial(f"spatial_{level}"))
        parts.append(Skip(f"skip_{level}", inner, level / total))
    return (*parts, Head(str(params["pooling_head"])))


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    tensor = blocks.stack(blocks.channels(inputs), _tower(params, blocks.shape))
    return blocks.decide(tensor, params)


DILATED = Family(
    name="dilated",
    label="Dilated CNN",
    description="Residual convolutions whose taps stand ever farther apart.",
    kinds=("sequence", "variants"),
    parameters=(
        Parameter("filters", "int", 32, "Filters of each convolution.", low=1),
        Parameter("kernel", "int", 8, "Width of the first convolution.", low=1),
        Parameter("pool", "int", 1, "Width of max pooling after it; 1 for none.", low=1),
        Parameter("dilated_layers", "int", 4, "Levels of doubled dilation.", low=1, high=16),
        Parameter("dilated_kernel", "int", 3, "Taps of each dilated convolution.", low=2, high=9),
        replace(POOLING_HEAD, default="max"),
        *DENSE,
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
        SPATIAL_DROPOUT,
        STOCHASTIC_DEPTH,
    ),
    check=_check,
    body=_body,
    tower=_tower,
    reference="Yu & Koltun 2016; Kelley et al. 2018",
)
