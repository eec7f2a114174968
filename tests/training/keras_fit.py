"""The same training by ``model.fit``: the engine's weights must come out equal."""

from __future__ import annotations

from functools import partial

import keras
import numpy as np
import pytest
from keras import ops

from geno_hpo.models import build
from geno_hpo.models.initial import inference_variables, leading_axes

from . import problems
from .problems import go_on

EPOCHS = 2


def masked_crossentropy(truth, logits, weights=((1.0, 1.0), (1.0, 1.0))):
    known = ops.logical_not(ops.isnan(truth))
    truth = ops.where(known, truth, 0.0)
    each = ops.binary_crossentropy(truth, logits, from_logits=True)
    each *= ops.where(truth > 0.5, np.float32(weights)[:, 1], np.float32(weights)[:, 0])
    return ops.sum(ops.where(known, each, 0.0)) / ops.sum(ops.cast(known, "float32"))


def keras_loss(task, smoothing, gamma=None, weights=None):
    given = {"from_logits": True, "label_smoothing": smoothing}
    if gamma is not None and task == "multiclass":
        return keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=gamma, **given)
    if gamma is not None:
        return keras.losses.BinaryFocalCrossentropy(gamma=gamma, **given)
    if task == "counts":
        return lambda truth, logits: keras.losses.poisson(truth, ops.exp(logits))
    if task == "regression":
        return "mean_squared_error"
    if task == "multilabel" and weights is not None:
        return partial(masked_crossentropy, weights=weights)
    if task == "multilabel":
        return masked_crossentropy
    if task == "multiclass":
        return keras.losses.CategoricalCrossentropy(**given)
    return keras.losses.BinaryCrossentropy(**given)


def by_fit(params, kind, task, optimizer, weights=None, loci=(), plain=True):
    """Train with model.fit on batches in the engine's order."""
    shape, coding, one = (
        problems.shape(kind, task, loci),
        problems.coding(kind),
        problems.replica(0, kind, task),
    )
    inputs = np.array(coding.inputs(coding.codes, *one.constants))
    truth = problems.targets(task, coding.codes)
    if one.target_scale is not None:
        truth = (truth - one.target_scale.mean) / one.target_scale.scale
    if task == "multiclass":
        truth = np.eye(shape.units, dtype=np.float32)[truth[:, 0].astype(int)]
    model = build(params, shape, plain=plain, seed=one.seed)
    for variable in model.weights:
        if variable.name in one.learned:
            variable.assign(one.learned[variable.name])
    if {"l1", "l2"} & params.keys():
        penalty = keras.regularizers.L1L2(params.get("l1", 0.0), params.get("l2", 0.0))
        for variable in model.trainable_variables:
            if variable.name == "kernel":
                variable.regularizer = penalty
    if "max_norm" in params:
        axes = leading_axes(model)
        for variable in model.trainable_variables:
            if variable.name == "kernel":
                limit = keras.constraints.MaxNorm(params["max_norm"], list(axes[id(variable)]))
                variable.constraint = limit
    loss = keras_loss(task, params.get("label_smoothing", 0.0), params.get("focal_gamma"), weights)
    by_class = None
    if weights is not None and task != "multilabel":
        by_class = dict(enumerate(weights[0]))
    model.compile(optimizer, loss=loss, jit_compile=keras.backend.backend() == "jax")
    for epoch in range(1, EPOCHS + 1):
        order = np.random.default_rng([one.seed, 2, epoch]).permutation(one.train)
        history = model.fit(
            inputs[order],
            truth[order],
            batch_size=params["batch_size"],
            shuffle=False,
            class_weight=by_class,
            epochs=1,
            verbose=0,
        )
    return model, history.history["loss"][-1]


def compare(
    params,
    kind="sequence",
    task="binary",
    optimizer=None,
    tolerance=1e-5,
    weights=None,
    loci=(),
    plain=True,
):
    """Train both ways; gives the engine and its result."""
    optimizer = optimizer or keras.optimizers.Adam(params.get("learning_rate", 1e-3))
    plan = problems.plan(params, kind, task, epochs=EPOCHS, restore="last")
    if weights is not None:
        plan = problems.weighted(plan, weights)
    engine = problems.engine(kind, task, loci=loci, weighted=weights is not None)
    result = engine.fit(plan, go_on)
    model, loss = by_fit(params, kind, task, optimizer, weights, loci, plain)
    variables = inference_variables(model)
    for variable, value in zip(variables, result.weights[0], strict=True):
        np.testing.assert_allclose(
            value, variable.numpy(), rtol=0, atol=tolerance, err_msg=variable.path
        )
    if not {"l1", "l2", "reconstruction"} & params.keys() and task != "multilabel":
        assert result.train_loss[0, -1] == pytest.approx(loss, abs=1e-5)
    return engine, result
