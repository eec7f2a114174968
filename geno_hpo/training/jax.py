"""The JAX engine: all replicas of a trial, and of trials like it, in one compiled program."""

from __future__ import annotations

import dataclasses
import math
import time
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Parameters, complete, runtime_values
from geno_hpo.training.batched import Batched, Together
from geno_hpo.training.cache import BoundedCache
from geno_hpo.training.checkpoint import Snapshot
from geno_hpo.training.coding import Coding
from geno_hpo.training.engine import TrialEngine, device_seed, epoch_order
from geno_hpo.training.joint import Given, Joint, Told, free_memory
from geno_hpo.training.lockstep import lockstep
from geno_hpo.training.protocol import EpochReport, FitPlan, FitResult, Replica, Report, Score
from geno_hpo.training.replicas import Epoch, Row, Shared
from geno_hpo.training.schedules import Rates
from geno_hpo.training.turns import Course, ReplicaEpoch, Turn

__all__ = ["JaxEngine"]

READY_SETS = 2
"""Sets of folds whose arrays lie on the device at most: those of the search, and another."""


class _Folds(NamedTuple):
    """Folds' arrays for the coding, and what lies on the device for them."""

    constants: list[tuple[NDArray[Any], ...]]
    arrays: list[Any]


class _Trial(NamedTuple):
    """What stays the same over a trial's epochs; the first axis of arrays is the replicas'."""

    plan: FitPlan
    batch: int
    steps: list[int]
    valid: NDArray[np.int32]
    valid_size: NDArray[np.int32]
    seed: NDArray[np.int32]
    values: dict[str, NDArray[np.float32]]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    fold: NDArray[np.int32]
    weights: NDArray[np.float32] | None
    rates: Rates


class JaxEngine(TrialEngine[Batched]):
    """The engine on Keras's JAX backend; it takes this beside what `TrialEngine` takes.

    Parameters
    ----------
    together
        How replicas go through a program, see `geno_hpo.training.batched`; by default ``map`` on a
        CPU and ``vmap`` elsewhere.
    memory
        Bytes that a program may take; by default what the device says it has, on a CPU any number.
    """

    exhausted: ClassVar[tuple[type[BaseException], ...]] = (
        jax.errors.JaxRuntimeError,
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
        together: Together | None = None,
        memory: int | None = None,
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
        default: Together = "map" if jax.default_backend() == "cpu" else "vmap"
        self._together = together or default
        self._memory = free_memory() if memory is None else memory
        self._codes_on_device = jnp.asarray(coding.codes)
        self._targets_on_device = jnp.asarray(self._targets)
        self._sets: BoundedCache[_Folds] = BoundedCache(READY_SETS)

    def _placed(self, array: NDArray[Any], dtype: str) -> Any:
        return jnp.asarray(array, dtype)

    def _ran_out(self, error: BaseException) -> bool:
        return isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)

    def _made(self, full: Parameters) -> Batched:
        return Batched(
            dict(full),
            self._shape,
            self._coding,
            self._codes_on_device,
            self._targets_on_device,
            tuple(runtime_values(full, self._shape)),
            self._chunk,
            self._ready(full) and (self._coding.ready or self._shape.kind == "variants"),
            self._together,
        )

    def _course(self, plan: FitPlan, report: Report, resume: Snapshot | None) -> Course[FitResult]:
        begun = time.perf_counter()
        self._checked(plan)
        full = complete(plan.params, self._shape)
        batched = self._compiled(plan.params)
        body = batched.body
        trial, shared = self._trial(plan, full, batched)
        for past in resume.history if resume is not None else ():
            trial.rates.after(past)
        rule = str(full["initializer"])
        states: list[Any] = [
            body.initial_state(replica.seed, rule, self._learned(replica, full))
            for replica in plan.replicas
        ]
        joint, about = Joint(batched, self._memory, self._ran_out), Told()
        built = time.perf_counter() - begun

        def result(replica: int, state: Row, *told: NDArray[np.float32]) -> ReplicaEpoch:
            return self._told(plan.replicas[replica], state, *told)

        def turn(epoch: int, states: list[Any]) -> Turn:
            given = Given(states, _epoch_of(trial, epoch), shared, result, about)
            return Turn(joint.kind(given), given, joint.train)

        def told(epoch: EpochReport) -> bool:
            trial.rates.after(epoch)
            return report(epoch)

        found = yield from lockstep(
            plan,
            states,
            turn,
            body.weights,
            [self._targets[replica.valid] for replica in plan.replicas],
            self._score,
            told,
            batch_size=trial.batch,
            resume=resume,
            revive=body.revived,
            lean=body.lean,
        )
        others = f", of {about.trials} trials" if about.trials > 1 else ""
        return dataclasses.replace(
            found,
            seconds={**found.seconds, "trace": built + found.seconds.get("trace", 0.0)},
            reused=bool(about.reused),
            notes=tuple(about.notes),
            parameters=body.parameters,
            way=f"{about.replicas} replicas in one program ({self._together}){others}",
        )

    def _told(
        self,
        replica: Replica,
        state: Row,
        train: NDArray[np.float32],
        valid: NDArray[np.float32],
        logits: NDArray[np.float32],
    ) -> ReplicaEpoch:
        known = logits[: len(replica.valid)]
        train_loss, train_accuracy = self._means(train)
        valid_loss, valid_accuracy = self._means(valid)
        return ReplicaEpoch(
            state=state,
            train_loss=train_loss,
            train_accuracy=train_accuracy,
            valid_loss=valid_loss,
            valid_accuracy=valid_accuracy,
            predictions=self._predictions(known, replica.target_scale),
        )

    def _means(self, sums: NDArray[np.float32]) -> tuple[float, float]:
        """Loss and accuracy over known labels; NaN where none is known or nothing is counted."""
        total, known, right = (float(x) for x in sums)
        if not known:
            return math.nan, math.nan
        return total / known, math.nan if self._shape.task == "regression" else right / known

    def _trial(self, plan: FitPlan, full: Parameters, batched: Batched) -> tuple[_Trial, Shared]:
        """Arrays of a trial's replicas, and what they share."""
        replicas, batch = plan.replicas, int(full["batch_size"])
        most = max(len(replica.valid) for replica in replicas)
        valid = np.zeros((len(replicas), most), np.int32)
        for row, replica in zip(valid, replicas, strict=True):
            row[: len(replica.valid)] = self._index(replica.valid)
        scales = [self._scale(replica) for replica in replicas]
        values = runtime_values(plan.params, self._shape)
        keys = [tuple(id(array) for array in replica.constants) for replica in replicas]
        folds = dict(zip(keys, replicas, strict=True))
        shared = batched.shared(self._set(folds, batched.ready))
        weights = None
        if self._weighted:
            weights = np.stack([np.asarray(x.class_weights, np.float32) for x in replicas])
        trial = _Trial(
            plan=plan,
            batch=batch,
            steps=[-(-len(replica.train) // batch) for replica in replicas],
            valid=valid,
            valid_size=np.array([len(replica.valid) for replica in replicas], np.int32),
            seed=np.array([device_seed(replica.seed) for replica in replicas], np.int32),
            values={
                name: np.full(len(replicas), value, np.float32)
                for name, value in values.items()
                if name != "learning_rate"
            },
            mean=np.stack([mean for mean, _ in scales]),
            scale=np.stack([scale for _, scale in scales]),
            fold=np.array([list(folds).index(key) for key in keys], np.int32),
            weights=weights,
            rates=Rates(full, plan.horizon or plan.epochs, plan.maximise),
        )
        return trial, shared

    def _set(self, folds: dict[tuple[int, ...], Replica], ready: bool) -> list[Any]:
        """Arrays of several folds one behind the other; trials of the same folds share them."""

        def make() -> _Folds:
            each = [self._fold(replica, ready) for replica in folds.values()]
            constants = [replica.constants for replica in folds.values()]
            return _Folds(constants, [jnp.stack(arrays) for arrays in zip(*each, strict=True)])

        kept, _ = self._sets.get((ready, self._coding.signature, *folds), make)
        return kept.arrays

    def _fold(self, replica: Replica, ready: bool) -> list[Any]:
        """A fold's arrays on the device, or the inputs of all samples alone."""
        constants = self._constants(replica.constants)
        if ready and not self._coding.ready:
            return [self._coding.inputs(self._codes_on_device, *constants)]
        return constants


def _epoch_of(trial: _Trial, epoch: int) -> Epoch:
    """What the program is given of an epoch, from 1."""
    steps, batch = max(trial.steps), trial.batch
    replicas = trial.plan.replicas
    order = np.zeros((len(replicas), steps * batch), np.int32)
    rates = np.zeros((len(replicas), steps), np.float32)
    for row, replica in enumerate(replicas):
        order[row, : len(replica.train)] = epoch_order(replica, epoch)
        rates[row, : trial.steps[row]] = trial.rates.of_epoch(epoch, trial.steps[row])
    return Epoch(
        order=order.reshape(len(replicas), steps, batch),
        size=np.array([len(replica.train) for replica in replicas], np.int32),
        valid=trial.valid,
        valid_size=trial.valid_size,
        rates=rates,
        seed=trial.seed,
        done=np.array([(epoch - 1) * count for count in trial.steps], np.int32),
        values=trial.values,
        mean=trial.mean,
        scale=trial.scale,
        fold=trial.fold,
        weights=trial.weights,
    )
