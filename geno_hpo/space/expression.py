"""The small language of constraints: numbers, names, arithmetic, comparisons, and/or/not.

An expression is parsed by Python's own parser, and every part of it is checked against a list of
what is allowed, so that a space file from a stranger can compute a number and nothing else.
Exponents and lengths are bounded: an expression can neither run long nor fill the memory.
"""

from __future__ import annotations

import ast
import math
import operator
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from geno_hpo.space.tree import Value

__all__ = ["FUNCTIONS", "Expression", "ExpressionError", "parse_expression"]

MAX_LENGTH = 300
MAX_EXPONENT = 64
MAX_BASE = 1e9

FUNCTIONS: dict[str, Callable[..., Any]] = {"abs": abs, "max": max, "min": min}
CONSTANTS = {"true": True, "false": False}
ARITHMETIC: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.Pow: ("**", operator.pow),
}
COMPARISONS: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
}
ALLOWED = "numbers, names, + - * / // % **, comparisons, and, or, not, min, max, abs"


class ExpressionError(ValueError):
    """An expression that is not allowed, or that has no value here."""


@dataclass(frozen=True)
class Expression:
    """A parsed rule.

    Parameters
    ----------
    text
        As written.
    names
        Names of parameters and facts that it reads.
    """

    text: str
    names: frozenset[str]
    _tree: ast.expr = field(repr=False, compare=False)

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Whether the rule holds for these values.

        Raises
        ------
        ExpressionError
            It has no answer: a name without a value, a division by zero, a text where a number is
            wanted.
        """
        answer = _evaluate(self._tree, values)
        if not isinstance(answer, bool):
            raise ExpressionError(f"gives {answer!r}, not true or false")
        return answer


def parse_expression(text: str) -> Expression:
    """Parse a rule such as ``kernel <= length``.

    Raises
    ------
    ExpressionError
        Something that the language does not have, or that is no comparison.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"must have at most {MAX_LENGTH} characters, got {len(text)}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
        names = frozenset(_names(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        if isinstance(error, ExpressionError):
            raise
        hint = "; compare with ==" if re.search("(?<![<>=!:])=(?!=)", text) else ""
        raise ExpressionError(f"is no expression{hint}: {text.strip()[:80]!r}") from error
    compares = isinstance(tree, (ast.Compare, ast.BoolOp, ast.Name)) or (
        isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not)
    )
    if not compares:
        raise ExpressionError("must compare something, such as kernel <= length")
    return Expression(text=text.strip(), names=names, _tree=tree)


def _names(node: ast.AST) -> set[str]:
    """Check that `node` is allowed, and give the names it reads."""
    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return set()
        case ast.Name(id=name):
            return set() if name in CONSTANTS or name in ("True", "False") else {name}
        case ast.BoolOp(values=parts):
            return set().union(*map(_names, parts))
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.UAdd(), operand=part):
            return _names(part)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in ARITHMETIC:
            return _names(left) | _names(right)
        case ast.Compare(left=left, ops=ops, comparators=right) if all(
            type(op) in COMPARISONS for op in ops
        ):
            return _names(left).union(*map(_names, right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if (
            name in FUNCTIONS and arguments
        ):
            return set().union(*map(_names, arguments))
        case ast.Call(func=ast.Name(id=name)) if name not in FUNCTIONS:
            raise ExpressionError(f"the function {name!r} is not allowed ({ALLOWED})")
    try:
        said = ast.unparse(node)
    except ValueError:
        said = type(node).__name__
    raise ExpressionError(f"{said[:60]!r} is not allowed ({ALLOWED})")


def _evaluate(node: ast.expr, values: Mapping[str, Value]) -> Value:
    match node:
        case ast.Constant(value=bool() | int() | float() | str() as value):
            return value
        case ast.Name(id=name):
            if name in values:
                return values[name]
            if name in CONSTANTS:
                return CONSTANTS[name]
            raise ExpressionError(f"{name} has no value here")
        case ast.BoolOp(op=op, values=parts):
            wanted = isinstance(op, ast.Or)
            return (
                any(_truth(part, values) for part in parts)
                if wanted
                else all(_truth(part, values) for part in parts)
            )
        case ast.UnaryOp(op=ast.Not(), operand=part):
            return not _truth(part, values)
        case ast.UnaryOp(op=op, operand=part):
            number = _number(part, values)
            return -number if isinstance(op, ast.USub) else number
        case ast.BinOp(left=left, op=op, right=right):
            return _arithmetic(op, _number(left, values), _number(right, values))
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _compare(left, ops, rest, values)
        case ast.Call(func=ast.Name(id=name), args=arguments):
            numbers = [_number(part, values) for part in arguments]
            if name == "abs" and len(numbers) != 1:
                raise ExpressionError(f"abs takes one number, got {len(numbers)}")
            result: int | float = abs(numbers[0]) if name == "abs" else FUNCTIONS[name](numbers)
            return result
    raise ExpressionError(f"{ast.unparse(node)[:60]!r} is not allowed ({ALLOWED})")


def _truth(node: ast.expr, values: Mapping[str, Value]) -> bool:
    value = _evaluate(node, values)
    if not isinstance(value, bool):
        raise ExpressionError(f"{ast.unparse(node)} must be true or false, got {value!r}")
    return value


def _number(node: ast.expr, values: Mapping[str, Value]) -> int | float:
    value = _evaluate(node, values)
    if isinstance(value, (bool, str)):
        raise ExpressionError(f"{ast.unparse(node)} must be a number, got {value!r}")
    return value


def _arithmetic(op: ast.operator, left: float, right: float) -> int | float:
    sign, function = ARITHMETIC[type(op)]
    if sign == "**" and (abs(right) > MAX_EXPONENT or abs(left) > MAX_BASE):
        raise ExpressionError(
            f"in {left} ** {right}, the exponent must lie in [-{MAX_EXPONENT}, {MAX_EXPONENT}] "
            f"and the base in [-{MAX_BASE:g}, {MAX_BASE:g}]"
        )
    try:
        result = function(left, right)
    except ZeroDivisionError as error:
        raise ExpressionError(f"{left} {sign} {right} divides by zero") from error
    except OverflowError as error:
        raise ExpressionError(f"{left} {sign} {right} is too large") from error
    if isinstance(result, complex) or (isinstance(result, float) and not math.isfinite(result)):
        raise ExpressionError(f"{left} {sign} {right} is no finite number")
    number: int | float = result
    return number


def _compare(
    left: ast.expr, ops: list[ast.cmpop], rest: list[ast.expr], values: Mapping[str, Value]
) -> bool:
    here = _evaluate(left, values)
    for op, part in zip(ops, rest, strict=True):
        there = _evaluate(part, values)
        sign, function = COMPARISONS[type(op)]
        orders = sign not in ("==", "!=")
        if orders and (isinstance(here, (bool, str)) or isinstance(there, (bool, str))):
            raise ExpressionError(f"{here!r} {sign} {there!r} compares what has no order")
        if not function(here, there):
            return False
        here = there
    return True
