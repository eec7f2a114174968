"""A fitted value in one file: a JSON header, then its arrays as they lie in memory.

    magic (8 bytes) | length of the header (8 bytes, little-endian) | header | arrays, aligned to 64

The header holds the value as a tree of plain values, in which an array is a number and one of this
package's frozen dataclasses is its name and its fields. Nothing in such a file is run when it is
read, as a pickle's content would be: the work folder may lie where others can write.
"""

from __future__ import annotations

import dataclasses
import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_value", "write_value"]

MAGIC = b"GENOFIT1"
ALIGNED = 64
PACKAGE = __name__.partition(".")[0]


def write_value(path: Path, value: object) -> None:
    """Write a value in one step; a file that is there is replaced.

    Parameters
    ----------
    path
        The file.
    value
        Arrays, numbers, strings and None, in tuples, lists, dicts and dataclasses of this package.

    Raises
    ------
    TypeError
        Something else is in it.
    OSError
        The disk is full or away.
    """
    arrays: list[NDArray[Any]] = []
    tree = _taken_apart(value, arrays)
    places: list[tuple[str, list[int], str, int]] = []
    end = 0
    for array in arrays:
        begin = -(-end // ALIGNED) * ALIGNED
        end = begin + array.nbytes
        order = "C" if array.flags.c_contiguous else "F"
        places.append((array.dtype.str, list(array.shape), order, begin))
    header = json.dumps({"value": tree, "arrays": places}).encode()
    start = _start(len(header))
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        with draft.open("wb") as stream:
            stream.write(MAGIC + len(header).to_bytes(8, "little") + header)
            for array, (_, _, order, begin) in zip(arrays, places, strict=True):
                stream.write(bytes(start + begin - stream.tell()))
                flat = (array if order == "C" else array.T).reshape(-1)
                stream.write(flat.view(np.uint8).data if flat.size else b"")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def read_value(path: Path) -> Any:
    """Read what `write_value` wrote; arrays are read-only maps of the file.

    Raises
    ------
    ValueError
        The file is of another kind, or names what is no dataclass of this package.
    """
    with path.open("rb") as stream:
        if stream.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"{path} is no fit of this version")
        length = int.from_bytes(stream.read(8), "little")
        told = json.loads(stream.read(length))
    start = _start(length)
    arrays = [
        np.memmap(path, np.dtype(dtype), "r", start + begin, tuple(shape), order)
        if 0 not in shape
        else np.empty(shape, np.dtype(dtype))
        for dtype, shape, order, begin in told["arrays"]
    ]
    return _put_together(told["value"], arrays)


def _start(header: int) -> int:
    """Where the arrays begin."""
    return -(-(len(MAGIC) + 8 + header) // ALIGNED) * ALIGNED


def _taken_apart(value: Any, arrays: list[NDArray[Any]]) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        array = np.asarray(value)
        if array.dtype.hasobject or array.dtype.names:
            raise TypeError(f"an array of {array.dtype} is not plain")
        if not (array.flags.c_contiguous or array.flags.f_contiguous):
            array = np.ascontiguousarray(array)
        arrays.append(array)
        return {"scalar" if isinstance(value, np.generic) else "array": len(arrays) - 1}
    if type(value) in (tuple, list):
        return {type(value).__name__: [_taken_apart(one, arrays) for one in value]}
    if type(value) is dict:
        return {"dict": [[key, _taken_apart(one, arrays)] for key, one in value.items()]}
    if dataclasses.is_dataclass(value) and type(value).__module__.startswith(f"{PACKAGE}."):
        fields = {
            field.name: _taken_apart(getattr(value, field.name), arrays)
            for field in dataclasses.fields(value)
        }
        return {"class": f"{type(value).__module__}:{type(value).__qualname__}", "fields": fields}
    raise TypeError(f"{type(value).__qualname__} is not plain: {value!r}")


def _put_together(tree: Any, arrays: list[NDArray[Any]]) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "class" in tree:
        fields = {name: _put_together(one, arrays) for name, one in tree["fields"].items()}
        return _dataclass(tree["class"])(**fields)
    ((kind, held),) = tree.items()
    if kind == "array":
        return arrays[held]
    if kind == "scalar":
        return arrays[held][()]
    if kind == "dict":
        return {key: _put_together(one, arrays) for key, one in held}
    return {"tuple": tuple, "list": list}[kind](_put_together(one, arrays) for one in held)


def _dataclass(name: str) -> Any:
    """A dataclass of this package by its name."""
    module, _, qualname = name.partition(":")
    ours = module.startswith(f"{PACKAGE}.")
    found = getattr(import_module(module), qualname, None) if ours else None
    if not isinstance(found, type) or not dataclasses.is_dataclass(found):
        raise ValueError(f"{name} is no dataclass of {PACKAGE}")
    return found
