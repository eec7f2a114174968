"""The JAX engine: all replicas of a trial in one compiled program."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Parameters, complete, runtime_values
from geno_hpo.training.batched import Batched, Epoch, Row, Shared, Together
from geno_hpo.training.cache import BoundedCache
from geno_hpo.training.checkpoint import Snapshot
from geno_hpo.training.coding import Coding
from geno_hpo.training.engine import TrialEngine, device_seed, epoch_order
from geno_hpo.training.lockstep import ReplicaEpoch, run_lockstep
from geno_hpo.training.protocol import EpochReport, FitPlan, FitResult, Replica, Report, Score
from geno_hpo.training.schedules import Rates
from geno_hpo.training.setup import GPU_MEMORY

__all__ = ["JaxEngine"]

READY_FOLDS = 8
"""Folds whose inputs are kept at most."""
USED = 0.9
"""Share of the memory that is free at the start which a program may take."""


class _Fold(NamedTuple):
    """A fold's arrays for the coding, and what lies on the device for them."""

    constants: tuple[NDArray[Any], ...]
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
        self._memory = _free_memory() if memory is None else memory
        self._codes_on_device = jnp.asarray(coding.codes)
        self._targets_on_device = jnp.asarray(self._targets)
        self._folds: BoundedCache[_Fold] = BoundedCache(READY_FOLDS)

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

    def _fit(self, plan: FitPlan, report: Report, resume: Snapshot | None) -> FitResult:
        begun = time.perf_counter()
        self._checked(plan)
        full = complete(plan.params, self._shape)
        batched = self._compiled(plan.params)
        trial, shared = self._trial(plan, full, batched)
        for past in resume.history if resume is not None else ():
            trial.rates.after(past)
        rule = str(full["initializer"])
        states: list[Any] = [
            batched.initial_state(replica.seed, rule, self._learned(replica, full))
            for replica in plan.replicas
        ]
        first = _epoch_of(trial, 1)
        most, reused, notes = self._at_once(batched, states, first, shared)
        traced = time.perf_counter() - begun

        def advance(epoch: int, states: list[Any]) -> Iterator[ReplicaEpoch]:
            given = _epoch_of(trial, epoch)
            for rows in _groups(len(states), most):
                stack, part = _stacked([states[i] for i in rows]), _taken(given, rows)
                program, _ = batched.program(stack, part, shared)
                after, *told = program(stack, part, shared)
                train, valid, logits = (np.asarray(x) for x in told)
                for place, replica in enumerate(dict.fromkeys(rows)):
                    yield self._told(
                        plan.replicas[replica],
                        Row(after, place),
                        train[place],
                        valid[place],
                        logits[place],
                    )

        def told(epoch: EpochReport) -> bool:
            trial.rates.after(epoch)
            return report(epoch)

        result = run_lockstep(
            plan,
            states,
            advance,
            batched.weights,
            [self._targets[replica.valid] for replica in plan.replicas],
            self._score,
            told,
            batch_size=trial.batch,
            resume=resume,
            revive=batched.revived,
            lean=batched.lean,
        )
        return dataclasses.replace(
            result,
            seconds={"trace": traced, **result.seconds},
            reused=reused,
            notes=notes,
            parameters=batched.parameters,
            way=f"{min(most, len(states))} replicas in one program ({self._together})",
        )

    def _at_once(
        self, batched: Batched, states: list[Any], first: Epoch, shared: Shared
    ) -> tuple[int, bool, tuple[str, ...]]:
        """How many replicas one program takes, whether it was there, and what to tell.

        The compiler says beforehand what a program needs; half as many go together until it fits.
        """
        most = len(states)
        notes: list[str] = []
        while True:
            rows = _groups(len(states), most)[0]
            stack = _stacked([states[i] for i in rows])
            program, reused = batched.program(stack, _taken(first, rows), shared)
            needed = _needed(program)
            if self._memory is None or needed <= USED * self._memory:
                return most, reused, tuple(notes)
            batched.forget(program)
            if most == 1:
                raise MemoryError(f"one replica needs {needed:,} bytes, {self._memory:,} are free")
            notes.append(
                f"{most} replicas at once would need {needed:,} bytes, {self._memory:,} are free: "
                f"{-(-most // 2)} at once"
            )
            most = -(-most // 2)

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
        folds: dict[tuple[int, ...], list[Any]] = {}
        places = []
        for replica in replicas:
            key = tuple(id(array) for array in replica.constants)
            if key not in folds:
                folds[key] = self._fold(key, replica, batched.ready)
            places.append(list(folds).index(key))
        shared = batched.shared([jnp.stack(arrays) for arrays in zip(*folds.values(), strict=True)])
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
            fold=np.array(places, np.int32),
            weights=weights,
            rates=Rates(full, plan.horizon or plan.epochs, plan.maximise),
        )
        return trial, shared

    def _fold(self, key: tuple[int, ...], replica: Replica, ready: bool) -> list[Any]:
        """A fold's arrays on the device, or the inputs of all samples alone."""

        def make() -> _Fold:
            constants = self._constants(replica.constants)
            if ready and not self._coding.ready:
                constants = [self._coding.inputs(self._codes_on_device, *constants)]
            return _Fold(replica.constants, constants)

        kept, _ = self._folds.get((ready, *key), make)
        return kept.arrays


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


def _groups(count: int, most: int) -> list[list[int]]:
    """Replicas in groups of one size, at most `most`; the last repeats its last where need be."""
    size = -(-count // -(-count // most))
    return [[min(start + i, count - 1) for i in range(size)] for start in range(0, count, size)]


def _taken(epoch: Epoch, rows: list[int]) -> Epoch:
    taken: Epoch = jax.tree.map(lambda array: array[np.array(rows)], epoch)
    return taken


def _stacked(states: Sequence[Any]) -> tuple[Any, ...]:
    """Arrays of several states along a new first axis; no copy where they lie so already."""
    first = states[0]
    if isinstance(first, Row) and first.row == 0:
        whole = len(first.stack[0]) == len(states)
        if whole and all(
            isinstance(x, Row) and x.stack is first.stack and x.row in (i, states[i - 1].row)
            for i, x in enumerate(states)
        ):
            return first.stack
    return tuple(np.stack(arrays) for arrays in zip(*states, strict=True))


def _needed(program: Any) -> int:
    """Bytes that a compiled program takes while it runs."""
    told = program.memory_analysis()
    if told is None:
        return 0
    return int(told.temp_size_in_bytes + told.argument_size_in_bytes + told.output_size_in_bytes)


def _free_memory() -> int | None:
    """Bytes free on the device, at most this worker's part; None on a CPU, which does not say."""
    told = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" not in told:
        return None
    free = int(told["bytes_limit"] - told.get("bytes_in_use", 0))
    part = os.environ.get(GPU_MEMORY)
    return free if part is None else min(free, int(part) * 2**20)
