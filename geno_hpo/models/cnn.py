"""Convolutional networks: a tower of convolutions over positions, then dense layers.

Each level is one or more of convolution → batch norm (optional) → activation, then max pooling;
after the head, dropout stands before every dense layer, the output layer included. Variants enter
as one channel in the order of their columns.

Several loci are read ``joined`` (one after the other), ``stacked`` (side by side as channels, the
shorter ones filled up with zeros, as Green et al. do), or each by itself, with one tower for all
(``shared``) or one for each (``own``).
"""

from __future__ import annotations

from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.models.common import (
    ACTIVATION,
    BATCH_NORM,
    DENSE,
    DROPOUT,
    POOLING_HEAD,
    SPATIAL_DROPOUT,
    at_most_length,
)
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tower import (
    Activate,
    Conv,
    Head,
    Norm,
    Padding,
    Part,
    Pool,
    Spatial,
    Tower,
    positions,
)

__all__ = ["CNN"]

MOST_FILTERS = 4096
GROWTH = {"equal": 1.0, "halved": 0.5, "doubled": 2.0}


def _lengths(params: Parameters, shape: ModelShape) -> tuple[int, ...]:
    """Lengths of what towers are laid on."""
    loci = shape.loci or (shape.length,)
    way = params["loci"]
    return (shape.length,) if way == "joined" else (max(loci),) if way == "stacked" else loci


def _check(params: Parameters, shape: ModelShape) -> None:
    """Refuse what does not fit the length, and strands where there are none."""
    at_most_length(params, shape, "kernel", "pool")
    if params["strands"] != "one" and shape.kind != "sequence":
        raise InputError(f"strands belongs to sequences, got {params['strands']} with variants")
    if params["strands"] != "one" and params["loci"] == "stacked":
        raise InputError(
            f"strands must be one with loci stacked, which have no other strand in common, "
            f"got {params['strands']}"
        )
    widest = max(_filters(params, level) for level in range(1, int(params["conv_layers"]) + 1))
    if widest > MOST_FILTERS:
        raise InputError(
            f"filters must grow to at most {MOST_FILTERS}, got {widest} with conv_layers "
            f"{params['conv_layers']} and growth {params['growth']}"
        )
    shortest = min(_lengths(params, shape))
    if int(params["kernel"]) > shortest:
        raise InputError(
            f"kernel must be at most the shortest locus's length {shortest} with loci "
            f"{params['loci']}, got {params['kernel']}"
        )
    if positions(_levels(params), shortest) < 1:
        raise InputError(
            f"the tower leaves no position of {shortest}: it needs fewer conv_layers, a smaller "
            "kernel or pool, or padding same"
        )


def _filters(params: Parameters, level: int) -> int:
    return max(1, round(int(params["filters"]) * GROWTH[str(params["growth"])] ** (level - 1)))


def _levels(params: Parameters) -> Tower:
    """The tower without its head."""
    padding: Padding = "valid" if params["padding"] == "valid" else "same"
    norm, activation, pool = params["batch_norm"], str(params["activation"]), int(params["pool"])
    first = int(params["kernel"])
    parts: list[Part] = []
    for level in range(1, int(params["conv_layers"]) + 1):
        kernel = first if level == 1 else int(params.get("later_kernel", first))
        for number in range(1, int(params["convolutions"]) + 1):
            name = f"conv_{level}" if number == 1 else f"conv_{level}_{number}"
            filters = _filters(params, level)
            parts.append(Conv(name, filters, kernel, padding=padding, bias=not norm))
            parts.extend([Norm(f"{name}_norm")] if norm else [])
            parts.append(Activate(f"{name}_{activation}", activation))
        parts.extend([Pool(f"pool_{level}", pool, padding)] if pool > 1 else [])
        parts.extend([Spatial(f"spatial_{level}")] if "spatial_dropout" in params else [])
    return tuple(parts)


def _tower(params: Parameters, shape: ModelShape) -> Tower | None:
    """Describe the tower on the inputs as they are; None with several towers or both strands."""
    apart = len(shape.loci) > 1 and params["loci"] != "joined"
    return None if apart or params["strands"] != "one" else _whole(params)


def _whole(params: Parameters) -> Tower:
    return (*_levels(params), Head(str(params["pooling_head"])))


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    from keras import layers

    tensor, loci, way = blocks.channels(inputs), blocks.shape.loci, params["loci"]
    if len(loci) < 2 or way == "joined":
        features = _features(tensor, params, blocks, "")
    elif way == "stacked":
        wide = [_filled(piece, max(loci)) for piece in _pieces(tensor, loci)]
        stacked = layers.Concatenate(axis=-1, name="stacked")(wide)
        features = _features(stacked, params, blocks, "")
    else:
        found = [
            _features(piece, params, blocks, f"locus_{number}_" if way == "own" else "")
            for number, piece in enumerate(_pieces(tensor, loci), start=1)
        ]
        features = layers.Concatenate(name="loci")(found)
    return blocks.decide(features, params)


def _pieces(tensor: Any, loci: tuple[int, ...]) -> list[Any]:
    """Cut ``(batch, length, symbols)`` into loci."""
    from keras import layers

    ends = [sum(loci[: number + 1]) for number in range(len(loci))]
    return [
        layers.Cropping1D((end - length, sum(loci) - end), name=f"locus_{number}")(tensor)
        for number, (length, end) in enumerate(zip(loci, ends, strict=True), start=1)
    ]


def _filled(tensor: Any, length: int) -> Any:
    """Zeros at the end, up to this length."""
    from keras import layers

    missing = length - tensor.shape[1]
    return layers.ZeroPadding1D((0, missing))(tensor) if missing else tensor


def _features(tensor: Any, params: Parameters, blocks: Any, prefix: str) -> Any:
    """Tower and head over one strand, or over both, of which each feature takes max or mean.

    Both strands go through the same tower as two samples do, so that a sequence and its reverse
    complement have the same features.
    """
    from keras import ops

    if params["strands"] == "one":
        return blocks.stack(tensor, _whole(params), prefix)
    length, symbols = tensor.shape[1:]
    # A C G T backwards is T G C A, the complement; a gap stays a gap.
    turned = ops.flip(tensor[:, :, :4], axis=(1, 2))
    if symbols > 4:
        turned = ops.concatenate([turned, ops.flip(tensor[:, :, 4:], axis=1)], axis=-1)
    both = ops.reshape(ops.stack([tensor, turned], axis=1), (-1, length, symbols))
    found = blocks.stack(both, _whole(params), prefix)
    pairs = ops.reshape(found, (-1, 2, found.shape[1]))
    return (ops.max if params["strands"] == "max" else ops.mean)(pairs, axis=1)


CNN = Family(
    name="cnn",
    label="CNN",
    description="Convolutions over positions, pooled, then dense layers.",
    kinds=("sequence", "variants"),
    parameters=(
        Parameter("conv_layers", "int", 1, "Convolution levels.", low=1, high=12),
        Parameter("convolutions", "int", 1, "Convolutions in each level.", low=1, high=4),
        Parameter("filters", "int", 32, "Filters of each convolution.", low=1),
        Parameter(
            "growth",
            "choice",
            "equal",
            "Filters of a level beside those of the level before.",
            choices=tuple(GROWTH),
        ),
        Parameter("kernel", "int", 8, "Width of each convolution in positions.", low=1),
        Parameter(
            "later_kernel", "int", None, "Width from the second level on; else kernel.", low=1
        ),
        Parameter("pool", "int", 2, "Width of max pooling; 1 for none.", low=1),
        Parameter(
            "padding",
            "choice",
            "same",
            "same: a convolution keeps the length, pooling rounds up; valid: nothing is added at "
            "the ends.",
            choices=("same", "valid"),
        ),
        Parameter(
            "loci",
            "choice",
            "joined",
            "Several loci: joined, stacked as channels, or each by itself with one tower for all "
            "(shared) or for each (own).",
            choices=("joined", "stacked", "shared", "own"),
        ),
        Parameter(
            "strands",
            "choice",
            "one",
            "Strands read by the same tower: one as given, or both, of which each feature takes "
            "the max or the mean.",
            choices=("one", "max", "mean"),
        ),
        POOLING_HEAD,
        *DENSE,
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
        SPATIAL_DROPOUT,
    ),
    check=_check,
    body=_body,
    tower=_tower,
    reference="Zou et al. 2019; Green et al. 2022; both strands: Shrikumar et al. 2017",
)
