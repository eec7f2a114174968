"""Recurrent networks: LSTM or GRU over windows of positions or variants.

A long row is first cut into windows (`geno_hpo.models.tokens`), for a recurrent layer takes one
step after another and forgets over many of them.

References
----------
Hochreiter & Schmidhuber, Long short-term memory, Neural Computation 1997. Cho et al., Learning
phrase representations using RNN encoder–decoder, EMNLP 2014.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.models.common import ACTIVATION, BATCH_NORM, DENSE, DROPOUT
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.tokens import TOKENS, check_tokens, tokenise

__all__ = ["RNN"]


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, length, symbols)`` or ``(batch, variants)`` to ``(batch, features)``."""
    from keras import layers

    tensor = tokenise(inputs, params, blocks, int(params["token_units"]))
    kind = layers.LSTM if params["cell"] == "lstm" else layers.GRU
    total, readout = int(params["rnn_layers"]), str(params["readout"])
    for level in range(1, total + 1):
        steps = level < total or readout != "last"
        name = f"{params['cell']}_{level}"
        if params["bidirectional"]:
            layer = layers.Bidirectional(
                kind(int(params["rnn_units"]), return_sequences=steps, name=name),
                name=f"both_{level}",
            )
        else:
            layer = kind(int(params["rnn_units"]), return_sequences=steps, name=name)
        tensor = layer(tensor)
    if readout != "last":
        tensor = blocks.head(tensor, readout)
    return blocks.decide(tensor, params)


RNN = Family(
    name="rnn",
    label="RNN",
    description="LSTM or GRU over windows of positions or variants.",
    kinds=("sequence", "variants"),
    parameters=(
        *TOKENS,
        Parameter("token_units", "int", 16, "Values of a token.", low=1),
        Parameter("cell", "choice", "lstm", "Kind of recurrent layer.", choices=("lstm", "gru")),
        Parameter("rnn_units", "int", 32, "Units of each recurrent layer, one way.", low=1),
        Parameter("rnn_layers", "int", 1, "Recurrent layers.", low=1, high=4),
        Parameter("bidirectional", "bool", False, "Read from both ends."),
        Parameter(
            "readout",
            "choice",
            "last",
            "What goes on: the last state, or the maximum or average of all.",
            choices=("last", "max", "average"),
        ),
        *DENSE,
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
    ),
    check=check_tokens,
    body=_body,
    reference="Hochreiter & Schmidhuber 1997; Cho et al. 2014",
)
