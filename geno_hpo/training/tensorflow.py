"""The TensorFlow engine: trials of any family on one data set, functions compiled once a shape."""

from __future__ import annotations

import copy
import dataclasses
import time
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from geno_hpo.errors import InputError, TrialFailed
from geno_hpo.models import (
    ModelShape,
    Parameters,
    complete,
    exported,
    family_of,
    runtime_values,
    signature,
)
from geno_hpo.training.augment import ON_CODES
from geno_hpo.training.cache import BoundedCache
from geno_hpo.training.checkpoint import Snapshot
from geno_hpo.training.coding import Coding
from geno_hpo.training.compiled import Compiled, Pace, State
from geno_hpo.training.lockstep import ReplicaEpoch, run_lockstep
from geno_hpo.training.memory import sweep
from geno_hpo.training.placement import on_device
from geno_hpo.training.predictions import activate
from geno_hpo.training.protocol import (
    EpochReport,
    FitPlan,
    FitResult,
    OutputScale,
    Replica,
    Report,
    Score,
    Weights,
)
from geno_hpo.training.schedules import Rates
from geno_hpo.training.windows import Windows

__all__ = ["HALVINGS", "TensorFlowEngine"]

HALVINGS = 3
"""How often a trial that ran out of memory begins again with half the batch size."""
SWEEP_EVERY = 16
"""Compiled functions closed between two sweeps of TensorFlow's kernels."""
READY_BYTES = 16 * 2**20
"""Inputs of a whole data set up to this size are made once a fold and kept; larger ones are made
from codes for each batch."""
CHUNK_BYTES = 64 * 2**20
"""Inputs that a prediction makes at once, at most; fewer samples go together where each has many
variants."""
READY_FOLDS = 8
"""Folds whose inputs are kept at most."""


class _Fold(NamedTuple):
    """A fold's arrays for the coding, and all samples' inputs that are made with them."""

    constants: tuple[NDArray[Any], ...]
    inputs: Any


class TensorFlowEngine:
    """Trains and applies models on one data set; see `geno_hpo.training.protocol.Engine`.

    Codes and targets are put on the device once; folds are index arrays. Call
    `geno_hpo.training.setup.configure` before making the first engine of a process.

    Parameters
    ----------
    coding
        Codes of the data set and how they become inputs.
    targets
        ``(samples, outputs)`` float32 in original units, NaN for missing.
    shape
        Form of the data and task; its input shape is the coding's.
    score
        ``score(truth, prediction)`` of validation predictions, called once an epoch and replica.
    cache_size
        Compiled functions kept at most; the least recently used leaves first.
    chunk
        Samples at once in prediction, at most; see `CHUNK_BYTES`.
    weighted
        Whether every replica brings class weights for the training loss.
    windows
        Computes convolutions over distinct windows where that pays; None: never.

    Raises
    ------
    InputError
        Coding, targets and shape do not agree.
    """

    def __init__(
        self,
        coding: Coding,
        targets: NDArray[np.float32],
        shape: ModelShape,
        score: Score,
        *,
        cache_size: int = 8,
        chunk: int = 256,
        weighted: bool = False,
        windows: Windows | None = None,
    ) -> None:
        _check_form(coding, shape)
        if targets.ndim != 2 or len(targets) != len(coding.codes):
            raise InputError(f"targets must be ({len(coding.codes)}, outputs), got {targets.shape}")
        outputs = 1 if shape.task == "multiclass" else shape.units
        if targets.shape[1] != outputs:
            raise InputError(f"targets must have {outputs} outputs, got {targets.shape[1]}")
        if weighted and shape.task == "regression":
            raise InputError("class weights belong to classification, got them with a regression")
        self._coding, self._shape, self._score = coding, shape, score
        self._weighted, self._windows = weighted, windows
        self._targets = np.asarray(targets, np.float32)
        self._codes_on_device = on_device(coding.codes)
        self._targets_on_device = tf.constant(self._targets)
        self._most = chunk
        self._cache: BoundedCache[Compiled] = BoundedCache(cache_size, self._close)
        self._folds: BoundedCache[_Fold] = BoundedCache(READY_FOLDS)
        self._closed = 0

    def reshaped(self, coding: Coding, shape: ModelShape) -> TensorFlowEngine:
        """An engine for inputs of another form, made of the same codes.

        It shares what lies on the device and the cache of compiled functions.

        Raises
        ------
        InputError
            Coding and shape do not agree, or the codes are others.
        """
        _check_form(coding, shape)
        if coding.codes is not self._coding.codes:
            raise InputError("an engine is reshaped for its own codes, got those of other data")
        other = copy.copy(self)
        other._coding, other._shape = coding, shape
        if (coding.signature, shape) != (self._coding.signature, self._shape):
            other._windows = None
        return other

    def _close(self, compiled: Compiled) -> None:
        """Free a compiled function that leaves the cache; sweep after every few of them."""
        compiled.close()
        self._closed += 1
        if self._closed % SWEEP_EVERY == 0:
            sweep()

    @property
    def _chunk(self) -> int:
        """Samples at once in prediction."""
        width = 4 * int(np.prod(self._coding.input_shape))
        return max(1, min(self._most, CHUNK_BYTES // width))

    @property
    def compiled(self) -> int:
        """Number of compiled signatures held now."""
        return len(self._cache)

    def fit(self, plan: FitPlan, report: Report) -> FitResult:
        """Train a trial's replicas in lockstep; see `Engine.fit`.

        Out of memory, the trial begins again with half the batch size, at most `HALVINGS` times.
        """
        batch = int(complete(plan.params, self._shape)["batch_size"])
        notes: list[str] = []
        halvings = 0
        resume = None if plan.checkpoint is None else plan.checkpoint.load()
        if resume is not None and resume.batch_size != batch:
            batch = resume.batch_size
            notes.append(f"batch size {batch}, for which memory sufficed before")
        while True:
            params = {**plan.params, "batch_size": batch}
            message = ""
            try:
                result = self._fit(dataclasses.replace(plan, params=params), report, resume)
            except (tf.errors.ResourceExhaustedError, MemoryError) as error:
                message = (str(error).splitlines() or [type(error).__name__])[0]
            if not message:
                return dataclasses.replace(result, batch_size=batch, notes=tuple(notes))
            self._cache.drop(self._key(params))
            sweep()
            resume = None
            if batch == 1 or halvings == HALVINGS:
                raise TrialFailed("memory", f"out of memory with batch size {batch}: {message}")
            notes.append(f"out of memory with batch size {batch}; begun again with {batch // 2}")
            batch, halvings = batch // 2, halvings + 1

    def predict(
        self,
        params: Parameters,
        weights: Weights,
        samples: NDArray[np.intp],
        constants: tuple[NDArray[Any], ...] = (),
        target_scale: OutputScale | None = None,
    ) -> NDArray[np.float32]:
        """Predictions ``(len(samples), units)``; see `Engine.predict`."""
        compiled, _ = self._compiled(params)
        logits = compiled.logits(weights, self._index(samples), self._constants(constants))
        return self._predictions(logits, target_scale)

    def input_gradients(
        self,
        params: Parameters,
        weights: Weights,
        samples: NDArray[np.intp],
        constants: tuple[NDArray[Any], ...] = (),
        output: int = 0,
    ) -> NDArray[np.float32]:
        """Gradients ``(len(samples), *input shape)``; see `Engine.input_gradients`."""
        if not 0 <= output < self._shape.units:
            raise InputError(f"output must lie in [0, {self._shape.units}), got {output}")
        compiled, _ = self._compiled(params)
        return compiled.gradients(weights, self._index(samples), self._constants(constants), output)

    def export(self, params: Parameters, weights: Weights) -> Any:
        """Make the ordinary Keras model; see `Engine.export`."""
        return exported(params, self._shape, weights)

    def _fit(self, plan: FitPlan, report: Report, resume: Snapshot | None = None) -> FitResult:
        begun = time.perf_counter()
        for replica in plan.replicas:
            self._index(replica.train)
            if (replica.class_weights is None) == self._weighted:
                raise InputError(
                    f"every replica needs class weights if and only if the engine is weighted, "
                    f"got {replica.class_weights} with weighted={self._weighted}"
                )
        full = complete(plan.params, self._shape)
        batch = int(full["batch_size"])
        compiled, _ = self._compiled(plan.params)
        way = compiled.set_runtime(runtime_values(plan.params, self._shape), batch)
        reused = compiled.traced
        rates = Rates(full, plan.horizon or plan.epochs, plan.maximise)
        for past in resume.history if resume is not None else ():
            rates.after(past)
        scales = [self._scale(replica) for replica in plan.replicas]
        given = [self._given(replica, compiled.ready) for replica in plan.replicas]
        valid = [self._index(replica.valid) for replica in plan.replicas]
        rule = str(full["initializer"])
        states = [
            compiled.initial_state(replica.seed, rule, self._learned(replica, full))
            for replica in plan.replicas
        ]
        seeds = [_device_seed(replica.seed) for replica in plan.replicas]
        if not compiled.traced:
            compiled.trace(states[0], *scales[0], given[0])
        traced = time.perf_counter() - begun

        def advance(fold: int, epoch: int, state: State) -> ReplicaEpoch:
            replica = plan.replicas[fold]
            rng = np.random.default_rng([replica.seed, 2, epoch])
            steps = -(-len(replica.train) // batch)
            output = compiled.epoch(
                state,
                self._index(rng.permutation(replica.train)),
                valid[fold],
                Pace(
                    rates.of_epoch(epoch, steps),
                    seeds[fold],
                    (epoch - 1) * steps,
                    replica.class_weights,
                ),
                *scales[fold],
                given[fold],
            )
            return ReplicaEpoch(
                state=output.state,
                train_loss=float(output.train_loss),
                train_accuracy=float(output.train_accuracy),
                valid_loss=float(output.valid_loss),
                valid_accuracy=float(output.valid_accuracy),
                predictions=self._predictions(output.logits.numpy(), replica.target_scale),
            )

        def told(epoch: EpochReport) -> bool:
            rates.after(epoch)
            return report(epoch)

        result = run_lockstep(
            plan,
            states,
            advance,
            compiled.weights,
            [self._targets[replica.valid] for replica in plan.replicas],
            self._score,
            told,
            batch_size=batch,
            resume=resume,
            revive=lambda arrays: tuple(tf.constant(array) for array in arrays),
            lean=compiled.lean,
        )
        return dataclasses.replace(
            result,
            seconds={"trace": traced, **result.seconds},
            reused=reused,
            parameters=compiled.parameters,
            way=way,
        )

    def _key(self, params: Parameters) -> tuple[Any, ...]:
        return (signature(params, self._shape), self._coding.signature)

    def _compiled(self, params: Parameters) -> tuple[Compiled, bool]:
        """Give a configuration's compiled functions, and whether they were there already."""
        full = complete(params, self._shape)
        runtime = tuple(runtime_values(params, self._shape))
        return self._cache.get(
            self._key(params),
            lambda: Compiled(
                full,
                self._shape,
                self._coding,
                self._codes_on_device,
                self._targets_on_device,
                runtime,
                self._chunk,
                self._ready(full),
                self._weighted,
                None if self._windows is None else self._windows.chooser(runtime),
            ),
        )

    def _ready(self, full: Parameters) -> bool:
        """Whether inputs are made once a fold: they are small and do not change by chance."""
        if self._coding.ready:
            return True
        size = 4 * len(self._targets) * int(np.prod(self._coding.input_shape))
        return size <= READY_BYTES and not any(name in full for name in ON_CODES)

    def _given(self, replica: Replica, ready: bool) -> list[Any]:
        """What the epochs of a replica are given: the inputs of all samples, or the arrays."""
        if not ready:
            return self._constants(replica.constants)
        key = tuple(id(array) for array in replica.constants)

        def make() -> _Fold:
            constants = self._constants(replica.constants)
            if self._coding.ready:
                return _Fold(replica.constants, constants[0])
            return _Fold(replica.constants, self._coding.inputs(self._codes_on_device, *constants))

        fold, _ = self._folds.get(key, make)
        return [fold.inputs]

    def _learned(self, replica: Replica, full: Parameters) -> dict[str, NDArray[np.float32]]:
        """Weights of the family that the replica brings from its training part."""
        wanted = family_of(full).learns
        missing = [name for name in wanted if name not in replica.learned]
        if missing:
            raise InputError(
                f"family {full['family']} needs {', '.join(missing)} of each training part, "
                f"got {', '.join(replica.learned) or 'none'}"
            )
        return {name: replica.learned[name] for name in wanted}

    def _index(self, samples: NDArray[np.intp]) -> NDArray[np.int32]:
        """Sample indices for the device; TensorFlow on a CPU checks bounds, a GPU does not."""
        total = len(self._targets)
        if len(samples) and not (samples.min() >= 0 and samples.max() < total):
            raise InputError(
                f"sample indices must lie in [0, {total}), got [{samples.min()}, {samples.max()}]"
            )
        return samples.astype(np.int32)

    def _constants(self, constants: tuple[NDArray[Any], ...]) -> list[Any]:
        wanted = self._coding.constants
        shapes = tuple(tuple(array.shape) for array in constants)
        if shapes != tuple(shape for _, shape in wanted):
            raise InputError(
                f"the coding needs constants of shapes {[shape for _, shape in wanted]}, "
                f"got {list(shapes)}"
            )
        return [
            tf.constant(np.asarray(array), dtype=dtype)
            for array, (dtype, _) in zip(constants, wanted, strict=True)
        ]

    def _scale(self, replica: Replica) -> tuple[Any, Any]:
        outputs = self._targets.shape[1]
        if replica.target_scale is None:
            return tf.zeros([outputs]), tf.ones([outputs])
        mean, scale = replica.target_scale.mean, replica.target_scale.scale
        return tf.constant(mean, tf.float32), tf.constant(scale, tf.float32)

    def _predictions(
        self, logits: NDArray[np.float32], target_scale: OutputScale | None
    ) -> NDArray[np.float32]:
        values: NDArray[np.float32] = activate(self._shape.activation, logits)
        if self._shape.task == "regression" and target_scale is not None:
            values = values * target_scale.scale + target_scale.mean
        return values.astype(np.float32)


def _check_form(coding: Coding, shape: ModelShape) -> None:
    if coding.input_shape != shape.input_shape:
        raise InputError(
            f"the coding gives inputs {coding.input_shape}, the shape says {shape.input_shape}"
        )


def _device_seed(seed: int) -> int:
    """Seed of a replica's random numbers on the device, apart from those of its other streams."""
    return int(np.random.default_rng([seed, 1]).integers(2**31))
