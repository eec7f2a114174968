"""From a space file's values to the tree, every fault with its line.

The grammar of one parameter: a plain value (fixed), or a block with one of ``int``, ``float``,
``choice`` and ``branch``, where numbers may add ``step`` or ``log``.
"""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from geno_hpo.config import Document, Place, suggestion
from geno_hpo.config.names import join, quoted
from geno_hpo.errors import Fault
from geno_hpo.space.expression import FUNCTIONS
from geno_hpo.space.tree import Branch, Choice, Fixed, Float, Int, Node, Value, said

__all__ = ["FACTS", "NAME", "Grammar"]

FACTS = ("length", "samples", "variants", "units")
"""What a constraint may know of the data: positions, samples, variants, output width."""

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
RESERVED = {"family", "true", "false", *FACTS, *FUNCTIONS}
KINDS = ("int", "float", "choice", "branch")
ALIASES = {
    "integer": "int",
    "uniform": "float",
    "real": "float",
    "range": "int",
    "loguniform": "float",
    "log": "float",
    "categorical": "choice",
    "choices": "choice",
    "values": "choice",
    "options": "choice",
    "conditional": "branch",
}


class Grammar:
    """Reads the parameters of one file, and gathers what is wrong with them."""

    def __init__(self, document: Document, family: str) -> None:
        self.document = document
        self.family = family
        self.faults: list[Fault] = []

    def fault(self, place: Place, message: str) -> None:
        """Note a fault."""
        self.faults.append(self.document.fault(place, message))

    def nodes(self, block: Any, place: Place, path: str) -> tuple[Node, ...]:
        """Read a block of parameters; `path` is the Optuna key it stands under."""
        if not isinstance(block, dict):
            self.fault(place, f"must be a block of parameters, got {quoted(block)}")
            return ()
        found = []
        for name, body in block.items():
            inner = (*place, name)
            if self._name_fits(name, inner):
                node = self._node(name, body, inner, f"{path}.{name}")
                if node is not None:
                    found.append(node)
        return tuple(found)

    def unique(self, nodes: tuple[Node, ...], place: Place, seen: dict[str, int]) -> dict[str, int]:
        """Refuse a short name that can occur twice in one configuration.

        Parameters
        ----------
        seen
            Names that are active together with these nodes, and their lines.

        Returns
        -------
        dict
            Names that these nodes and their branches can bring, and their lines.
        """
        own: dict[str, int] = {}
        for node in nodes:
            inner = (*place, node.name)
            together = seen | own
            if node.name in together:
                line = together[node.name]
                self.fault(inner, f'the name "{node.name}" is already used in line {line}')
            own[node.name] = node.line
            if isinstance(node, Branch):
                outer = seen | own
                for value, below in node.options:
                    option = (*inner, "branch", said(value))
                    own |= self.unique(below, option, outer)
        return own

    def _name_fits(self, name: str, place: Place) -> bool:
        if not NAME.fullmatch(name) or keyword.iskeyword(name):
            self.fault(place, "a name must be letters, digits and _, and begin with a letter")
            return False
        if name in RESERVED:
            self.fault(place, f'the name "{name}" has a meaning of its own; choose another')
            return False
        return True

    def _node(self, name: str, body: Any, place: Place, key: str) -> Node | None:
        line = self.document.line_of(place)
        if not isinstance(body, dict):
            return self._fixed(name, body, place, key, line)
        kinds = [kind for kind in KINDS if kind in body]
        if len(kinds) != 1:
            self._no_kind(body, kinds, place)
            return None
        kind = kinds[0]
        allowed = {kind, "step", "log"} if kind in ("int", "float") else {kind}
        for extra in body.keys() - allowed:
            self.fault((*place, extra), f"unknown key{suggestion(extra, sorted(allowed))}")
        match kind:
            case "choice":
                return self._choice(name, body["choice"], (*place, "choice"), key, line)
            case "branch":
                return self._branch(name, body["branch"], (*place, "branch"), key, line)
            case "int":
                return self._int(name, body, place, key, line)
        return self._float(name, body, place, key, line)

    def _no_kind(self, body: dict[str, Any], kinds: list[str], place: Place) -> None:
        if kinds:
            self.fault(place, f"must have one of {join(KINDS)}, got {join(kinds, 'and')}")
            return
        if not body:
            self.fault(place, f"must have one of {join(KINDS)}, or be a plain value, got nothing")
        for given in body:
            near = ALIASES.get(given.lower())
            hint = f'; did you mean "{near}"?' if near else suggestion(given, KINDS)
            if given not in ("step", "log") or len(body) == 1:
                self.fault((*place, given), f"unknown kind of parameter{hint}")

    def _fixed(self, name: str, body: Any, place: Place, key: str, line: int) -> Fixed | None:
        if isinstance(body, list):
            said = ", ".join(map(str, body))
            self.fault(place, f"a list is no value; to try each, write {{choice: [{said}]}}")
            return None
        if not self._scalar(body, place):
            return None
        return Fixed(name, key, line, body)

    def _scalar(self, value: Any, place: Place) -> bool:
        if value is None:
            self.fault(place, 'must have a value, got nothing; write "none" in quotes for a text')
        elif not isinstance(value, (bool, int, float, str)):
            self.fault(place, f"must be a number, a text, true or false, got {quoted(value)}")
        elif isinstance(value, float) and not math.isfinite(value):
            self.fault(place, f"must be a finite number, got {value}")
        else:
            return True
        return False

    def _choice(self, name: str, values: Any, place: Place, key: str, line: int) -> Choice | None:
        if not isinstance(values, list) or not values:
            got = "an empty list" if values == [] else quoted(values)
            self.fault(place, f"must be a list of at least one value, got {got}")
            return None
        fine = [self._scalar(value, (*place, index)) for index, value in enumerate(values)]
        if not all(fine):
            return None
        twice = [value for index, value in enumerate(values) if value in values[:index]]
        if twice:
            self.fault(place, f"names a value twice: {', '.join(map(quoted, twice))}")
            return None
        return Choice(name, key, line, tuple(values))

    def _branch(self, name: str, options: Any, place: Place, key: str, line: int) -> Branch | None:
        if not isinstance(options, dict) or not options:
            got = "an empty block" if options == {} else quoted(options)
            self.fault(
                place,
                "must be a block of names, each with its own parameters ({} for none), "
                f"got {got}",
            )
            return None
        read = []
        for option, block in options.items():
            nodes = self.nodes({} if block is None else block, (*place, option), f"{key}.{option}")
            read.append((_option(option), nodes))
        return Branch(name, key, line, tuple(read))

    def _bounds(
        self, body: dict[str, Any], kind: str, place: Place, fits: Callable[[Any], bool], what: str
    ) -> tuple[Any, Any, Any, bool] | None:
        """Give low, high, step and log, or None where they are wrong."""
        here = (*place, kind)
        bounds, step, log = body[kind], body.get("step"), body.get("log", False)
        before = len(self.faults)
        if not isinstance(bounds, list) or len(bounds) != 2:
            self.fault(here, f"must be [low, high], got {quoted(bounds)}")
        elif not all(map(fits, bounds)):
            self.fault(here, f"must hold two {what}s, got {quoted(bounds)}")
        elif bounds[0] > bounds[1]:
            self.fault(here, f"low must not be above high, got {quoted(bounds)}")
        if not isinstance(log, bool):
            self.fault((*place, "log"), f"must be true or false, got {quoted(log)}")
        if "step" in body and (not fits(step) or step is None or step <= 0):
            self.fault((*place, "step"), f"must be a {what} above 0, got {quoted(step)}")
        if len(self.faults) > before:
            return None
        low, high = bounds
        if log and "step" in body:
            self.fault((*place, "step"), "a logarithmic range has no steps; leave out one of them")
        if log and low <= 0:
            self.fault(here, f"a logarithmic range must begin above 0, got {quoted(bounds)}")
        if "step" in body:
            self._divides(low, high, step, here)
        return None if len(self.faults) > before else (low, high, step, log)

    def _divides(self, low: Any, high: Any, step: Any, place: Place) -> None:
        exact_low, exact_high, exact_step = (Decimal(str(x)) for x in (low, high, step))
        steps = (exact_high - exact_low) / exact_step
        if steps == steps.to_integral_value():
            return
        below = exact_low + exact_step * int(steps)
        above = below + exact_step
        self.fault(
            place,
            f"high must be low plus a whole number of steps of {step}, got {high}; "
            f"the nearest are {below} and {above}",
        )

    def _int(
        self, name: str, body: dict[str, Any], place: Place, key: str, line: int
    ) -> Int | None:
        read = self._bounds(body, "int", place, _is_int, "whole number")
        if read is None:
            return None
        low, high, step, log = read
        return Int(name, key, line, low, high, step or 1, log)

    def _float(
        self, name: str, body: dict[str, Any], place: Place, key: str, line: int
    ) -> Float | None:
        read = self._bounds(body, "float", place, _is_number, "number")
        if read is None:
            return None
        low, high, step, log = read
        return Float(name, key, line, float(low), float(high), float(step) if step else None, log)


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return _is_int(value) or (isinstance(value, float) and math.isfinite(value))


def _option(text: str) -> Value:
    """Read the name of a branch: true and false are truth values, digits are whole numbers."""
    if re.fullmatch(r"-?(0|[1-9]\d*)", text):
        return int(text)
    return {"true": True, "false": False}.get(text, text)
