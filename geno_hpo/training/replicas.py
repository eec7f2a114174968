"""Arrays of many replicas for the JAX engine: each array's first axis is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

__all__ = ["Epoch", "Row", "Shared", "Stack", "joined", "parts", "stacked", "taken"]

Stack = tuple[Any, ...]
"""States of several replicas, each array ``(replicas, …)``."""


class Row(Sequence[NDArray[Any]]):
    """The state of one replica: a row of the arrays of all.

    Parameters
    ----------
    stack
        Arrays ``(replicas, …)`` on the device.
    row
        Which replica.
    """

    def __init__(self, stack: Stack, row: int) -> None:
        self.stack, self.row = stack, row

    def __len__(self) -> int:
        return len(self.stack)

    def __getitem__(self, index: Any) -> Any:
        return np.asarray(self.stack[index][self.row])


class Epoch(NamedTuple):
    """What the epoch of a number of replicas is given; each array's first axis is theirs.

    Parameters
    ----------
    order
        ``(replicas, steps, batch)`` int32 samples; what fills up is any sample.
    size, valid_size
        ``(replicas,)`` int32: how many of them count.
    valid
        ``(replicas, most)`` int32 validation samples, filled up.
    rates
        ``(replicas, steps)`` learning rates.
    seed, done
        ``(replicas,)``: what decides chance, and steps done in earlier epochs.
    values
        ``(replicas,)`` of each runtime hyperparameter.
    mean, scale
        ``(replicas, outputs)``: the target's scaling.
    fold
        ``(replicas,)`` int32: which of the given folds.
    weights
        ``(replicas, outputs, classes)`` class weights, or None.
    """

    order: Any
    size: Any
    valid: Any
    valid_size: Any
    rates: Any
    seed: Any
    done: Any
    values: dict[str, Any]
    mean: Any
    scale: Any
    fold: Any
    weights: Any | None


class Shared(NamedTuple):
    """What all replicas read: arguments of a program, so that it holds no data itself.

    Parameters
    ----------
    codes, targets
        The data set: ``(samples, positions)`` int8, ``(samples, outputs)`` float32.
    kernels
        1 where the flat vector holds a kernel's value, else 0.
    folds
        The coding's arrays, ``(folds, …)`` each; or the inputs of all samples,
        ``(folds, samples, *input shape)``.
    """

    codes: Any
    targets: Any
    kernels: Any
    folds: list[Any]


def parts(count: int, most: int) -> list[list[int]]:
    """Replicas in parts of one size, at most `most`; the last repeats its last where need be."""
    size = -(-count // -(-count // most))
    return [[min(start + i, count - 1) for i in range(size)] for start in range(0, count, size)]


def taken(epoch: Epoch, rows: list[int]) -> Epoch:
    """The same of some replicas."""
    if rows == list(range(len(epoch.size))):
        return epoch
    found: Epoch = jax.tree.map(lambda array: array[np.array(rows)], epoch)
    return found


def joined(epochs: Sequence[Epoch]) -> Epoch:
    """The epochs of several trials, one behind the other."""
    if len(epochs) == 1:
        return epochs[0]
    found: Epoch = jax.tree.map(lambda *arrays: np.concatenate(arrays), *epochs)
    return found


def stacked(states: Sequence[Any]) -> Stack:
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
