"""One replica's epoch as JAX traces it: model, optimizer and what an epoch does with them.

A program knows one batch size, so the last batch is filled up. Rows that fill up have no label,
hence no part in loss or gradient; layers that look at the whole batch leave them out
(`geno_hpo.models.present`). A replica with fewer batches than another stands still at the end.

A state is the one of `geno_hpo.training.state`, array by array, so that a checkpoint goes on in
either engine: flat vector, the optimizer's slots, and the moving statistics where there are any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Value, build
from geno_hpo.models.present import filled
from geno_hpo.training.augment import CHANCES, changed_codes, changed_inputs
from geno_hpo.training.coding import Coding
from geno_hpo.training.losses import batch_loss
from geno_hpo.training.protocol import Weights
from geno_hpo.training.replicas import Epoch, Shared
from geno_hpo.training.updates import stateless_update
from geno_hpo.training.variables import ModelVariables

__all__ = ["Body"]

Floats = NDArray[np.float32]


class Body:
    """Model and optimizer of one signature, and the functions of them that are traced.

    Parameters
    ----------
    params
        Complete parameters; only what the signature holds of them matters.
    shape
        Form of the data and task.
    coding
        How rows become inputs.
    runtime
        Names of the runtime values in use.
    chunk
        Samples at once in prediction.
    ready
        Whether epochs are given the whole data set's inputs of each fold, in place of the coding's
        arrays.
    """

    def __init__(
        self,
        params: dict[str, Value],
        shape: ModelShape,
        coding: Coding,
        runtime: tuple[str, ...],
        chunk: int,
        ready: bool,
    ) -> None:
        self._shape, self._coding = shape, coding
        self._chunk, self._ready = chunk, ready
        self.model = build(params, shape)
        self._variables = ModelVariables(self.model)
        self._layout = self._variables.layout
        self._runtime = [name for name in runtime if name != "learning_rate"]
        self._update = stateless_update(params, self._layout.total, self._runtime)
        self.kernels = jnp.asarray(self._variables.kernels)

    # --- states ------------------------------------------------------------------------------

    def initial_state(
        self, seed: int, rule: str, learned: Mapping[str, Floats] | None = None
    ) -> tuple[NDArray[Any], ...]:
        """State of a freshly built model and optimizer; see `initial_weights`."""
        flat, moving = self._variables.initial(seed, rule, learned)
        return (flat, *self._update.fresh, *([moving] if self._variables.moving else []))

    def revived(self, arrays: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """State of a checkpoint's arrays, whichever engine wrote them."""
        moving = [np.zeros(0, np.float32)] if self._variables.moving else []
        kinds = [np.zeros(0, np.float32), *self._update.fresh, *moving]
        return tuple(
            np.asarray(array, kind.dtype) for array, kind in zip(arrays, kinds, strict=True)
        )

    @property
    def parameters(self) -> int:
        """Values that training changes."""
        return sum(int(np.prod(variable.shape)) for variable in self.model.trainable_variables)

    def lean(self, state: Sequence[NDArray[Any]]) -> tuple[NDArray[Any], ...]:
        """A state with the optimizer's variables left empty: what `weights` reads."""
        slots = range(1, 1 + len(self._update.fresh))
        return tuple(
            part[:0] if i in slots and np.ndim(part) else part for i, part in enumerate(state)
        )

    def weights(self, state: Sequence[NDArray[Any]]) -> Weights:
        """Inference weights of a state."""
        return self._variables.weights(state[0], state[-1])

    # --- what is traced ----------------------------------------------------------------------

    def epoch(
        self, state: tuple[Any, ...], own: Epoch, shared: Shared, *, uneven: bool
    ) -> tuple[Any, Any, Any, Any]:
        """One replica: state, sums of `batch_loss` in training and validation, logits."""
        steps, batch = own.order.shape

        def step(carry: Any, turn: Any) -> tuple[Any, None]:
            (before, sums), (samples, rate, number) = carry, turn
            present = number * batch + jnp.arange(batch) < own.size
            after, told = self._step(before, samples, present, rate, number, own, shared)
            if uneven:
                moves = number * batch < own.size
                after = jax.tree.map(lambda a, b: jnp.where(moves, a, b), after, before)
            return (after, sums + told), None

        turns = (own.order, own.rates, jnp.arange(steps))
        (state, train), _ = jax.lax.scan(step, (state, jnp.zeros(3)), turns)
        parts, moving, _ = self._taken(state)
        others = self._others(moving, self._seedless(), own.values)
        logits = self._forward(parts, others, own, shared)
        present = jnp.arange(len(own.valid)) < own.valid_size
        judged = self._loss(logits, self._scaled(own.valid, present, own, shared), own.values)
        return state, train, jnp.stack(judged), logits

    def _step(
        self,
        state: tuple[Any, ...],
        samples: Any,
        present: Any,
        rate: Any,
        number: Any,
        own: Epoch,
        shared: Shared,
    ) -> tuple[tuple[Any, ...], Any]:
        """Train one batch; gives the state and the sums of `batch_loss`."""
        value = own.values.get
        named, seeds = self._seeds(own.seed, own.done + number)
        change = partial(changed_codes, seeds=named, value=value)
        inputs = self._inputs(samples, own.fold, shared, change)
        partner = _partners(present)
        inputs, share = changed_inputs(inputs, named, value, lambda x: x[partner])
        targets = self._scaled(samples, present, own, shared)
        parts, moving, slots = self._taken(state)
        others = self._others(moving, seeds, own.values)

        def loss(parts: list[Any]) -> tuple[Any, tuple[Any, Any]]:
            with filled(present.astype(jnp.float32)):
                logits, after, added = self.model.stateless_call(
                    parts, others, inputs, training=True, return_losses=True
                )
            sums = self._loss(logits, targets, own.values, own.weights)
            if share is not None:
                other = self._loss(logits, targets[partner], own.values, own.weights)
                sums = (share * sums[0] + (1.0 - share) * other[0], *sums[1:])
            mean = sums[0] / jnp.maximum(sums[1], 1.0)
            return sum(added, mean), (after, jnp.stack(sums))

        gradients, (after, sums) = jax.grad(loss, has_aux=True)(parts)
        flat, gradient = state[0], self._layout.join(gradients)
        for name, factor in (("l2", 2.0 * flat), ("l1", jnp.sign(flat))):
            if value(name) is not None:
                gradient = gradient + value(name) * shared.kernels * factor
        longest = value("clip_norm")
        if longest is not None:
            norm = jnp.sqrt(jnp.sum(gradient * gradient))
            gradient = gradient * (longest / jnp.maximum(norm, longest))
        flat, slots = self._update(flat, slots, gradient, rate, own.done + number, value)
        if value("max_norm") is not None:
            flat = self._shortened(flat, value("max_norm"))
        moved = (self._variables.moved(after),) if self._variables.moving else ()
        return (flat, *slots, *moved), sums

    def _taken(self, state: tuple[Any, ...]) -> tuple[list[Any], list[Any], tuple[Any, ...]]:
        """A state's trained values, moving statistics and optimizer's slots."""
        parts, last = self._layout.split(state[0]), len(self._update.fresh) + 1
        moving = []
        if self._variables.moving:
            moving = self._variables.moving_layout.split(state[-1])
        return parts, moving, tuple(state[1:last])

    def _others(
        self, moving: Sequence[Any], seeds: Sequence[Any], values: Mapping[str, Any]
    ) -> list[Any]:
        return self._variables.others(moving, seeds, lambda name: values.get(name, jnp.zeros(())))

    def _seedless(self) -> list[Any]:
        return [jnp.zeros(v.shape, v.dtype) for v in self._variables.seeded]

    def _seeds(self, seed: Any, step: Any) -> tuple[dict[str, Any], list[Any]]:
        """Seeds ``(2,)`` of one step: by name for the inputs, and one a dropout layer."""
        names = [name for name in CHANCES if name in self._runtime]
        count = len(names) + len(self._variables.seeded)
        pairs = [jnp.stack([seed, step * count + i]).astype(jnp.uint32) for i in range(count)]
        return dict(zip(names, pairs, strict=False)), pairs[len(names) :]

    def _inputs(self, samples: Any, fold: Any, shared: Shared, change: Any = None) -> Any:
        """Model inputs ``(batch, *input shape)``."""
        if self._ready:
            return shared.folds[0][fold, samples]
        rows = shared.codes[samples]
        return self._coding.inputs(
            rows if change is None else change(rows), *(array[fold] for array in shared.folds)
        )

    def _scaled(self, samples: Any, present: Any, own: Epoch, shared: Shared) -> Any:
        """Targets as the loss takes them; NaN, so missing, where a row fills up."""
        targets = shared.targets[samples]
        if self._shape.task == "regression":
            targets = (targets - own.mean) / own.scale
        return jnp.where(present[:, None], targets, jnp.nan)

    def _loss(
        self, logits: Any, targets: Any, values: Mapping[str, Any], weights: Any = None
    ) -> tuple[Any, Any, Any]:
        return batch_loss(
            self._shape.task,
            logits,
            targets,
            values.get("label_smoothing"),
            gamma=values.get("focal_gamma"),
            delta=values.get("huber_delta"),
            counts=self._shape.counts,
            weights=weights,
        )

    def _shortened(self, flat: Any, longest: Any) -> Any:
        """Shorten what leads into a unit, as ``keras.constraints.MaxNorm``."""
        parts = []
        for axes, part in zip(self._variables.norm_axes, self._layout.split(flat), strict=True):
            if axes is None:
                parts.append(part)
                continue
            norm = jnp.sqrt(jnp.sum(part * part, axes, keepdims=True))
            parts.append(part * (jnp.minimum(norm, longest) / (norm + 1e-7)))
        return self._layout.join(parts)

    def _forward(self, parts: list[Any], others: list[Any], own: Epoch, shared: Shared) -> Any:
        """Logits of the validation samples, some at once; without dropout."""

        def some(samples: Any) -> Any:
            inputs = self._inputs(samples, own.fold, shared)
            return self.model.stateless_call(parts, others, inputs, training=False)[0]

        most = len(own.valid)
        if not most:
            return jnp.zeros((0, self._shape.units))
        if most <= self._chunk:
            return some(own.valid)
        chunks = -(-most // self._chunk)
        size = -(-most // chunks)
        padded = jnp.pad(own.valid, (0, chunks * size - most)).reshape(chunks, size)
        return jax.lax.map(some, padded).reshape(chunks * size, -1)[:most]

    def _model_inputs(self, samples: Any, shared: Shared) -> Any:
        """Model inputs of a prediction, where `Shared.folds` are the arrays of one fold alone."""
        if self._coding.ready:
            return shared.folds[0][samples]
        return self._coding.inputs(shared.codes[samples], *shared.folds)

    def logits(self, weights: Any, samples: Any, shared: Shared) -> Any:
        """Logits of a network with these inference weights."""
        parts, moving = self._variables.parted(weights)
        others = self._others(moving, self._seedless(), {})
        inputs = self._model_inputs(samples, shared)
        return self.model.stateless_call(parts, others, inputs, training=False)[0]

    def gradient(self, weights: Any, samples: Any, shared: Shared, output: Any) -> Any:
        """Gradient of logit `output` by the inputs."""
        parts, moving = self._variables.parted(weights)
        others = self._others(moving, self._seedless(), {})

        def chosen(inputs: Any) -> Any:
            logits, _ = self.model.stateless_call(parts, others, inputs, training=False)
            return jnp.sum(jnp.take(logits, output, axis=1))

        return jax.grad(chosen)(self._model_inputs(samples, shared))


def _partners(present: Any) -> Any:
    """Each sample's row in the batch backwards; rows that fill up at its end stay."""
    rows = jnp.arange(len(present))
    return jnp.where(present, jnp.sum(present) - 1 - rows, rows)
