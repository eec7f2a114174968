from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.training.placement import on_device


@pytest.fixture
def file(tmp_path: Path) -> Path:
    codes = np.random.default_rng(1).integers(-1, 3, (40, 70)).astype(np.int8)
    np.save(tmp_path / "codes.npy", codes)
    return tmp_path / "codes.npy"


def test_mapped_codes_are_read_where_they_lie(file: Path) -> None:
    codes = np.load(file, mmap_mode="c")
    tensor = on_device(codes)
    assert np.array_equal(tensor.numpy(), codes)
    codes[3, 5] = 2 if codes[3, 5] != 2 else 1  # no caller does this: it shows that no copy is made
    assert tensor.numpy()[3, 5] == codes[3, 5]


def test_the_tensor_outlives_its_array(file: Path) -> None:
    codes = np.load(file, mmap_mode="c")
    before = codes.copy()
    tensor = on_device(codes)
    del codes
    assert np.array_equal(tensor.numpy(), before)


@pytest.mark.parametrize("change", ["read-only", "unaligned", "columns", "one row"])
def test_any_other_array_is_copied(file: Path, change: str) -> None:
    codes = {
        "read-only": lambda: np.load(file, mmap_mode="r"),
        "unaligned": lambda: np.load(file)[1:],
        "columns": lambda: np.load(file, mmap_mode="c")[:, ::2],
        "one row": lambda: np.load(file, mmap_mode="c")[:1],
    }[change]()
    assert np.array_equal(on_device(codes).numpy(), codes)
