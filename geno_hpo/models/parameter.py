"""What a hyperparameter is: its name, its rule, its default, and whether it is a runtime value.

One flat dict of short names describes a configuration. A parameter that is left out takes its
default. *Runtime* parameters change no shape: trials that differ only in them share one compiled
function. A runtime parameter without a default (``dropout``, ``l2`` …) is switched off by leaving
it out, and then costs nothing. *Host* parameters (``batch_size``, ``schedule`` …) are not in the
compiled function at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geno_hpo.errors import InputError

__all__ = ["Parameter", "Parameters", "Value", "share"]

Value = bool | int | float | str
Parameters = Mapping[str, Value]


@dataclass(frozen=True)
class Parameter:
    """One hyperparameter and its rule.

    Parameters
    ----------
    name
        Short name, as in a space file.
    kind
        ``int``, ``float``, ``bool`` or ``choice``.
    default
        Value when left out; None switches the feature off.
    low, high
        Bounds for numbers; `low` and `high` are allowed values unless `open_low`, `open_high`.
    choices
        Allowed values of a choice.
    runtime
        Whether a compiled function takes it as a value.
    host
        Whether it stays outside: whether it is on or off changes no compiled function either.
    doc
        One sentence.
    """

    name: str
    kind: str
    default: Value | None
    doc: str
    low: float = float("-inf")
    high: float = float("inf")
    open_low: bool = False
    open_high: bool = False
    choices: tuple[str, ...] = ()
    runtime: bool = False
    host: bool = False

    @property
    def rule(self) -> str:
        """The rule in words, such as ``dropout must lie in [0, 1)``."""
        if self.kind == "choice":
            return f"{self.name} must be one of {', '.join(self.choices)}"
        if self.kind == "bool":
            return f"{self.name} must be true or false"
        left, right = "(" if self.open_low else "[", ")" if self.open_high else "]"
        if self.high == float("inf"):
            bounds = f"{'above' if self.open_low else 'at least'} {self.low:g}"
            return f"{self.name} must be {'an integer ' if self.kind == 'int' else ''}{bounds}"
        number = "be an integer in" if self.kind == "int" else "lie in"
        return f"{self.name} must {number} {left}{self.low:g}, {self.high:g}{right}"

    def check(self, value: Value) -> Value:
        """Give `value` in its own type.

        Raises
        ------
        InputError
            The value breaks the rule.
        """
        if self.kind == "choice":
            good = isinstance(value, str) and value in self.choices
        elif self.kind == "bool":
            good = isinstance(value, bool)
        elif isinstance(value, (bool, str)):
            good = False
        else:
            good = self.low <= value <= self.high and not (
                (self.open_low and value == self.low) or (self.open_high and value == self.high)
            )
            good = good and (self.kind == "float" or float(value).is_integer())
        if not good:
            raise InputError(f"{self.rule}, got {value!r}")
        if self.kind == "int":
            return int(value)
        return float(value) if self.kind == "float" else value


def share(name: str, doc: str, default: Value | None = None) -> Parameter:
    """Make a runtime float in [0, 1)."""
    return Parameter(name, "float", default, doc, low=0.0, high=1.0, open_high=True, runtime=True)
