"""One training step in TensorFlow: a batch's loss and gradient, penalties, the optimizer's update.

Everything here is traced into a compiled function. Runtime hyperparameters are scalar variables; a
step holds only the operations of those in use.
"""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from geno_hpo.models import ModelShape
from geno_hpo.training.augment import CHANCES, changed_codes, changed_inputs
from geno_hpo.training.losses import batch_loss
from geno_hpo.training.state import StateVariables
from geno_hpo.training.ways import Way

__all__ = ["Now", "Step"]


class Now(NamedTuple):
    """What of a step does not depend on the batch.

    Parameters
    ----------
    number
        Steps done before, over all epochs.
    rate
        Learning rate.
    seed
        The replica's.
    penalties
        What `Step.penalties` gave, outside the loop over batches.
    weights
        ``(outputs, classes)`` class weights of the loss, or None.
    """

    number: Any
    rate: Any
    seed: Any
    penalties: dict[str, Any]
    weights: Any


class Step:
    """The steps of one signature.

    Parameters
    ----------
    variables
        Hold the replica's state; a step changes them.
    shape
        Form of the data and task.
    targets
        ``(samples, outputs)`` float32 on the device.
    runtime
        Scalar variables of the runtime values in use, by name.
    """

    def __init__(
        self, variables: StateVariables, shape: ModelShape, targets: Any, runtime: dict[str, Any]
    ) -> None:
        self._variables, self._shape = variables, shape
        self._targets, self._runtime = targets, runtime
        self._gaps = bool(np.isnan(targets.numpy()).any())
        self._kernels = tf.constant(variables.model.kernels)

    def take(
        self, way: Way, samples: Any, mean: Any, scale: Any, given: list[Any], now: Now
    ) -> tuple[Any, Any, Any]:
        """Train one batch; gives the sums of `loss`."""
        named, seeds = self._seeds(now.seed, now.number)
        change = partial(changed_codes, seeds=named, value=self._value)
        inputs = way.inputs(samples, given, change)
        inputs, share = changed_inputs(inputs, named, self._value)
        targets = self.scaled(samples, mean, scale)
        gradient, sums = self._gradient(way, inputs, given, targets, seeds, now.weights, share)
        if "l2" in now.penalties:
            gradient += now.penalties["l2"] * self._variables.flat
        if "l1" in now.penalties:
            gradient += now.penalties["l1"] * tf.sign(self._variables.flat)
        if "clip_norm" in self._runtime:
            gradient = tf.clip_by_norm(gradient, self._value("clip_norm"))
        self._variables.update.apply(gradient, now.rate, now.number)
        if "max_norm" in self._runtime:
            self._shorten()
        return sums

    def penalties(self) -> dict[str, Any]:
        """For each penalty in use its factors on the flat vector; 0 off the kernels."""
        factors = {"l1": 1.0, "l2": 2.0}
        return {
            name: self._kernels * (factor * self._value(name))
            for name, factor in factors.items()
            if name in self._runtime
        }

    def scaled(self, samples: Any, mean: Any, scale: Any) -> Any:
        """Targets of samples, as the loss takes them."""
        targets = tf.gather(self._targets, samples)
        return (targets - mean) / scale if self._shape.task == "regression" else targets

    def loss(self, logits: Any, targets: Any, weights: Any = None) -> tuple[Any, Any, Any]:
        """Sums over known labels: of the loss, of the labels, of those predicted right."""
        return batch_loss(
            self._shape.task,
            logits,
            targets,
            self._value("label_smoothing"),
            gamma=self._value("focal_gamma"),
            delta=self._value("huber_delta"),
            counts=self._shape.counts,
            weights=weights,
            gaps=self._gaps,
        )

    def others(self, moving: list[Any], seeds: list[Any] | None = None) -> list[Any]:
        """Values in the order of ``non_trainable_variables``; without `seeds` nothing is drawn."""
        model = self._variables.model
        if seeds is None:
            seeds = [tf.zeros(v.shape, v.dtype) for v in model.seeded]
        return model.others(moving, seeds, self._value)

    def _value(self, name: str) -> Any:
        """The present value of a runtime value, or None where it is not in use."""
        return self._runtime[name].read_value() if name in self._runtime else None

    def _seeds(self, seed: Any, step: Any) -> tuple[dict[str, Any], list[Any]]:
        """Seeds ``(2,)`` of one step: by name for the inputs, and one a dropout layer."""
        names = [name for name in CHANCES if name in self._runtime]
        seeded = self._variables.model.seeded
        count = len(names) + len(seeded)
        if not count:
            return {}, []
        pairs = tf.stack([tf.fill([count], seed), step * count + tf.range(count)], axis=1)
        own, dropped = pairs[: len(names)], pairs[len(names) :]
        if seeded:
            dropped = tf.cast(dropped, seeded[0].dtype)
        return (
            dict(zip(names, tf.unstack(own), strict=True)),
            tf.unstack(dropped) if seeded else [],
        )

    def mixed_loss(
        self, logits: Any, targets: Any, weights: Any, share: Any
    ) -> tuple[Any, Any, Any]:
        """As `loss`; where samples were mixed, of both partners' labels by their shares."""
        own = self.loss(logits, targets, weights)
        if share is None:
            return own
        other = self.loss(logits, tf.reverse(targets, [0]), weights)
        return (share * own[0] + (1.0 - share) * other[0], *own[1:])

    def _gradient(
        self,
        way: Way,
        inputs: Any,
        given: list[Any],
        targets: Any,
        seeds: list[Any],
        weights: Any,
        mixed: Any,
    ) -> tuple[Any, tuple[Any, Any, Any]]:
        """Gradient of the mean loss by the flat vector and sums of `loss`; moves statistics."""
        variables = self._variables
        parts = variables.trained()
        moving = variables.moving()
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parts)
            logits, others, added = way.call(
                parts, self.others(moving, seeds), inputs, given, training=True
            )
            sums = self.mixed_loss(logits, targets, weights, mixed)
        share = 1.0 / tf.maximum(sums[1], 1.0)
        gradients = tape.gradient(
            [sums[0], *added],
            parts,
            output_gradients=[share, *(1.0 for _ in added)],
            unconnected_gradients="zero",
        )
        variables.move(others)
        return variables.layout.join(gradients), sums

    def _shorten(self) -> None:
        """Shorten what leads into a unit to ``max_norm``, as ``keras.constraints.MaxNorm``."""
        longest, parts = self._value("max_norm"), []
        variables = self._variables
        for axes, part in zip(variables.model.norm_axes, variables.trained(), strict=True):
            if axes is not None:
                norm = tf.sqrt(tf.reduce_sum(tf.square(part), axes, keepdims=True))
                part = part * (tf.minimum(norm, longest) / (norm + keras.config.epsilon()))
            parts.append(part)
        variables.flat.assign(variables.layout.join(parts))
