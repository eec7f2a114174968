"""The model families by name, and what is asked of them: check, signature, build.

`check` and `signature` import no Keras, so a search space is checked before anything heavy runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from geno_hpo.errors import InputError
from geno_hpo.models.attention import ATTENTION
from geno_hpo.models.cnn import CNN
from geno_hpo.models.diet import DIET
from geno_hpo.models.dilated import DILATED
from geno_hpo.models.family import Family
from geno_hpo.models.mlp import MLP
from geno_hpo.models.parameter import Parameter, Parameters, Value
from geno_hpo.models.residual import RESIDUAL
from geno_hpo.models.resolve import resolve
from geno_hpo.models.rnn import RNN
from geno_hpo.models.shape import ModelShape
from geno_hpo.models.snp_cnn import SNP_CNN
from geno_hpo.models.training import TRAINING
from geno_hpo.plugins import Plugin, Registry, takes

__all__ = [
    "FAMILIES",
    "build",
    "check",
    "complete",
    "exported",
    "family_label",
    "family_of",
    "runtime_values",
    "signature",
]

DATA_KINDS = ("sequence", "variants")
BUILT_IN = (CNN, DILATED, MLP, RESIDUAL, SNP_CNN, RNN, ATTENTION, DIET)


def _of_a_package(plugin: Plugin, found: Any) -> Family:
    """Check a family that a package brings."""
    if not isinstance(found, Family):
        raise plugin.refuse(f"must be a geno_hpo.models.Family, got {type(found).__name__}")
    if found.name != plugin.name:
        raise plugin.refuse(f"its entry point must have its name {found.name!r}")
    if not found.kinds or not set(found.kinds) <= set(DATA_KINDS):
        raise plugin.refuse(f"kinds must be of {', '.join(DATA_KINDS)}, got {found.kinds}")
    if not takes(found.check, "params", "shape"):
        raise plugin.refuse("check must take (params, shape)")
    if not takes(found.body, "inputs", "params", "blocks"):
        raise plugin.refuse("body must take (inputs, params, blocks)")
    names = [each.name for each in found.parameters]
    shared = {each.name for each in TRAINING} | {"family"}
    for name in names:
        if name in shared:
            raise plugin.refuse(f"parameter {name!r} is one of training; choose another name")
        if names.count(name) > 1:
            raise plugin.refuse(f"parameter {name!r} stands twice")
    for each in found.parameters:
        if each.default is not None:
            try:
                each.check(each.default)
            except InputError as error:
                raise plugin.refuse(f"a default breaks its own rule: {error}") from error
    return found


FAMILIES = Registry("families", {family.name: family for family in BUILT_IN}, _of_a_package)
"""All families by name, those of installed packages too."""

ONLY_SEQUENCES = ("mutation_rate", "strand_flip")


def family_label(name: str) -> str:
    """What reports call a family; a family that no longer exists keeps its name."""
    label = FAMILIES[name].label if name in FAMILIES else ""
    return label or name.replace("_", " ")


def family_of(params: Parameters) -> Family:
    """Give the family a configuration names.

    Raises
    ------
    InputError
        ``family`` is missing or unknown.
    """
    name = str(params.get("family", ""))
    if name not in FAMILIES:
        near = get_close_matches(name, FAMILIES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"family must be one of {', '.join(FAMILIES)}, got {name!r}{hint}")
    return FAMILIES[name]


def _known(family: Family) -> Iterable[Parameter]:
    """Parameters of the family and of training."""
    return (*family.parameters, *TRAINING)


def complete(params: Parameters, shape: ModelShape) -> dict[str, Value]:
    """Check a configuration and fill in defaults.

    Raises
    ------
    InputError
        The family does not take this kind of data, a parameter is unknown or breaks its rule, or
        parameters and shape do not agree.
    """
    family = family_of(params)
    if shape.kind not in family.kinds:
        raise InputError(f"family {family.name} takes {', '.join(family.kinds)}, got {shape.kind}")
    full = resolve(params, _known(family))
    for name in ("label_smoothing", "focal_gamma"):
        if shape.task == "regression" and name in full:
            raise InputError(f"{name} belongs to classification, got it with a regression")
    if shape.task != "regression" and "huber_delta" in full:
        raise InputError(f"huber_delta belongs to regression, got it with a {shape.task} task")
    if shape.counts and "huber_delta" in full:
        raise InputError("huber_delta replaces the squared error, got it with counts (poisson)")
    if shape.kind == "sequence" and "select" in full:
        raise InputError(f"select belongs to variant tables, got it with {shape.kind}")
    for name in ONLY_SEQUENCES:
        if shape.kind != "sequence" and name in full:
            raise InputError(f"{name} belongs to sequences, got it with {shape.kind}")
    family.check(full, shape)
    return full


def check(params: Parameters, shape: ModelShape) -> None:
    """Raise InputError if no model can be built and trained from these parameters."""
    complete(params, shape)


def runtime_values(params: Parameters, shape: ModelShape) -> dict[str, float]:
    """Give the values a compiled function takes when it runs, by name."""
    full = complete(params, shape)
    names = [x.name for x in _known(family_of(params)) if x.runtime and x.name in full]
    return {name: float(full[name]) for name in names}


def signature(params: Parameters, shape: ModelShape) -> tuple[Any, ...]:
    """Give what decides the compiled function: equal signatures share one.

    The shape, every parameter that is neither a runtime nor a host value, and *which* runtime
    values are in use. ``adamw`` is ``adam`` with weight decay. A backend that needs a batch's size
    when it compiles must add it.
    """
    full = complete(params, shape)
    runtime = runtime_values(params, shape)
    outside = {x.name for x in _known(family_of(params)) if x.host} | runtime.keys()
    fixed = {name: value for name, value in full.items() if name not in outside}
    if fixed["optimizer"] == "adamw":
        fixed["optimizer"] = "adam"
    return (shape, tuple(sorted(fixed.items())), tuple(sorted(runtime)))


def build(
    params: Parameters,
    shape: ModelShape,
    *,
    plain: bool = False,
    probabilities: bool = False,
    seed: int = 0,
) -> Any:
    """Build the Keras model of a configuration.

    Parameters
    ----------
    params, shape
        The configuration.
    plain
        Ordinary Keras layers only (for export); else dropout rates are variables.
    probabilities
        Add the task's final activation; else the model gives logits.
    seed
        Decides the initial weights.

    Returns
    -------
    keras.Model
        From ``(batch, *shape.input_shape)`` to ``(batch, shape.units)``.

    Raises
    ------
    InputError
        As `complete`.
    """
    full = complete(params, shape)
    import keras

    from geno_hpo.models.blocks import Blocks
    from geno_hpo.models.initial import initialise

    family = family_of(params)
    inputs = keras.Input(shape.input_shape, name="inputs")
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(shape.policy)
    try:
        tensor = family.body(inputs, full, Blocks.of(full, shape, plain))
    finally:
        keras.config.set_dtype_policy(before)
    tensor = keras.layers.Dense(shape.units, dtype="float32", name="logits")(tensor)
    if probabilities:
        last = keras.layers.Activation(shape.activation, dtype="float32", name="prediction")
        tensor = last(tensor)
    model = keras.Model(inputs, tensor, name=family.name)
    initialise(model, seed, str(full["initializer"]))
    return model


def exported(params: Parameters, shape: ModelShape, weights: Sequence[Any]) -> Any:
    """Build the ordinary Keras model of a trained configuration, with its final activation.

    Parameters
    ----------
    params, shape
        The configuration.
    weights
        Values of the model's inference variables. Weights that a layer predicts are put in as they
        are now, so that the exported layer is an ordinary one.

    Raises
    ------
    InputError
        As `complete`.
    """
    plain = build(params, shape, plain=True, probabilities=True)
    if not family_of(params).learns:
        plain.set_weights(list(weights))
        return plain
    from geno_hpo.models.initial import inference_variables

    model = build(params, shape)
    for variable, value in zip(inference_variables(model), weights, strict=True):
        variable.assign(value)
    for layer in plain.layers:
        if layer.weights:
            own = model.get_layer(layer.name)
            layer.set_weights(own.baked() if hasattr(own, "baked") else own.get_weights())
    return plain
