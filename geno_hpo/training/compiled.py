"""One compiled TensorFlow function a shape signature: a whole epoch of one replica in one call.

The function takes a replica's state, trains every batch of an epoch in a loop on the device, and
predicts the validation samples. Codes and targets lie on the device; batches are gathered by index,
the last one is as small as it is. The trainable values are one flat vector: the Keras optimizer
updates it in a few large operations, the model sees slices of it (aligned, so not copied).

A *state* is a tuple of tensors, never changed in place: the flat vector, the optimizer's variables,
the model's other variables (moving statistics, seeds of dropout).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Value, build
from geno_hpo.models.blocks import DROPOUT_RATE
from geno_hpo.models.initial import inference_variables, initial_weights
from geno_hpo.training.coding import Coding
from geno_hpo.training.losses import batch_loss
from geno_hpo.training.memory import take_apart, tracing
from geno_hpo.training.optimizers import make_optimizer
from geno_hpo.training.protocol import Weights

__all__ = ["Compiled", "EpochOutput"]

State = tuple[Any, ...]
_ALIGN = 16
"""Slices start at multiples of 16 floats (64 bytes): TensorFlow then shares their memory."""


class EpochOutput(NamedTuple):
    """What the epoch function gives; losses and accuracies are float32 scalars."""

    state: State
    train_loss: Any
    train_accuracy: Any
    valid_loss: Any
    valid_accuracy: Any
    logits: Any


class _Layout:
    """Where each trainable variable lies in the flat vector."""

    def __init__(self, variables: list[Any]) -> None:
        self.shapes = [tuple(int(n) for n in variable.shape) for variable in variables]
        self.sizes = [int(np.prod(shape)) for shape in self.shapes]
        self.rooms = [-(-size // _ALIGN) * _ALIGN for size in self.sizes]
        self.starts = [int(x) for x in np.cumsum([0, *self.rooms[:-1]])]
        self.total = sum(self.rooms)

    def split(self, flat: Any) -> list[Any]:
        """From the vector to tensors."""
        spans = zip(self.starts, self.sizes, self.shapes, strict=True)
        return [tf.reshape(tf.slice(flat, [a], [n]), shape) for a, n, shape in spans]

    def join(self, parts: list[Any]) -> Any:
        """From tensors to the vector, zeros in the gaps."""
        pieces = []
        for part, size, room in zip(parts, self.sizes, self.rooms, strict=True):
            pieces.append(tf.reshape(part, [size]))
            if room > size:
                pieces.append(tf.zeros([room - size]))
        return tf.concat(pieces, 0)


class Compiled:
    """Model, optimizer and compiled functions of one signature.

    Parameters
    ----------
    params
        Complete parameters; only what the signature holds of them matters.
    shape
        Form of the data and task.
    coding
        How rows become inputs.
    codes, targets
        The data set on the device: ``(samples, positions)`` int8, ``(samples, outputs)`` float32.
    runtime
        Names of the runtime values in use.
    chunk
        Samples at once in prediction.
    """

    def __init__(
        self,
        params: dict[str, Value],
        shape: ModelShape,
        coding: Coding,
        codes: Any,
        targets: Any,
        runtime: tuple[str, ...],
        chunk: int,
    ) -> None:
        self._params, self._shape, self._coding = params, shape, coding
        self._codes, self._targets, self._chunk = codes, targets, chunk
        self._batch = int(params["batch_size"])
        self.traced = False
        self.model = build(params, shape)
        self._layout = _Layout(self.model.trainable_variables)
        self._runtime = {name: tf.Variable(0.0, name=name) for name in runtime}
        self._flat = keras.Variable(
            np.zeros(self._layout.total, np.float32), name="flat", dtype="float32"
        )
        self._optimizer = make_optimizer(params, self._runtime, self._flat)
        self._rates = [v for v in self.model.non_trainable_variables if v.name == DROPOUT_RATE]
        rates = {id(v) for v in self._rates}
        learning_rate = id(self._optimizer.learning_rate)
        self._slots = [v for v in self._optimizer.variables if id(v) != learning_rate]
        self._others = [v for v in self.model.non_trainable_variables if id(v) not in rates]
        self._fresh_slots = [tf.constant(v.numpy()) for v in self._slots]
        self._traced: dict[str, Any] = {}

    def _function(self, name: str) -> Any:
        """Give the compiled function ``epoch``, ``predict`` or ``gradient``, traced when needed."""
        if name not in self._traced:
            index = tf.TensorSpec([None], tf.int32)
            row = tf.TensorSpec([self._targets.shape[1]], tf.float32)
            state = [tf.TensorSpec(v.shape, v.dtype) for v in self._variables]
            weights = [tf.TensorSpec(v.shape, v.dtype) for v in inference_variables(self.model)]
            constants = [tf.TensorSpec(shape, dtype) for dtype, shape in self._coding.constants]
            output = tf.TensorSpec([], tf.int32)
            body, *specs = {
                "epoch": (self._trace_epoch, state, index, index, row, row, constants),
                "predict": (self._trace_predict, weights, index, constants),
                "gradient": (self._trace_gradient, weights, index, constants, output),
            }[name]
            function = tf.function(body, autograph=False, jit_compile=False)
            with tracing():
                self._traced[name] = function.get_concrete_function(*specs)
        return self._traced[name]

    @property
    def _variables(self) -> list[Any]:
        """The variables a state is loaded into."""
        return [self._flat, *self._slots, *self._others]

    # --- what callers use --------------------------------------------------------------------

    def set_runtime(self, values: dict[str, float]) -> None:
        """Set the runtime values of the trial that runs next."""
        for name, value in values.items():
            self._runtime[name].assign(value)
        self._optimizer.learning_rate.assign(values["learning_rate"])
        for rate in self._rates:
            rate.assign(values["dropout"])

    def initial_state(self, seed: int) -> State:
        """State of a freshly built model and optimizer with this seed."""
        weights = dict(
            zip(
                (id(v) for v in inference_variables(self.model)),
                initial_weights(self.model, seed),
                strict=True,
            )
        )
        flat = self._layout.join([weights[id(v)] for v in self.model.trainable_variables])
        rng = np.random.default_rng([seed, 1])
        others = []
        for variable in self._others:
            if id(variable) in weights:
                value = weights[id(variable)]
            else:
                value = np.array([rng.integers(2**31), 0])
            others.append(tf.constant(value, dtype=variable.dtype))
        return (flat, *self._fresh_slots, *others)

    def epoch(
        self,
        state: State,
        order: NDArray[np.int32],
        valid: NDArray[np.int32],
        mean: Any,
        scale: Any,
        constants: list[Any],
    ) -> EpochOutput:
        """Train on `order` in batches, then predict `valid`.

        Parameters
        ----------
        state
            The replica's state.
        order
            Training samples in the order of the batches.
        valid
            Validation samples.
        mean, scale
            ``(outputs,)``: the target's scaling, for regression.
        constants
            The coding's arrays.
        """
        return EpochOutput(
            *self._function("epoch")(
                list(state), tf.constant(order), tf.constant(valid), mean, scale, constants
            )
        )

    def trace(self, state: State, mean: Any, scale: Any, constants: list[Any]) -> None:
        """Trace and prepare the epoch function, training nothing."""
        none = np.zeros(0, np.int32)
        self.epoch(state, none, none, mean, scale, constants)
        self.traced = True

    def weights(self, state: State) -> Weights:
        """Inference weights of a state."""
        values = {
            id(variable): value.numpy()
            for variable, value in zip(
                self.model.trainable_variables, self._layout.split(state[0]), strict=True
            )
        }
        others = state[1 + len(self._slots) :]
        values |= {id(v): value.numpy() for v, value in zip(self._others, others, strict=True)}
        return tuple(values[id(v)] for v in inference_variables(self.model))

    def logits(
        self, weights: Weights, samples: NDArray[np.int32], constants: list[Any]
    ) -> NDArray[np.float32]:
        """Logits ``(len(samples), units)``."""
        logits: NDArray[np.float32] = self._function("predict")(
            [tf.constant(value) for value in weights], tf.constant(samples), constants
        ).numpy()
        return logits

    def gradients(
        self, weights: Weights, samples: NDArray[np.int32], constants: list[Any], output: int
    ) -> NDArray[np.float32]:
        """Gradient of logit `output` by the input, ``(len(samples), *input_shape)``."""
        given, chosen = [tf.constant(value) for value in weights], tf.constant(output)
        parts = [np.zeros((0, *self._shape.input_shape), np.float32)]
        for start in range(0, len(samples), self._chunk):
            part = samples[start : start + self._chunk]
            gradient = self._function("gradient")(given, tf.constant(part), constants, chosen)
            parts.append(gradient.numpy())
        return np.concatenate(parts)

    def close(self) -> None:
        """Free the compiled functions; nothing can be called afterwards."""
        for function in self._traced.values():
            take_apart(function.graph)
        self._traced.clear()

    # --- what is traced ----------------------------------------------------------------------

    def _inputs(self, samples: Any, constants: list[Any]) -> Any:
        return self._coding.inputs(tf.gather(self._codes, samples), *constants)

    def _others_now(self) -> list[Any]:
        return [v.value for v in self.model.non_trainable_variables]

    def _scaled(self, samples: Any, mean: Any, scale: Any) -> Any:
        targets = tf.gather(self._targets, samples)
        return (targets - mean) / scale if self._shape.task == "regression" else targets

    def _loss(self, logits: Any, targets: Any) -> tuple[Any, Any, Any]:
        smoothing = self._runtime.get("label_smoothing")
        return batch_loss(
            self._shape.task, logits, targets, None if smoothing is None else smoothing.value()
        )

    def _step(self, samples: Any, mean: Any, scale: Any, constants: list[Any]) -> Any:
        """Train one batch; gives the sums of `_loss`."""
        inputs = self._inputs(samples, constants)
        targets = self._scaled(samples, mean, scale)
        parts = self._layout.split(self._flat.value)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(parts)
            logits, others = self.model.stateless_call(
                parts, self._others_now(), inputs, training=True
            )
            total, known, right = self._loss(logits, targets)
            loss = total / tf.maximum(known, 1.0)
        gradients = tape.gradient(loss, parts, unconnected_gradients="zero")
        if "l2" in self._runtime:
            double = 2.0 * self._runtime["l2"]
            gradients = [
                gradient + double * part if variable.name == "kernel" else gradient
                for gradient, part, variable in zip(
                    gradients, parts, self.model.trainable_variables, strict=True
                )
            ]
        kept = {id(v) for v in self._others}
        for variable, value in zip(self.model.non_trainable_variables, others, strict=True):
            if id(variable) in kept:
                variable.value.assign(value)
        self._optimizer.apply([self._layout.join(gradients)])
        return total, known, right

    def _trace_epoch(
        self, state: Any, order: Any, valid: Any, mean: Any, scale: Any, constants: Any
    ) -> Any:
        for variable, value in zip(self._variables, state, strict=True):
            variable.value.assign(value)
        size = tf.size(order)

        def more(start: Any, total: Any, *_: Any) -> Any:
            return tf.logical_and(start < size, tf.math.is_finite(total))

        def body(start: Any, total: Any, known: Any, right: Any) -> Any:
            batch = order[start : tf.minimum(start + self._batch, size)]
            sums = self._step(batch, mean, scale, constants)
            return start + self._batch, total + sums[0], known + sums[1], right + sums[2]

        zero = tf.constant(0.0)
        _, *train = tf.while_loop(more, body, (tf.constant(0), zero, zero, zero))
        parts = self._layout.split(self._flat.value)
        logits = self._forward(parts, self._others_now(), valid, constants)
        judged = self._loss(logits, self._scaled(valid, mean, scale))
        after = [tf.identity(variable.value) for variable in self._variables]
        return after, *self._means(train), *self._means(judged), logits

    def _means(self, sums: Any) -> tuple[Any, Any]:
        """Loss and accuracy over known labels; NaN where none is known or nothing is counted."""
        total, known, right = sums
        accuracy = right / known
        if self._shape.task == "regression":
            accuracy = tf.constant(float("nan"))
        return total / known, accuracy

    def _forward(self, parts: Any, others: Any, samples: Any, constants: Any) -> Any:
        """Logits of any number of samples, `chunk` at once."""
        size, chunk = tf.size(samples), self._chunk
        logits = tf.TensorArray(
            tf.float32,
            size=(size + chunk - 1) // chunk,
            element_shape=[None, self._shape.units],
            infer_shape=False,
        )

        def body(index: Any, logits: Any) -> Any:
            part = samples[index * chunk : tf.minimum((index + 1) * chunk, size)]
            inputs = self._inputs(part, constants)
            given, _ = self.model.stateless_call(parts, others, inputs, training=False)
            return index + 1, logits.write(index, given)

        _, logits = tf.while_loop(
            lambda index, _: index * chunk < size, body, (tf.constant(0), logits)
        )
        return tf.reshape(logits.concat(), [size, self._shape.units])

    def _given(self, weights: Any) -> tuple[list[Any], list[Any]]:
        """Trainable and other values for a model with these inference weights."""
        values = {
            id(v): value for v, value in zip(inference_variables(self.model), weights, strict=True)
        }
        others = [values.get(id(v), v.value) for v in self.model.non_trainable_variables]
        return [values[id(v)] for v in self.model.trainable_variables], others

    def _trace_predict(self, weights: Any, samples: Any, constants: Any) -> Any:
        parts, others = self._given(weights)
        return self._forward(parts, others, samples, constants)

    def _trace_gradient(self, weights: Any, samples: Any, constants: Any, output: Any) -> Any:
        parts, others = self._given(weights)
        inputs = self._inputs(samples, constants)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(inputs)
            logits, _ = self.model.stateless_call(parts, others, inputs, training=False)
            chosen = tf.reduce_sum(tf.gather(logits, output, axis=1))
        return tape.gradient(chosen, inputs, unconnected_gradients="zero")
