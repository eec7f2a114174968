"""Fitted values in plain files."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo.evaluation.plain import MAGIC, read_value, write_value
from geno_hpo.preprocess import TargetScale

VALUES: dict[str, Any] = {
    "none": None,
    "numbers": (1, -2.5, True, float("inf"), 0.1 + 0.2, "word"),
    "nested": [{"a": (np.arange(3), [None])}, {2: "two"}],
    "empty": np.zeros((0, 4), np.float32),
    "no axes": np.asarray(2.5),
    "scalar": np.float32(0.1),
    "columns first": np.asfortranarray(np.arange(12, dtype=np.int8).reshape(3, 4)),
    "every other": np.arange(20).reshape(4, 5)[::2, ::3],
    "letters": np.array(["A", "CGT"]),
    "flags": np.array([True, False]),
    "dataclass": TargetScale(np.zeros(2, np.float32), np.ones(2, np.float32)),
}


def same(one: Any, other: Any) -> bool:
    if isinstance(one, TargetScale):
        return same(one.mean, other.mean) and same(one.scale, other.scale)
    if isinstance(one, (list, tuple)):
        pairs = zip(one, other, strict=True)
        return type(one) is type(other) and all(same(a, b) for a, b in pairs)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (np.ndarray, np.generic)):
        return bool(
            np.array_equal(one, other)
            and one.dtype == other.dtype
            and np.shape(one) == np.shape(other)
            and isinstance(one, np.generic) == isinstance(other, np.generic)
        )
    return type(one) is type(other) and one == other


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_a_value_is_read_as_it_was_written(tmp_path: Path, value: Any) -> None:
    write_value(tmp_path / "fit", value)
    assert same(value, read_value(tmp_path / "fit"))
    assert [path.name for path in tmp_path.iterdir()] == ["fit"], "no draft stays"


@pytest.mark.parametrize("value", [object(), {1, 2}, Fraction(1, 2), np.array([None]), print])
def test_what_is_not_plain_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(TypeError, match="is not plain"):
        write_value(tmp_path / "fit", (1, value))
    assert not list(tmp_path.iterdir())


def write_header(path: Path, tree: Any) -> None:
    header = json.dumps({"value": tree, "arrays": []}).encode()
    path.write_bytes(MAGIC + len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("name", ["os:system", "geno_hpo.cli.app:main", "geno_hpo.metrics:absent"])
def test_a_file_calls_nothing_but_dataclasses_of_the_package(tmp_path: Path, name: str) -> None:
    write_header(tmp_path / "fit", {"class": name, "fields": {"command": "true"}})
    with pytest.raises(ValueError, match=f"{name} is no dataclass of geno_hpo"):
        read_value(tmp_path / "fit")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fit").write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(ValueError, match="is no fit of this version"):
        read_value(tmp_path / "fit")
