"""A small transformer: self-attention over windows of positions or variants.

Windows become tokens (`geno_hpo.models.tokens`), each place adds a learned vector of its own, and
blocks of attention and dense layers follow, each normalised first and added to its input.

References
----------
Vaswani et al., Attention is all you need, NeurIPS 2017. Xiong et al., On layer normalization in the
transformer architecture, ICML 2020.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.models.common import ACTIVATION, DENSE, DROPOUT, STOCHASTIC_DEPTH
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.tokens import TOKENS, check_tokens, tokenise

__all__ = ["ATTENTION"]

WIDENING = 2
"""Units of a block's dense layer beside those of a token."""


def _check(params: Parameters, shape: ModelShape) -> None:
    """Refuse heads that do not share the width evenly."""
    check_tokens(params, shape)
    if int(params["width"]) % int(params["heads"]):
        raise InputError(
            f"width must be a multiple of heads {params['heads']}, got {params['width']}"
        )


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    from keras import layers

    width, total = int(params["width"]), int(params["attention_layers"])
    tensor = tokenise(inputs, params, blocks, width)
    steps = tensor.shape[1]
    # A bias for each place and channel is the learned vector of the place.
    tensor = layers.EinsumDense(
        "btd,de->bte", output_shape=(steps, width), bias_axes="te", name="place"
    )(tensor)
    for level in range(1, total + 1):
        share = level / total
        given = layers.LayerNormalization(name=f"attend_{level}_norm")(tensor)
        seen = _attend(given, width, int(params["heads"]), f"attend_{level}")
        seen = blocks.depth(seen, f"attend_{level}", share)
        tensor = layers.Add(name=f"attend_{level}_add")([tensor, seen])
        given = layers.LayerNormalization(name=f"widen_{level}_norm")(tensor)
        wide = blocks.dense(given, WIDENING * width, name=f"widen_{level}")
        wide = layers.Dense(width, name=f"narrow_{level}")(wide)
        wide = blocks.depth(wide, f"narrow_{level}", share)
        tensor = layers.Add(name=f"narrow_{level}_add")([tensor, wide])
    tensor = layers.LayerNormalization(name="last_norm")(tensor)
    return blocks.decide(blocks.head(tensor, str(params["pooling_head"])), params)


def _attend(tensor: Any, width: int, heads: int, name: str) -> Any:
    """Self-attention of several heads, ``(batch, steps, width)`` → the same."""
    from keras import layers, ops

    steps = tensor.shape[1]
    # A bias of the keys would shift all of a query's scores alike, which the softmax takes away.
    query, key, value = (
        layers.Reshape((steps, heads, width // heads), name=f"{name}_{part}_heads")(
            layers.Dense(width, use_bias=part != "key", name=f"{name}_{part}")(tensor)
        )
        for part in ("query", "key", "value")
    )
    seen = ops.nn.dot_product_attention(query, key, value, flash_attention=False)
    seen = layers.Reshape((steps, width), name=f"{name}_joined")(seen)
    return layers.Dense(width, name=f"{name}_out")(seen)


ATTENTION = Family(
    name="attention",
    label="Attention network",
    description="A small transformer over windows of positions or variants.",
    kinds=("sequence", "variants"),
    parameters=(
        *TOKENS,
        Parameter("width", "int", 32, "Values of a token in every layer.", low=1),
        Parameter("heads", "int", 2, "Heads of attention, which share the width.", low=1),
        Parameter("attention_layers", "int", 1, "Blocks of attention.", low=1, high=12),
        Parameter(
            "pooling_head",
            "choice",
            "average",
            "How tokens become features: their average or maximum, or all of them.",
            choices=("average", "max", "flat"),
        ),
        *DENSE,
        ACTIVATION,
        DROPOUT,
        STOCHASTIC_DEPTH,
    ),
    check=_check,
    body=_body,
    reference="Vaswani et al. 2017; Xiong et al. 2020",
)
