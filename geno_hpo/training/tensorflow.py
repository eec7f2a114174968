"""The TensorFlow engine: trials of any family on one data set, functions compiled once a shape."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from typing import Any, ClassVar, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Parameters, complete, runtime_values
from geno_hpo.training.cache import BoundedCache
from geno_hpo.training.checkpoint import Snapshot
from geno_hpo.training.coding import Coding
from geno_hpo.training.compiled import Compiled, Pace
from geno_hpo.training.engine import TrialEngine, device_seed, epoch_order
from geno_hpo.training.lockstep import lockstep
from geno_hpo.training.memory import sweep
from geno_hpo.training.placement import on_device
from geno_hpo.training.protocol import EpochReport, FitPlan, FitResult, Replica, Report, Score
from geno_hpo.training.schedules import Rates
from geno_hpo.training.state import State
from geno_hpo.training.turns import Course, ReplicaEpoch, Trained, Turn
from geno_hpo.training.windows import Windows

__all__ = ["TensorFlowEngine"]

SWEEP_EVERY = 16
"""Compiled functions closed between two sweeps of TensorFlow's kernels."""
READY_FOLDS = 8
"""Folds whose inputs are kept at most."""


class _Fold(NamedTuple):
    """A fold's arrays for the coding, and all samples' inputs that are made with them."""

    constants: tuple[NDArray[Any], ...]
    inputs: Any


class TensorFlowEngine(TrialEngine[Compiled]):
    """The engine on TensorFlow; it takes this beside what `TrialEngine` takes.

    Parameters
    ----------
    windows
        Computes convolutions over distinct windows where that pays; None: never.
    """

    exhausted: ClassVar[tuple[type[BaseException], ...]] = (
        tf.errors.ResourceExhaustedError,
        MemoryError,
    )

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
        super().__init__(
            coding,
            targets,
            shape,
            score,
            cache_size=cache_size,
            chunk=chunk,
            weighted=weighted,
        )
        self._windows = windows
        self._codes_on_device = on_device(coding.codes)
        self._targets_on_device = tf.constant(self._targets)
        self._folds: BoundedCache[_Fold] = BoundedCache(READY_FOLDS)
        self._closed = 0

    def reshaped(self, coding: Coding, shape: ModelShape) -> TensorFlowEngine:
        """An engine for inputs of another form; see `TrialEngine.reshaped`."""
        other = super().reshaped(coding, shape)
        if (coding.signature, shape) != (self._coding.signature, self._shape):
            other._windows = None
        return other

    def _close(self, compiled: Compiled) -> None:
        """Free a compiled function that leaves the cache; sweep after every few of them."""
        compiled.close()
        self._closed += 1
        if self._closed % SWEEP_EVERY == 0:
            sweep()

    def _free(self) -> None:
        sweep()

    def _placed(self, array: NDArray[Any], dtype: str) -> Any:
        return tf.constant(array, dtype=dtype)

    def _course(self, plan: FitPlan, report: Report, resume: Snapshot | None) -> Course[FitResult]:
        begun = time.perf_counter()
        self._checked(plan)
        full = complete(plan.params, self._shape)
        batch = int(full["batch_size"])
        compiled = self._compiled(plan.params)
        way = compiled.set_runtime(runtime_values(plan.params, self._shape), batch)
        reused = compiled.traced
        rates = Rates(full, plan.horizon or plan.epochs, plan.maximise)
        for past in resume.history if resume is not None else ():
            rates.after(past)
        scales = [
            (tf.constant(mean), tf.constant(scale))
            for mean, scale in map(self._scale, plan.replicas)
        ]
        given = [self._given(replica, compiled.ready) for replica in plan.replicas]
        valid = [self._index(replica.valid) for replica in plan.replicas]
        rule = str(full["initializer"])
        states = [
            compiled.initial_state(replica.seed, rule, self._learned(replica, full))
            for replica in plan.replicas
        ]
        seeds = [device_seed(replica.seed) for replica in plan.replicas]
        if not compiled.traced:
            compiled.trace(states[0], *scales[0], given[0])
        traced = time.perf_counter() - begun

        def advance_one(fold: int, epoch: int, state: State) -> ReplicaEpoch:
            replica = plan.replicas[fold]
            steps = -(-len(replica.train) // batch)
            output = compiled.epoch(
                state,
                self._index(epoch_order(replica, epoch)),
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

        def advance(epoch: int, states: list[State]) -> Iterator[ReplicaEpoch]:
            for fold, state in enumerate(states):
                yield advance_one(fold, epoch, state)

        def turn(epoch: int, states: list[State]) -> Turn:
            return Turn(id(plan), None, lambda _: [Trained(advance(epoch, states))])

        def told(epoch: EpochReport) -> bool:
            rates.after(epoch)
            return report(epoch)

        result = yield from lockstep(
            plan,
            states,
            turn,
            compiled.weights,
            [self._targets[replica.valid] for replica in plan.replicas],
            self._score,
            told,
            batch_size=batch,
            resume=resume,
            revive=compiled.revived,
            lean=compiled.lean,
        )
        return dataclasses.replace(
            result,
            seconds={"trace": traced, **result.seconds},
            reused=reused,
            parameters=compiled.parameters,
            way=way,
        )

    def _made(self, full: Parameters) -> Compiled:
        runtime = tuple(runtime_values(full, self._shape))
        return Compiled(
            dict(full),
            self._shape,
            self._coding,
            self._codes_on_device,
            self._targets_on_device,
            runtime,
            self._chunk,
            self._ready(full),
            self._weighted,
            None if self._windows is None else self._windows.chooser(runtime),
        )

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
