"""One compiled TensorFlow function a shape signature: a whole epoch of one replica in one call.

The function (`geno_hpo.training.traced`) takes a replica's state, trains every batch of an epoch in
a loop on the device, and predicts the validation samples. Codes and targets lie on the device;
batches are gathered by index, the last one is as small as it is.

Few operations make a function quick to trace, to prepare and to run: what does not depend on the
batch stays outside the loop, and what a data set does not need (masks of missing labels) is left
out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Value, build
from geno_hpo.training.coding import Coding
from geno_hpo.training.memory import take_apart, tracing
from geno_hpo.training.protocol import Weights
from geno_hpo.training.state import State, StateVariables
from geno_hpo.training.step import Step
from geno_hpo.training.traced import Traced
from geno_hpo.training.ways import PlainWay, Way
from geno_hpo.training.windows import Chooser

__all__ = ["Compiled", "EpochOutput", "Pace"]


class EpochOutput(NamedTuple):
    """What the epoch function gives; losses and accuracies are float32 scalars."""

    state: State
    train_loss: Any
    train_accuracy: Any
    valid_loss: Any
    valid_accuracy: Any
    logits: Any


class Pace(NamedTuple):
    """How an epoch of one replica goes: values from the host, none of them compiled in.

    Parameters
    ----------
    rates
        ``(steps,)`` float32 learning rate of each step.
    seed
        The replica's, for everything random in the steps.
    done
        Steps done in earlier epochs.
    weights
        ``(outputs, classes)`` class weights of the training loss, where the function takes them.
    """

    rates: NDArray[np.float32]
    seed: int
    done: int
    weights: NDArray[np.float32] | None = None


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
    ready
        Whether epochs are given the whole data set's inputs in place of the coding's arrays.
    weighted
        Whether epochs are given class weights.
    windows
        Computes over distinct windows where that pays; None: never.
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
        ready: bool,
        weighted: bool = False,
        windows: Chooser | None = None,
    ) -> None:
        self._shape, self._coding = shape, coding
        self._weighted = weighted
        self._targets, self._chunk = targets, chunk
        self.model = build(params, shape)
        self._plain = PlainWay(self.model, coding, codes, ready=ready, chunk=chunk)
        self._coded = PlainWay(self.model, coding, codes, ready=False, chunk=chunk)
        self._windows = windows
        self._way: Way = self._plain
        self._runtime = {
            name: tf.Variable(0.0, name=name) for name in runtime if name != "learning_rate"
        }
        self._variables = StateVariables(self.model, params, self._runtime)
        self._bodies = Traced(
            self.model,
            self._variables,
            Step(self._variables, shape, targets, self._runtime),
            regression=shape.task == "regression",
            weighted=weighted,
        )
        self._batch = 1
        self._traced: dict[tuple[str, str], Any] = {}

    def _function(self, name: str, way: Way) -> Any:
        """Give a way's function ``epoch``, ``predict`` or ``gradient``, traced when needed."""
        key = (name, way.name)
        if key not in self._traced:
            index = tf.TensorSpec([None], tf.int32)
            row = tf.TensorSpec([self._targets.shape[1]], tf.float32)
            weights = [tf.TensorSpec(*each) for each in self._variables.model.shapes]
            constants = [tf.TensorSpec(shape, dtype) for dtype, shape in self._coding.constants]
            given = constants
            if self.ready:
                given = [tf.TensorSpec([len(self._targets), *self._shape.input_shape])]
            pace = [tf.TensorSpec([None], tf.float32), tf.TensorSpec([3], tf.int32)]
            if self._weighted:
                pace.append(tf.TensorSpec(self._weights_shape, tf.float32))
            state, output = self._variables.specs, tf.TensorSpec([], tf.int32)
            specs: list[Any] = {
                "epoch": [state, index, index, pace, row, row, given],
                "predict": [weights, index, constants],
                "gradient": [weights, index, constants, output],
            }[name]
            body = partial(getattr(self._bodies, name), way)
            function = tf.function(body, autograph=False, jit_compile=False)
            with tracing():
                self._traced[key] = function.get_concrete_function(*specs)
        return self._traced[key]

    def set_runtime(self, values: dict[str, float], batch: int) -> str:
        """Set the runtime values and the batch size of the trial that runs next.

        Gives how its epochs are computed and why, in words; nothing where there is no choice.
        """
        for name, variable in self._runtime.items():
            variable.assign(values[name])
        self._batch = batch
        if self._windows is None:
            return ""
        way, why = self._windows.way(self.model, batch)
        self._way = way or self._plain
        return why

    @property
    def ready(self) -> bool:
        """Whether epochs are given the whole data set's inputs in place of the coding's arrays."""
        return self._way is self._plain and self._plain.ready

    @property
    def traced(self) -> bool:
        """Whether the epochs of the trial that runs next are compiled already."""
        return ("epoch", self._way.name) in self._traced

    def initial_state(
        self,
        seed: int,
        rule: str = "glorot_uniform",
        learned: Mapping[str, NDArray[np.float32]] | None = None,
    ) -> State:
        """State of a freshly built model and optimizer; see `initial_weights`."""
        return self._variables.initial(seed, rule, learned)

    def revived(self, arrays: Sequence[NDArray[Any]]) -> State:
        """State of a checkpoint's arrays, whichever engine wrote them."""
        return self._variables.revived(arrays)

    def epoch(
        self,
        state: State,
        order: NDArray[np.int32],
        valid: NDArray[np.int32],
        pace: Pace,
        mean: Any,
        scale: Any,
        given: list[Any],
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
        pace
            Learning rates and what else the host decides.
        mean, scale
            ``(outputs,)``: the target's scaling, for regression.
        given
            The coding's arrays, or the inputs of the whole data set alone where they are ready.
        """
        numbers = np.array([self._batch, pace.seed, pace.done], np.int32)
        paces = [tf.constant(pace.rates), tf.constant(numbers)]
        if self._weighted:
            paces.append(tf.constant(pace.weights, tf.float32, self._weights_shape))
        return EpochOutput(
            *self._function("epoch", self._way)(
                list(state),
                tf.constant(order),
                tf.constant(valid),
                paces,
                mean,
                scale,
                given,
            )
        )

    @property
    def parameters(self) -> int:
        """Values that training changes."""
        return sum(int(np.prod(variable.shape)) for variable in self.model.trainable_variables)

    def trace(self, state: State, mean: Any, scale: Any, given: list[Any]) -> None:
        """Trace and prepare the epoch function, training nothing."""
        none = np.zeros(0, np.int32)
        weights = np.ones(self._weights_shape, np.float32) if self._weighted else None
        pace = Pace(np.zeros(0, np.float32), 0, 0, weights)
        self.epoch(state, none, none, pace, mean, scale, given)

    @property
    def _weights_shape(self) -> tuple[int, int]:
        """``(outputs, classes)`` of class weights."""
        classes = self._shape.units if self._shape.task == "multiclass" else 2
        return int(self._targets.shape[1]), classes

    def lean(self, state: State) -> State:
        """A state with the optimizer's variables left empty: what `weights` reads."""
        return self._variables.lean(state)

    def weights(self, state: State) -> Weights:
        """Inference weights of a state."""
        return self._variables.weights(state)

    def logits(
        self, weights: Weights, samples: NDArray[np.int32], constants: list[Any]
    ) -> NDArray[np.float32]:
        """Logits ``(len(samples), units)``."""
        way: Way | None = None
        if self._windows is not None:
            way, _ = self._windows.way(self.model, len(samples))
        logits: NDArray[np.float32] = self._function("predict", way or self._coded)(
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
            gradient = self._function("gradient", self._coded)(
                given, tf.constant(part), constants, chosen
            )
            parts.append(gradient.numpy())
        return np.concatenate(parts)

    def close(self) -> None:
        """Free the compiled functions; nothing can be called afterwards."""
        for function in self._traced.values():
            take_apart(function.graph)
        self._traced.clear()
