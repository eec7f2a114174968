"""A search space file: one model family, its hyperparameters, and the rules between them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from geno_hpo.config import Document, find_named, load_document, shown, suggestion
from geno_hpo.config.names import quoted
from geno_hpo.errors import ConfigError
from geno_hpo.space.expression import Expression, ExpressionError, parse_expression
from geno_hpo.space.grammar import FACTS, NAME, Grammar
from geno_hpo.space.tree import (
    Branch,
    Choice,
    Fixed,
    Node,
    Parameters,
    Searched,
    Value,
    every,
    said,
    walk,
)

__all__ = ["Constraint", "ParameterRow", "Space", "find_space", "load_space"]

KEYS = ("family", "description", "parameters", "constraints")


class ParameterRow(NamedTuple):
    """One hyperparameter, for a table."""

    name: str
    kind: str
    range: str
    condition: str


@dataclass(frozen=True)
class Constraint:
    """A rule that every configuration of the space must keep.

    Parameters
    ----------
    rule
        The expression.
    why
        The reason, for people.
    place
        ``file:line``.
    """

    rule: Expression
    why: str
    place: str

    def __str__(self) -> str:
        return f"{self.rule.text} ({self.why})" if self.why else self.rule.text

    def broken(self, values: Mapping[str, Value]) -> str:
        """Say how `values` break the rule; empty where they keep it.

        A rule about a parameter that is not active, or about a fact that these data do not have,
        does not apply.
        """
        if not self.rule.names <= values.keys():
            return ""
        try:
            if self.rule.holds(values):
                return ""
            problem = ""
        except ExpressionError as error:
            problem = f" cannot be answered: {error};"
        got = ", ".join(f"{name} = {said(values[name])}" for name in sorted(self.rule.names))
        return f"{self}{problem or ','} got {got} ({self.place})"


@dataclass(frozen=True)
class Space:
    """A search space that a file describes.

    Parameters
    ----------
    name
        The file's name.
    family
        Model family that takes the hyperparameters.
    parameters
        The tree.
    constraints
        Rules between parameters and facts.
    description
        One sentence.
    text, path
        The file.
    """

    name: str
    family: str
    parameters: tuple[Node, ...]
    constraints: tuple[Constraint, ...]
    description: str = ""
    text: str = field(default="", repr=False)
    path: Path = Path()

    @property
    def conditional(self) -> bool:
        """Whether a branch brings parameters of its own."""
        return any(condition for _, condition in every(self.parameters))

    @property
    def fingerprint(self) -> str:
        """SHA-256 (first 16 hex digits) of what can be drawn; comments and rules do not count."""
        content = json.dumps([self.family, [_plain(node) for node in self.parameters]])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def describe(self) -> list[ParameterRow]:
        """Give a row for each hyperparameter, in the file's order."""
        return [
            ParameterRow(
                name=node.name,
                kind=node.kind,
                range=node.range,
                condition=", ".join(f"{branch.name} = {said(value)}" for branch, value in path),
            )
            for node, path in every(self.parameters)
        ]

    def configure(self, decide: Callable[[Searched], Value]) -> Parameters:
        """Make a configuration; `decide` gives the value of each active searched node."""
        params: Parameters = {"family": self.family}
        params.update((node.name, value) for node, value in walk(self.parameters, decide))
        return params

    def violations(self, params: Parameters, facts: Mapping[str, int]) -> list[str]:
        """Say each constraint that `params` break on data with these facts."""
        values = {**facts, **params}
        return [text for constraint in self.constraints if (text := constraint.broken(values))]


def load_space(path: Path) -> Space:
    """Read and validate a search space file.

    Raises
    ------
    ConfigError
        Everything that is wrong with the file, each fault with its line.
    """
    document = load_document(path)
    data = document.data
    family = data.get("family", "")
    grammar = Grammar(document, family if isinstance(family, str) else "")
    for key in data:
        if key not in KEYS:
            grammar.fault((key,), f"unknown key{suggestion(key, KEYS)}")
    if "family" not in data:
        grammar.fault(("family",), "is missing: the model family, such as cnn or mlp")
    elif not isinstance(family, str) or not NAME.fullmatch(family):
        grammar.fault(("family",), f"must be the name of a model family, got {quoted(family)}")
    description = data.get("description", "")
    if not isinstance(description, str):
        grammar.fault(("description",), f"must be text, got {quoted(description)}")
    nodes: tuple[Node, ...] = ()
    if not data.get("parameters"):
        grammar.fault(("parameters",), "is missing: a block of hyperparameters")
    else:
        nodes = grammar.nodes(data["parameters"], ("parameters",), grammar.family)
        grammar.unique(nodes, ("parameters",), {})
    known = {node.name for node, _ in every(nodes)} | _names(data.get("parameters"))
    constraints = _constraints(data.get("constraints"), document, grammar, known)
    if grammar.faults:
        raise ConfigError(sorted(grammar.faults, key=lambda fault: fault.line))
    return Space(
        name=path.stem,
        family=grammar.family,
        parameters=nodes,
        constraints=constraints,
        description=str(description),
        text=document.text,
        path=path,
    )


def find_space(name: str, folder: Path) -> Path:
    """Find the space file that `name` means (``cnn``, or a path that ends in ``.yaml``).

    Raises
    ------
    InputError
        No such space; the known names are told, nearest first.
    """
    return find_named("search space", name, folder)


def _constraints(
    given: Any, document: Document, grammar: Grammar, known: set[str]
) -> tuple[Constraint, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        grammar.fault(("constraints",), f"must be a list of rules, got {quoted(given)}")
        return ()
    found = []
    for index, entry in enumerate(given):
        place = ("constraints", index)
        if not isinstance(entry, dict) or not isinstance(entry.get("rule"), str):
            grammar.fault(place, f"must be a block with rule and why, got {quoted(entry)}")
            continue
        for key in entry.keys() - {"rule", "why"}:
            grammar.fault((*place, key), f"unknown key{suggestion(key, ('rule', 'why'))}")
        why = entry.get("why", "")
        if not isinstance(why, str):
            grammar.fault((*place, "why"), f"must be text, got {quoted(why)}")
        try:
            rule = parse_expression(entry["rule"])
        except ExpressionError as error:
            grammar.fault((*place, "rule"), str(error))
            continue
        for name in sorted(rule.names - known - set(FACTS)):
            hint = suggestion(name, sorted(known | set(FACTS)))
            grammar.fault((*place, "rule"), f'unknown name "{name}"{hint}')
        line = document.line_of((*place, "rule"))
        found.append(Constraint(rule, str(why), f"{shown(document.path)}:{line}"))
    return tuple(found)


def _names(block: Any) -> set[str]:
    """Give every key of a block, also of parameters that could not be read."""
    if not isinstance(block, dict):
        return set()
    return set(block).union(*(_names(inner) for inner in block.values()))


def _plain(node: Node) -> list[Any]:
    """Give what can be drawn for `node` as JSON values."""
    if isinstance(node, Fixed):
        return [node.name, node.kind, node.value]
    if isinstance(node, Choice):
        return [node.name, node.kind, node.values]
    if isinstance(node, Branch):
        options = [[value, [_plain(inner) for inner in below]] for value, below in node.options]
        return [node.name, node.kind, options]
    return [node.name, node.kind, node.low, node.high, node.step, node.log]
