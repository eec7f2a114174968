"""Epochs of several trials in one program: how many replicas go together, and what came of each.

Trials of one signature, batch size and folds go together, their replicas one behind the other. As
trials come and go their number changes; a program is compiled for one, two, four, … trials, and the
last trial fills up what is left, so that few are compiled. Where replicas go side by side
(``vmap``) a somewhat larger program that is there serves, too. The compiler tells beforehand what a
program needs: half as many replicas go together until that is there, and again where memory runs
out all the same. A trial whose own replicas do not fit goes in parts.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import numpy as np
from numpy.typing import NDArray

from geno_hpo.training.batched import Batched
from geno_hpo.training.replicas import Epoch, Row, Shared, Stack, joined, parts, stacked, taken
from geno_hpo.training.setup import GPU_MEMORY
from geno_hpo.training.turns import ReplicaEpoch, Trained

__all__ = ["Given", "Joint", "Told", "free_memory"]

USED = 0.9
"""Share of the memory that is free at the start which a program may take."""
SPARE = 4
"""A program with room for at most so many times the trials is taken rather than one compiled."""

Floats = NDArray[np.float32]


@dataclass
class Told:
    """What is told of a trial's programs beside the numbers.

    Parameters
    ----------
    notes
        A sentence each.
    reused
        Whether the programs of its first epoch were there; None before it.
    replicas, trials
        Most that went together.
    """

    notes: list[str] = field(default_factory=list)
    reused: bool | None = None
    replicas: int = 0
    trials: int = 0


class Given(NamedTuple):
    """One trial's epoch.

    Parameters
    ----------
    states, epoch, shared
        Its replicas, and what they are given.
    result
        ``result(replica, state, train sums, valid sums, logits)``.
    told
        What is filled in along the way.
    """

    states: list[Any]
    epoch: Epoch
    shared: Shared
    result: Callable[[int, Row, Floats, Floats, Floats], ReplicaEpoch]
    told: Told


class _Piece(NamedTuple):
    """Replicas of one trial that go together."""

    given: Given
    rows: list[int]


class _TooMuchError(MemoryError):
    """A program needs more memory than there is."""


class Joint:
    """Trains what is given of trials of one signature.

    Parameters
    ----------
    batched
        The signature's programs.
    memory
        Bytes that a program may take; None: any number.
    ran_out
        Whether an error says that memory ran out.
    """

    def __init__(
        self, batched: Batched, memory: int | None, ran_out: Callable[[BaseException], bool]
    ) -> None:
        self._batched, self._memory, self._ran_out = batched, memory, ran_out
        self._compiling = 0.0

    def kind(self, given: Given) -> Hashable:
        """What trials must have in common to go together."""
        return (id(self._batched), *map(id, given.shared.folds), _form(given))

    def train(self, given: Sequence[Given]) -> list[Trained]:
        """Train an epoch of each trial.

        Raises
        ------
        MemoryError
            One replica alone needs more than there is.
        """
        begun, self._compiling = time.perf_counter(), 0.0
        form, total = _form(given[0]), sum(len(one.states) for one in given)
        while True:
            room = self._batched.most.get(form, SPARE * total)
            most = min(room, total)
            try:
                found = self._train(given, most, room)
                break
            except (jax.errors.JaxRuntimeError, MemoryError) as error:
                if most == 1 or not self._ran_out(error):
                    raise
                why = str(error) if isinstance(error, _TooMuchError) else "memory ran out"
            half = -(-most // 2)
            self._batched.most[form] = half
            for one in given:
                one.told.notes.append(f"{why}: {half} at once")
        seconds = time.perf_counter() - begun - self._compiling
        share = {"trace": self._compiling / len(given), "train": seconds / len(given)}
        return [Trained(replicas, share) for replicas in found]

    def _train(self, given: Sequence[Given], most: int, room: int) -> list[list[ReplicaEpoch]]:
        """Train with at most so many replicas together, where there is room for so many."""
        own = len(given[0].states)
        pieces = [_Piece(one, rows) for one in given for rows in parts(own, min(most, own))]
        at_once = max(1, most // len(pieces[0].rows))
        found: dict[int, list[ReplicaEpoch]] = {id(one): [] for one in given}
        there = True
        for start in range(0, len(pieces), at_once):
            some = pieces[start : start + at_once]
            results, reused = self._run(some, self._places(some, room))
            there = there and reused
            for piece, replicas in zip(some, results, strict=True):
                found[id(piece.given)] += replicas
        for one in given:
            one.told.reused = there if one.told.reused is None else one.told.reused
        return list(found.values())

    def _places(self, pieces: list[_Piece], room: int) -> int:
        """For how many pieces like these the program is."""
        most = max(1, room // len(pieces[0].rows))
        wanted = min(most, 1 << (len(pieces) - 1).bit_length())
        if self._batched.together == "map":
            return wanted
        allowed = range(wanted, min(most, SPARE * wanted) + 1)
        return min(self._batched.places[_form(*pieces[0])].intersection(allowed), default=wanted)

    def _run(self, pieces: list[_Piece], places: int) -> tuple[list[list[ReplicaEpoch]], bool]:
        """Train pieces in one program with room for `places` of them."""
        filled = [*range(len(pieces)), *[len(pieces) - 1] * (places - len(pieces))]
        stacks = [stacked([one.given.states[i] for i in one.rows]) for one in pieces]
        epochs = [taken(one.given.epoch, one.rows) for one in pieces]
        shared = pieces[0].given.shared
        arguments = tuple(stacks[i] for i in filled), joined([epochs[i] for i in filled]), shared
        program, reused = self._program(*arguments)
        self._batched.places[_form(*pieces[0])].add(places)
        after, *told = program(*arguments)
        size = len(pieces[0].rows)
        sums = [np.asarray(array).reshape(places, size, *array.shape[1:]) for array in told]
        trials = len({id(one.given) for one in pieces})
        found = []
        for place, (given, rows) in enumerate(pieces):
            found.append(
                [
                    given.result(replica, Row(after[place], row), *(x[place, row] for x in sums))
                    for row, replica in enumerate(dict.fromkeys(rows))
                ]
            )
            given.told.replicas = max(given.told.replicas, size * len(pieces))
            given.told.trials = max(given.told.trials, trials)
        return found, reused

    def _program(self, stacks: tuple[Stack, ...], epoch: Epoch, shared: Shared) -> tuple[Any, bool]:
        """Give the program, and whether it was there; refuse one that needs too much."""
        begun = time.perf_counter()
        program, reused = self._batched.program(stacks, epoch, shared)
        self._compiling += time.perf_counter() - begun
        if self._memory is None or (needed := _needed(program)) <= USED * self._memory:
            return program, reused
        count = len(epoch.size)
        self._batched.forget(program)
        what = "one replica needs" if count == 1 else f"{count} replicas at once would need"
        raise _TooMuchError(f"{what} {needed:,} bytes, {self._memory:,} are free")


def _form(given: Given, rows: Sequence[int] = ()) -> str:
    """Shapes of what a trial's replicas, or some of them, are given."""
    return f"{len(rows)} {jax.tree.map(lambda array: array.shape, given.epoch)}"


def _needed(program: Any) -> int:
    """Bytes that a compiled program takes while it runs."""
    told = program.memory_analysis()
    if told is None:
        return 0
    return int(told.temp_size_in_bytes + told.argument_size_in_bytes + told.output_size_in_bytes)


def free_memory() -> int | None:
    """Bytes free on the device, at most this worker's part; None on a CPU, which does not say."""
    told = jax.local_devices()[0].memory_stats() or {}
    if "bytes_limit" not in told:
        return None
    free = int(told["bytes_limit"] - told.get("bytes_in_use", 0))
    part = os.environ.get(GPU_MEMORY)
    return free if part is None else min(free, int(part) * 2**20)
