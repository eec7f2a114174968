"""Integer matrices in files: larger than memory allows, and shared between processes.

A matrix ``(samples, columns)`` int8 below `IN_MEMORY` bytes is a plain array; a larger one lies in
a ``.npy`` file that is mapped into memory and goes when the last array that shows it does.
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import DataError

__all__ = ["IN_MEMORY", "empty_codes", "release", "row_blocks", "save_codes", "take_rows"]

IN_MEMORY = 64 * 2**20
"""Bytes above which a matrix lies in a file."""

_BLOCK = 16 * 2**20  # bytes that are worked on at once


def empty_codes(
    shape: tuple[int, int], folder: Path | None = None, *, limit: int = IN_MEMORY
) -> NDArray[np.int8]:
    """Make a matrix to be filled, ``shape`` int8.

    Parameters
    ----------
    shape
        Samples and columns.
    folder
        Where its file lies, if it needs one; None for the system's temporary folder.
    limit
        Bytes above which it lies in a file.

    Raises
    ------
    DataError
        The disk has no room for it.
    """
    size = shape[0] * shape[1]
    if size <= limit:
        return np.empty(shape, dtype=np.int8)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix="codes-", suffix=".npy", dir=folder)
    path = Path(name)
    try:
        os.posix_fallocate(number, 0, size + 4096)
        codes = np.lib.format.open_memmap(path, mode="w+", dtype=np.int8, shape=shape)
    except OSError as error:
        path.unlink()
        raise DataError(
            f"{shape[0]} samples × {shape[1]} variants need {size:,} bytes in {path.parent}: "
            f"{error.strerror}"
        ) from error
    finally:
        os.close(number)
    weakref.finalize(codes, path.unlink, missing_ok=True)
    return codes


def release(codes: NDArray[np.int8]) -> None:
    """Give back the memory that shows a file's content; the content stays."""
    source: object = codes.base
    if isinstance(source, mmap.mmap):
        source.madvise(mmap.MADV_DONTNEED)


def row_blocks(codes: NDArray[np.int8]) -> Iterator[NDArray[np.int8]]:
    """Give the rows in order, contiguous and a few megabytes at once."""
    step = max(1, _BLOCK // max(1, codes.shape[1]))
    for start in range(0, codes.shape[0], step):
        yield np.ascontiguousarray(codes[start : start + step])


def take_rows(codes: NDArray[np.int8], rows: NDArray[np.intp]) -> NDArray[np.int8]:
    """Copy these rows; what came from a file goes to a file."""
    if not isinstance(codes, np.memmap):
        return codes[rows]
    taken = empty_codes((len(rows), int(codes.shape[1])))
    step = max(1, _BLOCK // max(1, codes.shape[1]))
    for start in range(0, len(rows), step):
        taken[start : start + step] = codes[rows[start : start + step]]
    return taken


def save_codes(codes: NDArray[np.int8], path: Path) -> None:
    """Write a matrix to `path` whole or not at all: who has the old file open keeps it.

    A matrix that is a whole ``.npy`` file already is linked, not written again, where the disk
    allows it.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    try:
        source = _whole_file(codes)
        if source is None:
            with fresh.open("wb") as stream:
                np.save(stream, codes)
        else:
            try:
                os.link(source, fresh)
            except OSError:
                shutil.copyfile(source, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _whole_file(codes: NDArray[np.int8]) -> Path | None:
    """The ``.npy`` file that `codes` shows from first to last byte, if there is one."""
    source: object = codes.base
    if not isinstance(codes, np.memmap) or not isinstance(source, mmap.mmap):
        return None
    if codes.filename is None or not codes.flags.c_contiguous:
        return None
    path = Path(os.fsdecode(codes.filename))
    try:
        stored = np.load(path, mmap_mode="r")
    except (OSError, ValueError):
        return None
    same = stored.shape == codes.shape and stored.dtype == codes.dtype
    return path if same and stored.offset == codes.offset else None
