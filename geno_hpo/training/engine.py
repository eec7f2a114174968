"""What the engines of all backends share: checks, the signature's cache, less memory on failure.

An engine of a backend derives from `TrialEngine` and says how a trial is trained there, how logits
and gradients are computed, and which of its errors mean that memory ran out.
"""

from __future__ import annotations

import copy
import dataclasses
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError, TrialFailed
from geno_hpo.models import ModelShape, Parameters, complete, exported, family_of, signature
from geno_hpo.training.augment import ON_CODES
from geno_hpo.training.cache import BoundedCache
from geno_hpo.training.checkpoint import Snapshot
from geno_hpo.training.coding import Coding
from geno_hpo.training.predictions import activate
from geno_hpo.training.protocol import (
    FitPlan,
    FitResult,
    OutputScale,
    Replica,
    Report,
    Score,
    Weights,
)
from geno_hpo.training.turns import Course, alone

__all__ = ["HALVINGS", "TrialEngine", "device_seed", "epoch_order"]

HALVINGS = 3
"""How often a trial that ran out of memory begins again with half the batch size."""
READY_BYTES = 64 * 2**20
"""Inputs of a whole data set are made once a fold, and not for every batch, up to this size."""
CHUNK_BYTES = 64 * 2**20
"""Inputs that a prediction makes at once, at most; fewer samples go together where each has many
variants."""

Floats = NDArray[np.float32]


class Functions(Protocol):
    """What a backend compiled for one signature."""

    def logits(self, weights: Weights, samples: NDArray[np.int32], constants: list[Any]) -> Floats:
        """Logits ``(len(samples), units)``."""

    def gradients(
        self, weights: Weights, samples: NDArray[np.int32], constants: list[Any], output: int
    ) -> Floats:
        """Gradient of logit `output` by the input, ``(len(samples), *input_shape)``."""


Made = TypeVar("Made", bound=Functions)


class TrialEngine(Generic[Made]):
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

    Raises
    ------
    InputError
        Coding, targets and shape do not agree.
    """

    exhausted: ClassVar[tuple[type[BaseException], ...]] = (MemoryError,)
    """Errors by which the backend may say that memory ran out."""

    def __init__(
        self,
        coding: Coding,
        targets: Floats,
        shape: ModelShape,
        score: Score,
        *,
        cache_size: int = 8,
        chunk: int = 256,
        weighted: bool = False,
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
        self._weighted = weighted
        self._targets = np.asarray(targets, np.float32)
        self._most = chunk
        self._cache: BoundedCache[Made] = BoundedCache(cache_size, self._close)

    def reshaped(self, coding: Coding, shape: ModelShape) -> Self:
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
        return other

    @property
    def compiled(self) -> int:
        """Number of compiled signatures held now."""
        return len(self._cache)

    def fit(self, plan: FitPlan, report: Report) -> FitResult:
        """Train a trial's replicas in lockstep; see `Engine.fit`."""
        return alone(self.course(plan, report))

    def course(self, plan: FitPlan, report: Report) -> Course[FitResult]:
        """Train a trial's replicas turn by turn; see `Engine.course`.

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
                own = dataclasses.replace(plan, params=params)
                result = yield from self._course(own, report, resume)
            except self.exhausted as error:
                message = (str(error).splitlines() or [type(error).__name__])[0]
                if not self._ran_out(error):
                    raise
            if not message:
                return dataclasses.replace(result, batch_size=batch, notes=(*notes, *result.notes))
            self._cache.drop(self._key(params))
            self._free()
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
    ) -> Floats:
        """Predictions ``(len(samples), units)``; see `Engine.predict`."""
        compiled = self._compiled(params)
        logits = compiled.logits(weights, self._index(samples), self._constants(constants))
        return self._predictions(logits, target_scale)

    def input_gradients(
        self,
        params: Parameters,
        weights: Weights,
        samples: NDArray[np.intp],
        constants: tuple[NDArray[Any], ...] = (),
        output: int = 0,
    ) -> Floats:
        """Gradients ``(len(samples), *input shape)``; see `Engine.input_gradients`."""
        if not 0 <= output < self._shape.units:
            raise InputError(f"output must lie in [0, {self._shape.units}), got {output}")
        compiled = self._compiled(params)
        return compiled.gradients(weights, self._index(samples), self._constants(constants), output)

    def export(self, params: Parameters, weights: Weights) -> Any:
        """Make the ordinary Keras model; see `Engine.export`."""
        return exported(params, self._shape, weights)

    # --- what a backend says ------------------------------------------------------------------

    def _course(self, plan: FitPlan, report: Report, resume: Snapshot | None) -> Course[FitResult]:
        """Train a trial with the batch size that stands in its parameters."""
        raise NotImplementedError

    def _made(self, full: Parameters) -> Made:
        """Compile what belongs to complete parameters."""
        raise NotImplementedError

    def _placed(self, array: NDArray[Any], dtype: str) -> Any:
        """Put an array on the device."""
        raise NotImplementedError

    def _ran_out(self, error: BaseException) -> bool:
        """Whether one of the `exhausted` errors says that memory ran out."""
        del error
        return True

    def _close(self, compiled: Made) -> None:
        """Free what leaves the cache."""

    def _free(self) -> None:
        """Give memory back after a failure."""

    # --- what they share ----------------------------------------------------------------------

    @property
    def _chunk(self) -> int:
        """Samples at once in prediction."""
        width = 4 * int(np.prod(self._coding.input_shape))
        return max(1, min(self._most, CHUNK_BYTES // width))

    def _key(self, params: Parameters) -> tuple[Any, ...]:
        return (signature(params, self._shape), self._coding.signature)

    def _compiled(self, params: Parameters) -> Made:
        """Give a configuration's compiled functions."""
        full = complete(params, self._shape)
        made, _ = self._cache.get(self._key(params), lambda: self._made(full))
        return made

    def _ready(self, full: Parameters) -> bool:
        """Whether inputs are made once a fold: they are small and do not change by chance."""
        if self._coding.ready:
            return True
        size = 4 * len(self._targets) * int(np.prod(self._coding.input_shape))
        return size <= READY_BYTES and not any(name in full for name in ON_CODES)

    def _checked(self, plan: FitPlan) -> None:
        """Refuse samples that are not there, and class weights that are missing or too many."""
        for replica in plan.replicas:
            self._index(replica.train)
            self._index(replica.valid)
            if (replica.class_weights is None) == self._weighted:
                raise InputError(
                    f"every replica needs class weights if and only if the engine is weighted, "
                    f"got {replica.class_weights} with weighted={self._weighted}"
                )

    def _learned(self, replica: Replica, full: Parameters) -> dict[str, Floats]:
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
        """A fold's arrays on the device."""
        wanted = self._coding.constants
        shapes = tuple(tuple(array.shape) for array in constants)
        if shapes != tuple(shape for _, shape in wanted):
            raise InputError(
                f"the coding needs constants of shapes {[shape for _, shape in wanted]}, "
                f"got {list(shapes)}"
            )
        return [
            self._placed(np.asarray(array), dtype)
            for array, (dtype, _) in zip(constants, wanted, strict=True)
        ]

    def _scale(self, replica: Replica) -> tuple[Floats, Floats]:
        """Mean and divisor of each output, ``(outputs,)``."""
        outputs = self._targets.shape[1]
        if replica.target_scale is None:
            return np.zeros(outputs, np.float32), np.ones(outputs, np.float32)
        scale = replica.target_scale
        return np.asarray(scale.mean, np.float32), np.asarray(scale.scale, np.float32)

    def _predictions(self, logits: Floats, target_scale: OutputScale | None) -> Floats:
        values: Floats = activate(self._shape.activation, logits)
        if self._shape.task == "regression" and target_scale is not None:
            values = values * target_scale.scale + target_scale.mean
        return values.astype(np.float32)


def _check_form(coding: Coding, shape: ModelShape) -> None:
    if coding.input_shape != shape.input_shape:
        raise InputError(
            f"the coding gives inputs {coding.input_shape}, the shape says {shape.input_shape}"
        )


def device_seed(seed: int) -> int:
    """Seed of a replica's random numbers on the device, apart from those of its other streams."""
    return int(np.random.default_rng([seed, 1]).integers(2**31))


def epoch_order(replica: Replica, epoch: int) -> NDArray[np.intp]:
    """Training samples of a replica in the order of an epoch's batches."""
    rng = np.random.default_rng([replica.seed, 2, epoch])
    return rng.permutation(replica.train)
