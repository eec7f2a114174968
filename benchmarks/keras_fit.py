"""An ordinary Keras model from a configuration, compiled as a script would: for the other sides."""

from __future__ import annotations

from typing import Any

__all__ = ["compiled_model"]

LOSSES = {"binary": "BinaryCrossentropy", "regression": "MeanSquaredError"}
OWN = {
    "adamw": ("weight_decay",),
    "sgd": ("momentum", "nesterov"),
}


def compiled_model(params: dict[str, Any], shape: dict[str, Any], *, scored: bool) -> Any:
    """The same network as geno_hpo's, of Keras's own layers, loss, metric and optimizer.

    Parameters
    ----------
    params
        Short names; an L2 penalty is left out, which makes this side a little faster.
    shape
        Fields of a `ModelShape`.
    scored
        Compute the study's score each epoch (``score``); else the cheap accuracy alone.
    """
    import keras

    from geno_hpo.models import ModelShape, build

    task = shape["task"]
    network = build({k: v for k, v in params.items() if k != "l2"}, ModelShape(**shape), plain=True)
    binary = task == "binary"
    loss = getattr(keras.losses, LOSSES[task])(**({"from_logits": True} if binary else {}))
    metrics: list[Any] = ["accuracy"] if binary else ["mae"]
    if scored:
        judge = keras.metrics.AUC if binary else keras.metrics.PearsonCorrelation
        metrics.append(judge(name="score", **({"from_logits": True} if binary else {})))
    name = str(params["optimizer"])
    options = {key: params[key] for key in OWN.get(name, ()) if key in params}
    optimizer = keras.optimizers.get(
        {"class_name": name, "config": {"learning_rate": params["learning_rate"], **options}}
    )
    network.compile(optimizer, loss, metrics=metrics)
    return network
