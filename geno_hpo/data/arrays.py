"""HDF5 and npz → `Genotypes`: one matrix of dosages and the names of its rows and columns.

By default the arrays are called ``genotypes`` (samples, variants), ``samples``, ``variants`` and,
if it is there, ``chromosomes``; `arrays` of the data block names others, in HDF5 as paths such as
``/calls/dosage``. A matrix (variants, samples) is turned, and told.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import BLOCK, Asked, Block, Genotypes, Index, as_dosages, spans
from geno_hpo.data.tables import require_file
from geno_hpo.errors import DataError

__all__ = ["ROLES", "open_hdf5", "open_npz"]

ROLES = ("genotypes", "samples", "variants", "chromosomes")
"""What an array can be."""

Spans = Callable[[int], Iterator[tuple[int, NDArray[Any]]]]
"""Reads the stored matrix from its first row to its last, so many rows at once."""


def open_hdf5(config: VariantData, _: Asked) -> Genotypes:
    """Open an HDF5 file; the matrix is read in blocks of rows.

    Raises
    ------
    DataError
        No HDF5, a dataset missing, of other length or shape, or with values that are no dosages.
    """
    import h5py

    path = config.variants
    require_file(path, "variants")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise DataError(f"{path} is no readable HDF5 file: {error}") from error
    known: list[str] = []
    file.visititems(lambda name, item: known.append(name) if hasattr(item, "shape") else None)

    def names(role: str) -> NDArray[Any] | None:
        name = _find(path, known, role, config)
        return np.asarray(file[name][()]) if name else None

    matrix = file[_find(path, known, "genotypes", config)]

    def rows(step: int) -> Iterator[tuple[int, NDArray[Any]]]:
        for start, stop in spans(matrix.shape[0], step):
            try:
                yield start, matrix[start:stop]
            except OSError as error:
                raise DataError(f"{path}, {matrix.name}: {error}") from error

    return _open(path, names, matrix.shape, rows)


def open_npz(config: VariantData, _: Asked) -> Genotypes:
    """Open an npz archive; the matrix is read in blocks of rows, nothing is unpickled.

    Raises
    ------
    DataError
        No archive, an array missing, of Python objects, of other length or shape, or with values
        that are no dosages.
    """
    path = config.variants
    require_file(path, "variants")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is no readable npz archive: it is no zip file, or was cut")
    with zipfile.ZipFile(path) as archive:
        known = [name.removesuffix(".npy") for name in archive.namelist()]
    member = _find(path, known, "genotypes", config)
    try:
        header, first = _member(path, member)
    except (zipfile.BadZipFile, ValueError, EOFError) as error:
        raise DataError(f"{path} is no readable npz archive: {error}") from error
    first.close()
    if header.dtype.hasobject:
        raise DataError(f"array {member!r} of {path} holds Python objects: save numbers")

    def names(role: str) -> NDArray[Any] | None:
        name = _find(path, known, role, config)
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return np.asarray(arrays[name]) if name else None
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
            raise DataError(f"array {name!r} of {path} cannot be read: {error}") from error

    stored = header.shape[::-1] if header.fortran else header.shape

    def rows(step: int) -> Iterator[tuple[int, NDArray[Any]]]:
        stream = _member(path, member)[1]
        with stream:
            for start, stop in spans(stored[0], step):
                shape = (stop - start, *stored[1:])
                size = int(np.prod(shape)) * header.dtype.itemsize
                try:
                    content = stream.read(size)
                except (zipfile.BadZipFile, zlib.error, EOFError) as error:
                    raise DataError(f"{path} is damaged: {error}") from error
                yield start, np.frombuffer(content, dtype=header.dtype).reshape(shape)

    return _open(path, names, header.shape, rows, fortran=header.fortran)


class _Header(NamedTuple):
    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]


def _member(path: Path, name: str) -> tuple[_Header, IO[bytes]]:
    """Shape, order and type of an array in an archive, and its stream at the first value."""
    stream = zipfile.ZipFile(path).open(f"{name}.npy")  # noqa: SIM115 - given to the caller
    if np.lib.format.read_magic(stream) == (1, 0):
        return _Header(*np.lib.format.read_array_header_1_0(stream)), stream
    return _Header(*np.lib.format.read_array_header_2_0(stream)), stream


def _find(path: Path, known: list[str], role: str, config: VariantData) -> str:
    """Name of the array that plays a role; empty for chromosomes that are not there."""
    name = config.arrays.get(role, role).strip("/")
    if name in known:
        return name
    if role == "chromosomes" and role not in config.arrays:
        return ""
    raise DataError(
        f"{path} has no array {name!r} for the {role}: name it in `arrays` "
        f"(the file has {', '.join(known) or 'none'})"
    )


def _open(
    path: Path,
    names: Callable[[str], NDArray[Any] | None],
    shape: tuple[int, ...],
    rows: Spans,
    *,
    fortran: bool = False,
) -> Genotypes:
    """Put matrix and names together, turned if only that fits."""
    ids, sites, chromosomes = (_text(names(role), role, path) for role in ROLES[1:])
    if shape == (len(ids), len(sites)):
        turned = False
    elif shape == (len(sites), len(ids)):
        turned = True
    else:
        raise DataError(
            f"{path}: {len(ids)} samples and {len(sites)} variants are named, "
            f"the matrix is {' × '.join(map(str, shape))}"
        )
    return Genotypes(
        path,
        ids,
        sites,
        _Stored(path, rows, shape[fortran ^ True], turned ^ fortran).blocks,
        chromosomes=chromosomes,
        notes=("the matrix is stored as variants × samples and was turned",) if turned else (),
    )


def _text(values: NDArray[Any] | None, role: str, path: Path) -> tuple[str, ...]:
    """Names as text, numbers and bytes among them."""
    if values is None:
        return ()
    if values.ndim != 1:
        raise DataError(f"{path}: {role} are a list of names, got {values.ndim} dimensions")
    if values.dtype.kind not in "OSUiu":
        raise DataError(f"{path}: {role} are names, got an array of {values.dtype}")
    try:
        return tuple(v.decode() if isinstance(v, bytes) else str(v) for v in values.tolist())
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {role} are no text: {error}") from error


class _Stored:
    """A stored matrix as a source of blocks; `turned` when its rows are variants."""

    def __init__(self, path: Path, rows: Spans, width: int, turned: bool) -> None:
        self.path = path
        self.rows = rows
        self.width = width
        self.turned = turned

    def blocks(self, rows: Index, columns: Index) -> Iterator[Block]:
        wanted, across = (columns, rows) if self.turned else (rows, columns)
        for start, values in self.rows(max(1, BLOCK // (8 * self.width))):
            first, last = np.searchsorted(wanted, [start, start + len(values)])
            if first == last:
                continue
            found = as_dosages(values, self.path, start)
            if last - first < len(found):
                found = found[wanted[first:last] - start]
            if len(across) < self.width:
                found = found[:, across]
            yield (0, int(first), found.T) if self.turned else (int(first), 0, found)
