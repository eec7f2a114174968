"""One or several spaces as one search: suggest, draw, and translate.

Optuna's names are paths below the family (``cnn.optimizer.sgd.momentum``); the flat configuration
that models take has short names (``momentum``), for only one of them is active at a time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from geno_hpo.config import shown
from geno_hpo.errors import InputError
from geno_hpo.space.space import Space
from geno_hpo.space.tree import (
    Fixed,
    Float,
    Int,
    Parameters,
    Searched,
    Value,
    combinations,
    every,
    said,
    walk,
)

__all__ = ["FAMILY", "SearchSpace", "Trial"]

FAMILY = "family"
"""Name of the choice between spaces, and of its key in a configuration."""


class Trial(Protocol):
    """What is asked of an Optuna trial, real or fixed."""

    def suggest_categorical(self, name: str, choices: Sequence[Value]) -> Any:
        """Suggest one of `choices`."""

    def suggest_int(
        self, name: str, low: int, high: int, *, step: int = 1, log: bool = False
    ) -> int:
        """Suggest a whole number."""

    def suggest_float(
        self, name: str, low: float, high: float, *, step: float | None = None, log: bool = False
    ) -> float:
        """Suggest a number."""


@dataclass(frozen=True)
class SearchSpace:
    """Several spaces, one a model family.

    Raises
    ------
    InputError
        No space, or two of one family.
    """

    spaces: tuple[Space, ...]

    def __post_init__(self) -> None:
        if not self.spaces:
            raise InputError("a search needs at least one space")
        owner: dict[str, Space] = {}
        for space in self.spaces:
            if space.family in owner:
                raise InputError(
                    f'a search takes one space a family, got two of family "{space.family}": '
                    f"{shown(owner[space.family].path)} and {shown(space.path)}"
                )
            owner[space.family] = space

    @property
    def conditional(self) -> bool:
        """Whether some parameters exist only beside certain values of others."""
        return len(self.spaces) > 1 or any(space.conditional for space in self.spaces)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) of what can be drawn."""
        content = json.dumps([space.fingerprint for space in self.spaces])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @property
    def families(self) -> tuple[str, ...]:
        """Model families, in the order of the spaces."""
        return tuple(space.family for space in self.spaces)

    def of_family(self, family: object) -> Space:
        """Give the space of a family.

        Raises
        ------
        InputError
            No space is of this family.
        """
        for space in self.spaces:
            if space.family == family:
                return space
        known = ", ".join(self.families)
        raise InputError(f"family must be one of {known}, got {family!r}")

    @property
    def searched(self) -> frozenset[str]:
        """Short names of the parameters that are searched, not fixed, in some space."""
        nodes = [node for space in self.spaces for node, _ in every(space.parameters)]
        return frozenset(node.name for node in nodes if not isinstance(node, Fixed))

    @property
    def common(self) -> tuple[Searched, ...]:
        """Searched parameters that every configuration has, whatever its family and branches."""
        held = [
            {node.name: node for node, above in every(space.parameters) if not above}
            for space in self.spaces
        ]
        first = [node for node in held[0].values() if not isinstance(node, Fixed)]
        return tuple(node for node in first if all(node.name in names for names in held))

    @property
    def continuous(self) -> tuple[str, ...]:
        """Optuna's names of the numbers without steps, of which a grid would have no end."""
        nodes = [node for space in self.spaces for node, _ in every(space.parameters)]
        return tuple(n.key for n in nodes if isinstance(n, Float) and n.step is None)

    @property
    def combinations(self) -> int:
        """Number of configurations, rules between parameters left aside.

        Raises
        ------
        InputError
            A number has no steps.
        """
        if self.continuous:
            raise InputError(f"endless configurations: {self.continuous[0]} has no steps")
        return sum(combinations(space.parameters) for space in self.spaces)

    def largest(self, name: str) -> int | None:
        """Largest whole number that a parameter of this short name takes; None without one."""
        found: list[int] = []
        for space in self.spaces:
            for node, _ in every(space.parameters):
                if node.name == name:
                    values = (node.value,) if isinstance(node, Fixed) else node.extremes()
                    found += [v for v in values if isinstance(v, int) and not isinstance(v, bool)]
        return max(found, default=None)

    def suggest(self, trial: Trial) -> Parameters:
        """Ask an Optuna trial for a configuration."""
        space = self.spaces[0]
        if len(self.spaces) > 1:
            space = self.of_family(trial.suggest_categorical(FAMILY, self.families))

        def ask(node: Searched) -> Value:
            if isinstance(node, Int):
                return trial.suggest_int(
                    node.key, node.low, node.high, step=node.step, log=node.log
                )
            if isinstance(node, Float):
                value = trial.suggest_float(
                    node.key, node.low, node.high, step=node.step, log=node.log
                )
                return node.snap(value)
            chosen: Value = trial.suggest_categorical(node.key, node.values)
            return chosen

        return space.configure(ask)

    def draw(self, rng: np.random.Generator) -> Parameters:
        """Draw a configuration: every space, branch and choice with the same probability."""
        space = self.spaces[int(rng.integers(len(self.spaces)))]
        return space.configure(lambda node: node.draw(rng))

    def short(self, optuna_params: Mapping[str, Any]) -> Parameters:
        """Turn a trial's ``params`` into the configuration it stands for.

        Raises
        ------
        InputError
            A parameter is missing, or its value is not in the space: the trial belongs to another
            space.
        """
        space = self.spaces[0]
        if len(self.spaces) > 1:
            space = self.of_family(optuna_params.get(FAMILY))

        def look(node: Searched) -> Value:
            if node.key not in optuna_params:
                raise InputError(f"{node.key} is missing: the trial is not from {space.name}")
            return _own(node, optuna_params[node.key])

        return space.configure(look)

    def to_optuna(self, params: Parameters) -> dict[str, Any]:
        """Turn a configuration into Optuna's names, as ``enqueue_trial`` takes them.

        Raises
        ------
        InputError
            A parameter is missing, unknown here, or its value is not in the space.
        """
        space = self.of_family(params.get(FAMILY))

        def look(node: Searched) -> Value:
            if node.name not in params:
                raise InputError(f"{node.name} is missing from the configuration")
            return _own(node, params[node.name])

        found = list(walk(space.parameters, look))
        known = {node.name: value for node, value in found}
        for node, value in found:
            if isinstance(node, Fixed) and params.get(node.name, value) != value:
                got = params[node.name]
                raise InputError(f"{node.name} is fixed at {said(value)}, got {said(got)}")
        extra = sorted(params.keys() - known.keys() - {FAMILY})
        if extra:
            raise InputError(f"not in this configuration of {space.name}: {', '.join(extra)}")
        names: dict[str, Any] = {FAMILY: space.family} if len(self.spaces) > 1 else {}
        return names | {node.key: value for node, value in found if not isinstance(node, Fixed)}

    def extremes(self) -> Iterator[Parameters]:
        """Give the edges of the space: each value that lies on one, the rest at defaults.

        Numbers stand at both ends, choices and branches take each value; then every number stands
        at its low end at once, and at its high end.
        """
        for space in self.spaces:
            for node, path in every(space.parameters):
                if isinstance(node, Fixed):
                    continue
                led = {branch.key: value for branch, value in path}
                for value in node.extremes():
                    yield space.configure(_overriding({**led, node.key: value}))
            yield space.configure(lambda node: node.extremes()[0])
            yield space.configure(lambda node: node.extremes()[-1])

    def violations(self, params: Parameters, facts: Mapping[str, int]) -> list[str]:
        """Say each constraint that a configuration breaks on data with these facts."""
        return self.of_family(params.get(FAMILY)).violations(params, facts)


def _overriding(values: Mapping[str, Value]) -> Callable[[Searched], Value]:
    """Decide by `values` where they name a node, else by its default."""
    return lambda node: values.get(node.key, node.default)


def _own(node: Searched, value: Any) -> Value:
    """Give `value` as the node itself would draw it.

    Raises
    ------
    InputError
        The node cannot draw it.
    """
    if isinstance(node, Float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, (bool, int, float, str)) or not node.holds(value):
        raise InputError(f"{node.key} must be in {node.range}, got {value!r}")
    return node.snap(float(value)) if isinstance(node, Float) else value
