"""What the compiled functions of TensorFlow compute: an epoch, a prediction, a gradient."""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from geno_hpo.training.state import StateVariables
from geno_hpo.training.step import Now, Step
from geno_hpo.training.ways import Way, forward

__all__ = ["Traced"]


class Traced:
    """The bodies of one signature's functions; each is traced once a way of computing.

    Parameters
    ----------
    model
        The Keras model.
    variables
        A state is loaded into them.
    step
        Takes a training step.
    regression
        Whether nothing is counted as right.
    weighted
        Whether epochs are given class weights.
    """

    def __init__(
        self, model: Any, variables: StateVariables, step: Step, *, regression: bool, weighted: bool
    ) -> None:
        self._model, self._variables, self._step = model, variables, step
        self._regression, self._weighted = regression, weighted

    def epoch(
        self,
        way: Way,
        state: Any,
        order: Any,
        valid: Any,
        pace: Any,
        mean: Any,
        scale: Any,
        given: Any,
    ) -> Any:
        """All batches in a loop, then the prediction: what `EpochOutput` holds, in its order."""
        self._variables.load(state)
        rates, (batch, seed, done) = pace[0], tf.unstack(pace[1])
        given = way.started(given)
        weights = pace[2] if self._weighted else None
        penalties, size, steps = self._step.penalties(), tf.size(order), tf.size(rates)

        def more(step: Any, total: Any, *_: Any) -> Any:
            return tf.logical_and(step < steps, tf.math.is_finite(total))

        def body(step: Any, total: Any, known: Any, right: Any) -> Any:
            start = step * batch
            samples = order[start : tf.minimum(start + batch, size)]
            now = Now(done + step, tf.gather(rates, step), seed, penalties, weights)
            sums = self._step.take(way, samples, mean, scale, given, now)
            return step + 1, total + sums[0], known + sums[1], right + sums[2]

        zero = tf.constant(0.0)
        _, *train = tf.while_loop(more, body, (tf.constant(0), zero, zero, zero))
        parts = self._variables.trained()
        others = self._step.others(self._variables.moving())
        logits = forward(way, parts, others, valid, given)
        judged = self._step.loss(logits, self._step.scaled(valid, mean, scale))
        return self._variables.read(), *self._means(train), *self._means(judged), logits

    def predict(self, way: Way, weights: Any, samples: Any, constants: Any) -> Any:
        """Logits ``(samples, units)`` by inference weights."""
        parts, others = self._given(weights)
        return forward(way, parts, others, samples, way.started(constants))

    def gradient(self, way: Way, weights: Any, samples: Any, constants: Any, output: Any) -> Any:
        """Gradient of the logit `output` by the model's inputs."""
        parts, others = self._given(weights)
        inputs = way.inputs(samples, constants)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            logits, _ = self._model.stateless_call(parts, others, inputs, training=False)
            chosen = tf.reduce_sum(tf.gather(logits, output, axis=1))
        return tape.gradient(chosen, inputs, unconnected_gradients="zero")

    def _means(self, sums: Any) -> tuple[Any, Any]:
        """Loss and accuracy over known labels; NaN where none is known or nothing is counted."""
        total, known, right = sums
        accuracy = right / known
        if self._regression:
            accuracy = tf.constant(float("nan"))
        return total / known, accuracy

    def _given(self, weights: Any) -> tuple[list[Any], list[Any]]:
        """Trainable and other values for a model with these inference weights."""
        trained, moving = self._variables.model.parted(weights)
        return trained, self._step.others(moving)
