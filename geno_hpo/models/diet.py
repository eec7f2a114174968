"""Diet networks: the first layer's weights are predicted from genotype histograms of each variant.

For each variant the training part tells how frequent each genotype (0, 1, 2) is in each group of
labels: classes, or thirds of a trait. An auxiliary network turns this description into the
variant's weights (`geno_hpo.models.predicted`); the loss trains it together with the rest. After
training the weights are fixed, and an exported network is an ordinary perceptron. The plain network
beside it is `mlp`.

References
----------
Romero et al., Diet networks: thin parameters for fat genomics, ICLR 2017.
"""

from __future__ import annotations

from typing import Any

from geno_hpo.models.common import ACTIVATION, BATCH_NORM, DROPOUT
from geno_hpo.models.family import Family
from geno_hpo.models.parameter import Parameter, Parameters
from geno_hpo.models.shape import ModelShape

__all__ = ["DIET"]

GENOTYPES = 3


def _check(params: Parameters, shape: ModelShape) -> None:
    """Accept everything: every variant has a histogram."""


def _body(inputs: Any, params: Parameters, blocks: Any) -> Any:
    """From ``(batch, variants)`` to ``(batch, neurons)``."""
    from keras import layers

    from geno_hpo.models.predicted import PredictedDense

    width, bias = int(params["neurons"]), not blocks.batch_norm
    if blocks.plain:
        tensor = layers.Dense(width, use_bias=bias, name="predicted")(inputs)
    else:
        tensor = PredictedDense(
            width,
            GENOTYPES * blocks.shape.label_groups,
            (int(params["auxiliary_neurons"]),) * int(params["auxiliary_layers"]),
            str(params["activation"]),
            bias,
            float(params["reconstruction"]) if "reconstruction" in params else None,
            name="predicted",
        )(inputs)
    tensor = blocks.activate(tensor, "predicted")
    total = int(params["layers"])
    for level in range(2, total + 1):
        tensor = blocks.drop(tensor, name=f"dense_{level}")
        tensor = blocks.dense(tensor, width, name=f"dense_{level}")
    return blocks.drop(tensor, name="logits")


DIET = Family(
    name="diet",
    label="Diet network",
    description="A perceptron whose first weights a small network predicts from each variant.",
    kinds=("variants",),
    parameters=(
        Parameter("layers", "int", 2, "Hidden layers, the predicted one included.", low=1, high=12),
        Parameter("neurons", "int", 64, "Units of each hidden layer.", low=1),
        Parameter(
            "auxiliary_layers", "int", 1, "Hidden layers of the auxiliary network.", low=0, high=6
        ),
        Parameter("auxiliary_neurons", "int", 64, "Units of each of them.", low=1),
        Parameter(
            "reconstruction",
            "float",
            None,
            "Weight of the error with which the inputs are told from the first hidden layer.",
            low=0.0,
            runtime=True,
        ),
        ACTIVATION,
        BATCH_NORM,
        DROPOUT,
    ),
    check=_check,
    body=_body,
    learns=("histograms",),
    reference="Romero et al. 2017",
)
