"""The compiled JAX programs of one signature: an epoch of many replicas in one call.

Replicas lie along the first axis of everything that is their own: a state's vectors, the order of
samples, learning rates, seeds, runtime hyperparameters. The data set is shared: int8 codes on the
device, gathered and turned to inputs inside the program. One replica's epoch
(`geno_hpo.training.body`) is a scan over its batches; on a GPU the replicas go together (``vmap``:
each operation is one kernel for all of them), on a CPU one after another in the same program
(``map``: a batched product gains nothing there).
"""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from geno_hpo.models import ModelShape, Value
from geno_hpo.training.body import Body
from geno_hpo.training.coding import Coding
from geno_hpo.training.protocol import Weights
from geno_hpo.training.replicas import Epoch, Shared, Stack

__all__ = ["Batched", "Together"]

Floats = NDArray[np.float32]
Together = Literal["vmap", "map"]


class Batched:
    """Compiled programs of one signature.

    Parameters
    ----------
    params, shape, coding, runtime, chunk, ready
        See `Body`.
    codes, targets
        The data set on the device: ``(samples, positions)`` int8, ``(samples, outputs)`` float32.
    together
        How replicas go through the program.

    Attributes
    ----------
    body
        What is traced.
    most
        Replicas that memory was found to suffice for, by the form of their arrays.
    places
        For how many trials, or parts of them, programs are there, by that form.
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
        together: Together,
    ) -> None:
        self.body = Body(params, shape, coding, runtime, chunk, ready)
        self.ready, self.together = ready, together
        self.most: dict[str, int] = {}
        self.places: defaultdict[str, set[int]] = defaultdict(set)
        self._shape, self._chunk = shape, chunk
        self._codes, self._targets = codes, targets
        self._programs: dict[tuple[Any, ...], Any] = {}
        self._logits = jax.jit(self.body.logits)
        self._gradient = jax.jit(self.body.gradient)

    def shared(self, folds: list[Any]) -> Shared:
        """What a program reads beside the replicas' own arrays; `folds` as in `Shared`."""
        return Shared(self._codes, self._targets, self.body.kernels, folds)

    def program(self, stacks: tuple[Stack, ...], epoch: Epoch, shared: Shared) -> tuple[Any, bool]:
        """Give the program for arrays of these shapes, and whether it was compiled before.

        It takes what this function was given (stacks of one size, one behind the other as in the
        epoch's arrays), and gives stacks, sums of `batch_loss` in training and in validation
        ``(replicas, 3)``, and logits ``(replicas, most, units)``.
        """
        tree = jax.tree.map(lambda x: (x.shape, str(x.dtype)), (stacks, epoch, shared))
        key = (str(tree), _uneven(epoch))
        if key in self._programs:
            return self._programs[key], True
        body = partial(self.body.epoch, uneven=_uneven(epoch))

        def run(stacks: tuple[Stack, ...], epoch: Epoch, shared: Shared) -> Any:
            whole = tuple(jnp.concatenate(arrays) for arrays in zip(*stacks, strict=True))
            if self.together == "vmap":
                after, *told = jax.vmap(body, in_axes=(0, 0, None))(whole, epoch, shared)
            else:
                after, *told = jax.lax.map(lambda own: body(own[0], own[1], shared), (whole, epoch))
            parted = zip(*(jnp.split(array, len(stacks)) for array in after), strict=True)
            return (tuple(parted), *told)

        self._programs[key] = jax.jit(run).lower(stacks, epoch, shared).compile()
        return self._programs[key], False

    def forget(self, program: Any) -> None:
        """Drop a program that cannot run."""
        self._programs = {key: kept for key, kept in self._programs.items() if kept is not program}

    def logits(self, weights: Weights, samples: NDArray[np.int32], constants: list[Any]) -> Floats:
        """Logits ``(len(samples), units)``."""
        parts = [np.zeros((0, self._shape.units), np.float32)]
        for part, filled_up in self._parts(samples):
            found = np.asarray(self._logits(list(weights), filled_up, self.shared(constants)))
            parts.append(found[: len(part)])
        return np.concatenate(parts)

    def gradients(
        self, weights: Weights, samples: NDArray[np.int32], constants: list[Any], output: int
    ) -> Floats:
        """Gradient of logit `output` by the input, ``(len(samples), *input_shape)``."""
        parts = [np.zeros((0, *self._shape.input_shape), np.float32)]
        for part, filled_up in self._parts(samples):
            found = np.asarray(
                self._gradient(list(weights), filled_up, self.shared(constants), output)
            )
            parts.append(found[: len(part)])
        return np.concatenate(parts)

    def _parts(self, samples: NDArray[np.int32]) -> list[tuple[Any, Any]]:
        """Chunks of samples, and the same filled up to one size."""
        parts = []
        for start in range(0, len(samples), self._chunk):
            part = samples[start : start + self._chunk]
            size = min(self._chunk, 1 << (len(part) - 1).bit_length())
            parts.append((part, np.resize(part, size)))
        return parts


def _uneven(epoch: Epoch) -> bool:
    """Whether some replicas have fewer batches than others."""
    steps, batch = epoch.order.shape[1:]
    return bool((-(-np.asarray(epoch.size) // batch) != steps).any())
