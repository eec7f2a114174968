"""Matrices that lie in files, and the data sets that hold them."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.data.genotypes import Block, Genotypes, Index, spans
from geno_hpo.data.mapped import empty_codes, save_codes, take_rows
from geno_hpo.data.saved import load_dataset, save_dataset
from geno_hpo.data.variant_matrix import build_matrix
from geno_hpo.errors import DataError

CODES = np.random.default_rng(0).integers(-1, 3, (7, 11)).astype(np.int8)


def blocks(rows: Index, columns: Index) -> Iterator[Block]:
    """Give the toy in uneven blocks, each a part of samples and of variants."""
    for row, below in spans(len(rows), 3):
        for column, right in spans(len(columns), 4):
            yield row, column, CODES[np.ix_(rows[row:below], columns[column:right])]


def dataset(codes: np.ndarray) -> Dataset:
    labels = np.arange(7, dtype=np.float32)[:, None] % 2
    target = Target("binary", labels, ("y",), ("0", "1"))
    ids, names = (tuple(f"{what}{i}" for i in range(n)) for what, n in (("s", 7), ("m", 11)))
    return Dataset("toy", "variants", ids, codes, names, target, Origin("toy"))


@pytest.fixture
def mapped(tmp_path: Path) -> np.ndarray:
    genotypes = Genotypes(Path("x"), tuple("abcdefg"), tuple("ABCDEFGHIJK"), blocks)
    return build_matrix(
        genotypes, np.arange(7), np.arange(11), folder=tmp_path / "scratch", limit=10
    ).codes


def test_a_large_matrix_lies_in_a_file_until_nobody_needs_it(
    mapped: np.ndarray, tmp_path: Path
) -> None:
    np.testing.assert_array_equal(mapped, CODES)
    assert isinstance(mapped, np.memmap)
    assert not mapped.flags.writeable
    assert len(list((tmp_path / "scratch").iterdir())) == 1


def test_the_file_goes_with_the_last_array(tmp_path: Path) -> None:
    codes = empty_codes((4, 5), tmp_path, limit=10)
    codes[:] = 1
    view = codes[1:]
    del codes
    gc.collect()
    assert len(list(tmp_path.iterdir())) == 1
    assert view.sum() == 15
    del view
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_mapped_and_plain_data_sets_are_the_same(mapped: np.ndarray, tmp_path: Path) -> None:
    plain, large = dataset(CODES), dataset(mapped)
    assert large.fingerprint == plain.fingerprint
    save_dataset(large, tmp_path / "saved")
    loaded = load_dataset(tmp_path / "saved")
    assert loaded.fingerprint == plain.fingerprint
    np.testing.assert_array_equal(loaded.codes, CODES)
    values = plain.target.values.copy()
    values[[1, 4]] = np.nan
    some = replace(loaded, target=replace(plain.target, values=values)).labelled()
    np.testing.assert_array_equal(some.codes, CODES[[0, 2, 3, 5, 6]])


def test_saving_links_what_is_a_file_and_spares_who_reads_the_old_one(
    mapped: np.ndarray, tmp_path: Path
) -> None:
    path = tmp_path / "codes.npy"
    save_codes(CODES, path)
    reader = np.load(path, mmap_mode="r")
    save_codes(mapped, path)
    np.testing.assert_array_equal(reader, CODES)
    assert path.stat().st_nlink == 2
    again = np.load(path, mmap_mode="r")
    save_codes(again, path)
    np.testing.assert_array_equal(np.load(path), CODES)
    save_codes(again[2:], path)
    np.testing.assert_array_equal(np.load(path), CODES[2:])


def test_rows_of_a_mapped_matrix(mapped: np.ndarray) -> None:
    rows = np.array([5, 0, 5])
    np.testing.assert_array_equal(take_rows(mapped, rows), CODES[rows])


def test_a_matrix_that_no_disk_holds(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"1000000000 samples × 1000000 variants need 1,000,000,0"):
        empty_codes((10**9, 10**6), tmp_path)
    assert not list(tmp_path.iterdir())
