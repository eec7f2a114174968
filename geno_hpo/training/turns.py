"""Trials as courses that can be let on epoch by epoch, one alone or several at once.

A trial's *course* is a generator. It gives the *turn* that it waits for, an epoch of its replicas,
and is sent what the turn came to. Whoever holds several courses trains turns of one kind together,
and each course goes on as if it were alone: its scores, its end and its errors are its own.
Everything happens in one thread.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Generator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Course", "Courses", "ReplicaEpoch", "Trained", "Turn", "alone"]


@dataclass(frozen=True)
class ReplicaEpoch:
    """What one replica gives after one epoch.

    `state` is the backend's own; `predictions` are ``(n_valid, units)`` in original units.
    """

    state: Any
    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    predictions: NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """What a turn came to.

    Parameters
    ----------
    replicas
        In their order; they may be trained while this is gone through.
    seconds
        Wall seconds by part of what was done before this was given: this trial's share where
        several were trained together.
    among
        Trials that were let on at once, this one included.
    """

    replicas: Iterable[ReplicaEpoch]
    seconds: Mapping[str, float] = field(default_factory=dict)
    among: int = 1


@dataclass(frozen=True)
class Turn:
    """An epoch that a course waits for.

    Parameters
    ----------
    kind
        Turns of equal kind can be trained together.
    given
        What `train` needs of this trial.
    train
        Trains turns of one kind: from what is given of each to what came of each.
    """

    kind: Hashable
    given: Any
    train: Callable[[Sequence[Any]], Sequence[Trained]]


Result = TypeVar("Result")
Course: TypeAlias = Generator[Turn, Trained, Result]


def alone(course: Course[Result]) -> Result:
    """Let a course on to its end by itself; errors of training are raised where it waits."""
    resume: Callable[[], Turn] = course.__next__
    while True:
        try:
            turn = resume()
        except StopIteration as end:
            result: Result = end.value
            return result
        resume = _answer(course, *_trained([turn]))


Key = TypeVar("Key", bound=Hashable)


class Courses(Generic[Key, Result]):
    """Courses under way at once; they join and leave between two rounds.

    Parameters
    ----------
    turn_to
        Called with a course's key before it is let on.
    """

    def __init__(self, turn_to: Callable[[Key], None] = lambda _: None) -> None:
        self._turn_to = turn_to
        self._waiting: dict[Key, tuple[Course[Result], Turn]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def begin(self, key: Key, course: Course[Result]) -> list[Result]:
        """Let a new course on to its first turn; gives its result if it has ended already."""
        return self._resume(key, course, course.__next__)

    def advance(self) -> list[Result]:
        """Train the turn of each course, one round; gives the results of those that ended.

        Raises
        ------
        Exception
            What a course raised; those behind it are not let on in this round.
        """
        keys = list(self._waiting)
        found = _trained([turn for _, turn in self._waiting.values()])
        ended: list[Result] = []
        for key, outcome in zip(keys, found, strict=True):
            course, _ = self._waiting.pop(key)
            ended += self._resume(key, course, _answer(course, outcome))
        return ended

    def close(self) -> None:
        """End all courses where they stand."""
        waiting, self._waiting = self._waiting, {}
        for key, (course, _) in waiting.items():
            self._turn_to(key)
            with contextlib.suppress(Exception):
                course.close()

    def _resume(self, key: Key, course: Course[Result], resume: Callable[[], Turn]) -> list[Result]:
        self._turn_to(key)
        try:
            turn = resume()
        except StopIteration as end:
            return [end.value]
        self._waiting[key] = course, turn
        return []


def _answer(course: Course[Any], outcome: Trained | BaseException) -> Callable[[], Turn]:
    """What lets a course on: sending what came of its turn, or raising what went wrong."""
    if isinstance(outcome, BaseException):
        return lambda: course.throw(outcome)
    return lambda: course.send(outcome)


def _trained(turns: Sequence[Turn]) -> list[Trained | BaseException]:
    """Train turns, those of one kind together; what went wrong in place of what came of it."""
    kinds: dict[Hashable, list[int]] = {}
    for place, turn in enumerate(turns):
        kinds.setdefault(turn.kind, []).append(place)
    found: dict[int, Trained | BaseException] = {}
    for places in kinds.values():
        found |= zip(places, _of_one_kind([turns[i] for i in places]), strict=True)
    return [
        replace(one, among=len(turns)) if isinstance(one, Trained) else one
        for _, one in sorted(found.items(), key=lambda pair: pair[0])
    ]


def _of_one_kind(turns: Sequence[Turn]) -> list[Trained | BaseException]:
    """Train turns of one kind; where several together fail, each by itself."""
    try:
        return list(turns[0].train([turn.given for turn in turns]))
    except KeyboardInterrupt as interrupt:
        return [interrupt] * len(turns)
    except Exception as error:
        if len(turns) == 1:
            return [error]
    return [one for turn in turns for one in _of_one_kind([turn])]
