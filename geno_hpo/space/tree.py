"""The tree of hyperparameters: what may be drawn for each, and which belong to which branch.

A node knows its short name (``momentum``) and its key, the path by which Optuna knows it
(``cnn.optimizer.sgd.momentum``). One walk over the tree serves every use: `walk` asks a function
for the value of each node that is active, and goes down the branch which that value names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

__all__ = [
    "Branch",
    "Choice",
    "Fixed",
    "Float",
    "Int",
    "Node",
    "Parameters",
    "Value",
    "combinations",
    "every",
    "walk",
]

Value = bool | int | float | str
Parameters = dict[str, Value]
"""Active hyperparameters by short name, always with ``family``."""


@dataclass(frozen=True)
class Fixed:
    """A hyperparameter that is not searched."""

    name: str
    key: str
    line: int
    value: Value

    @property
    def kind(self) -> str:
        """Kind for tables."""
        return "fixed"

    @property
    def range(self) -> str:
        """Range for tables."""
        return said(self.value)


@dataclass(frozen=True)
class Choice:
    """One of several values."""

    name: str
    key: str
    line: int
    values: tuple[Value, ...]
    kind = "choice"

    @property
    def range(self) -> str:
        """Range for tables."""
        return ", ".join(said(value) for value in self.values)

    @property
    def default(self) -> Value:
        """The first value."""
        return self.values[0]

    def draw(self, rng: np.random.Generator) -> Value:
        """Draw each value with the same probability."""
        return self.values[int(rng.integers(len(self.values)))]

    def extremes(self) -> tuple[Value, ...]:
        """Every value."""
        return self.values

    def holds(self, value: Value) -> bool:
        """Whether `value` can be drawn."""
        return any(value == own and type(value) is type(own) for own in self.values)


@dataclass(frozen=True)
class Int:
    """A whole number in ``[low, high]``, in steps or on a logarithmic scale."""

    name: str
    key: str
    line: int
    low: int
    high: int
    step: int = 1
    log: bool = False
    kind = "int"

    @property
    def range(self) -> str:
        """Range for tables."""
        text = f"{self.low} to {self.high}"
        return text + (", log" if self.log else f", step {self.step}" if self.step > 1 else "")

    @property
    def default(self) -> int:
        """The middle, on the parameter's own scale."""
        if self.log:
            return round(float(np.sqrt(float(self.low) * self.high)))
        return self.low + self.step * ((self.high - self.low) // self.step // 2)

    def draw(self, rng: np.random.Generator) -> int:
        """Draw uniformly, or uniformly in the logarithm."""
        if not self.log:
            return self.low + self.step * int(rng.integers((self.high - self.low) // self.step + 1))
        drawn = np.exp(rng.uniform(np.log(self.low - 0.5), np.log(self.high + 0.5)))
        return min(max(round(float(drawn)), self.low), self.high)

    def extremes(self) -> tuple[int, ...]:
        """Both ends."""
        return (self.low, self.high)

    def holds(self, value: Value) -> bool:
        """Whether `value` can be drawn."""
        if isinstance(value, (bool, float, str)) or not self.low <= value <= self.high:
            return False
        return (value - self.low) % self.step == 0


@dataclass(frozen=True)
class Float:
    """A number in ``[low, high]``, in steps or on a logarithmic scale."""

    name: str
    key: str
    line: int
    low: float
    high: float
    step: float | None = None
    log: bool = False
    kind = "float"

    @property
    def range(self) -> str:
        """Range for tables."""
        text = f"{self.low:g} to {self.high:g}"
        return text + (", log" if self.log else f", step {self.step:g}" if self.step else "")

    @property
    def default(self) -> float:
        """The middle, on the parameter's own scale."""
        if self.log:
            return float(np.exp((np.log(self.low) + np.log(self.high)) / 2))
        if self.step is None:
            return self.low + (self.high - self.low) / 2
        return self.snap(self.low + self.step * (self.steps // 2))

    @property
    def steps(self) -> int:
        """Steps from the lowest value to the highest; 0 without steps."""
        return round((self.high - self.low) / self.step) if self.step else 0

    def snap(self, value: float) -> float:
        """Give the nearest step as it would be written: 0.3 and not 0.30000000000000004."""
        if self.step is None:
            return float(value)
        count = min(max(round((value - self.low) / self.step), 0), self.steps)
        return float(Decimal(repr(self.low)) + count * Decimal(repr(self.step)))

    def draw(self, rng: np.random.Generator) -> float:
        """Draw uniformly, or uniformly in the logarithm."""
        if self.step is not None:
            return self.snap(self.low + self.step * int(rng.integers(self.steps + 1)))
        if not self.log:
            return float(rng.uniform(self.low, self.high))
        drawn = float(np.exp(rng.uniform(np.log(self.low), np.log(self.high))))
        return min(max(drawn, self.low), self.high)

    def extremes(self) -> tuple[float, ...]:
        """Both ends."""
        return (self.low, self.high)

    def holds(self, value: Value) -> bool:
        """Whether `value` can be drawn."""
        if isinstance(value, (bool, str)) or not self.low <= value <= self.high:
            return False
        return self.step is None or abs(self.snap(value) - value) <= 1e-9 * max(1.0, self.step)


@dataclass(frozen=True)
class Branch:
    """One of several names, each with hyperparameters of its own."""

    name: str
    key: str
    line: int
    options: tuple[tuple[Value, tuple[Node, ...]], ...]
    kind = "branch"

    @property
    def values(self) -> tuple[Value, ...]:
        """Names of the branches."""
        return tuple(value for value, _ in self.options)

    @property
    def range(self) -> str:
        """Range for tables."""
        return ", ".join(said(value) for value in self.values)

    @property
    def default(self) -> Value:
        """The first branch."""
        return self.values[0]

    def draw(self, rng: np.random.Generator) -> Value:
        """Draw each branch with the same probability."""
        return self.values[int(rng.integers(len(self.values)))]

    def extremes(self) -> tuple[Value, ...]:
        """Every branch."""
        return self.values

    def holds(self, value: Value) -> bool:
        """Whether there is a branch of this name."""
        return any(value == own and type(value) is type(own) for own in self.values)

    def below(self, value: Value) -> tuple[Node, ...]:
        """Hyperparameters of the branch `value`."""
        return next(nodes for own, nodes in self.options if own == value)


Searched = Choice | Int | Float | Branch
Node = Fixed | Searched


def walk(
    nodes: tuple[Node, ...], decide: Callable[[Searched], Value]
) -> Iterator[tuple[Node, Value]]:
    """Give each active node with its value, in order; `decide` names the searched ones' values.

    A branch's own nodes follow it directly.
    """
    for node in nodes:
        if isinstance(node, Fixed):
            yield node, node.value
            continue
        value = decide(node)
        yield node, value
        if isinstance(node, Branch):
            yield from walk(node.below(value), decide)


def every(
    nodes: tuple[Node, ...], condition: tuple[tuple[Branch, Value], ...] = ()
) -> Iterator[tuple[Node, tuple[tuple[Branch, Value], ...]]]:
    """Give every node of all branches, with the branches that lead to it, outermost first."""
    for node in nodes:
        yield node, condition
        if isinstance(node, Branch):
            for value, below in node.options:
                yield from every(below, (*condition, (node, value)))


def combinations(nodes: tuple[Node, ...]) -> int:
    """Number of configurations of a tree in which every number has steps."""
    total = 1
    for node in nodes:
        if isinstance(node, Branch):
            total *= sum(combinations(below) for _, below in node.options)
        elif isinstance(node, Choice):
            total *= len(node.values)
        elif isinstance(node, Int):
            total *= (node.high - node.low) // node.step + 1
        elif isinstance(node, Float):
            total *= node.steps + 1
    return total


def said(value: Value) -> str:
    """Give `value` as a YAML file says it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
