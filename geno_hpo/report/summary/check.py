"""Holds a summary against its documented keys, and writes their tables."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from geno_hpo.report.summary.keys import KEYS
from geno_hpo.report.summary.nested import NESTED_KEYS

__all__ = ["check_summary", "documentation", "plain"]

_TYPES: dict[str, Any] = {
    "str": lambda x: isinstance(x, str),
    "int": lambda x: isinstance(x, int) and not isinstance(x, bool),
    "float": lambda x: isinstance(x, int | float) and not isinstance(x, bool) and math.isfinite(x),
    "bool": lambda x: isinstance(x, bool),
    "map": lambda x: isinstance(x, dict),
    "object": lambda x: isinstance(x, dict),
    "list": lambda x: isinstance(x, list),
    "floats": lambda x: isinstance(x, list) and all(_TYPES["float"](y) for y in x),
    "strs": lambda x: isinstance(x, list) and all(_TYPES["str"](y) for y in x),
    "any": lambda _: True,
}


def plain(value: Any) -> Any:
    """Make a value fit for JSON: numpy becomes Python, and numbers that are not finite null."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, np.generic):
        return plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def check_summary(summary: dict[str, Any]) -> None:
    """See that a summary has the documented keys and types, and no others.

    Raises
    ------
    ValueError
        It has not; every fault is told.
    """
    faults: list[str] = []
    keys = NESTED_KEYS if "outer_folds" in summary else KEYS
    _check(plain(summary), "", faults, keys)
    if faults:
        raise ValueError("summary breaks its documentation: " + "; ".join(faults))


def documentation(keys: dict[str, tuple[str, str]] = KEYS) -> str:
    """Return a table of docs/summary.md."""
    rows = [f"| `{key}` | {kind} | {meaning} |" for key, (kind, meaning) in keys.items()]
    return "\n".join(["| key | type | meaning |", "|---|---|---|", *rows])


def _check(
    value: dict[str, Any], path: str, faults: list[str], keys: dict[str, tuple[str, str]]
) -> None:
    children = {
        key[len(path) :]: kind
        for key, (kind, _) in keys.items()
        if key.startswith(path) and "." not in key[len(path) :]
    }
    faults += [f"{path}{key} is not documented" for key in value if key not in children]
    for key, kind in children.items():
        name, _, null = kind.partition(" or ")
        optional = name.endswith("?")
        name = name.rstrip("?")
        if key not in value:
            faults += [] if optional else [f"{path}{key} is missing"]
            continue
        entry = value[key]
        if entry is None and (null or name == "any"):
            continue
        if not _TYPES[name](entry):
            faults.append(f"{path}{key} must be {kind}, got {entry!r}")
        elif name == "object":
            _check(entry, f"{path}{key}.", faults, keys)
        elif name == "list":
            for item in entry:
                if isinstance(item, dict):
                    _check(item, f"{path}{key}[].", faults, keys)
                else:
                    faults.append(f"{path}{key}[] must be an object, got {item!r}")
