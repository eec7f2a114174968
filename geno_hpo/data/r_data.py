"""RData → `Genotypes`: a matrix saved by R, with traits and published folds beside it.

The objects are found by the end of their names, as BGLR's
``wheat.RData`` calls them, or named in `arrays`: ``genotypes`` (``.X``), ``traits`` (``.Y``),
``folds`` (``.sets``), whose numbers become the group ``published_fold``, and ``samples``, their
ids, which has no usual name. Without it samples are called as the rows of the matrix, else as the
rows of the traits, else by number.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.config import VariantData
from geno_hpo.data.genotypes import Asked, Block, Genotypes, Index, as_dosages
from geno_hpo.data.labels import Labels
from geno_hpo.data.tables import Table, find_columns, require_file
from geno_hpo.errors import DataError

__all__ = ["open_rdata"]

_ENDS = {"genotypes": ".X", "traits": ".Y", "folds": ".sets", "samples": ".samples"}


def open_rdata(config: VariantData, asked: Asked) -> Genotypes:
    """Read the objects of an RData file.

    Raises
    ------
    DataError
        No RData file, an object missing or of other length, values that are no dosages.
    """
    path = config.variants
    objects = _objects(path)
    matrix, rows, names = _matrix(_object(objects, "genotypes", config, path), path)
    codes = as_dosages(matrix, path)
    found = {
        role: _object(objects, role, config, path, needed=False)
        for role in ("traits", "folds", "samples")
    }
    traits = None if found["traits"] is None else _matrix(found["traits"], path)
    if found["samples"] is not None:
        rows = tuple(map(str, np.ravel(np.asarray(found["samples"]))))
        if len(rows) != len(codes):
            raise DataError(f"{path} names {len(rows)} samples, its matrix has {len(codes)} rows")
    elif traits is not None and len(traits[0]) == len(codes):
        rows = rows or traits[1]
    ids = rows or tuple(str(row + 1) for row in range(len(codes)))
    groups = {}
    if found["folds"] is not None:
        folds = np.asarray(found["folds"]).astype(np.str_)
        if folds.shape != (len(codes),):
            raise DataError(f"{path}: folds are one number a sample, got shape {folds.shape}")
        groups["published_fold"] = folds

    def blocks(chosen: Index, columns: Index) -> Iterator[Block]:
        yield 0, 0, codes[np.ix_(chosen, columns)]

    used = {id(value) for value in (*found.values(), _object(objects, "genotypes", config, path))}
    spare = [name for name, value in objects.items() if id(value) not in used]
    return Genotypes(
        path,
        ids,
        names or tuple(str(column + 1) for column in range(codes.shape[1])),
        blocks,
        groups=groups,
        labels=_labels(path, ids, traits, asked) if config.labels is None else None,
        notes=(f"objects of the file that are not used: {', '.join(spare)}",) if spare else (),
    )


def _objects(path: Path) -> Mapping[str, Any]:
    require_file(path, "variants")
    import rdata

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: Mapping[str, Any] = rdata.read_rda(path, default_encoding="utf-8")
    except Exception as error:
        raise DataError(f"{path} is no readable RData file: {error}") from error
    return found


def _object(
    objects: Mapping[str, Any], role: str, config: VariantData, path: Path, *, needed: bool = True
) -> Any:
    """The object that plays a role; None for one that is not there and not needed."""
    if role in config.arrays:
        likely = [name for name in objects if name == config.arrays[role]]
    else:
        likely = [name for name in objects if name.endswith(_ENDS[role])]
    if len(likely) == 1:
        return objects[likely[0]]
    if not likely and not needed and role not in config.arrays:
        return None
    wanted = config.arrays.get(role, f"…{_ENDS[role]}")
    raise DataError(
        f"{path} has {len(likely)} objects {wanted!r} for the {role}: name one in `arrays` "
        f"(the file has {', '.join(objects)})"
    )


def _matrix(value: Any, path: Path) -> tuple[NDArray[Any], tuple[str, ...], tuple[str, ...]]:
    """Values of a matrix or data frame, and the names of its rows and columns if it has any."""
    values = np.asarray(value)
    if values.ndim != 2 or values.dtype.kind not in "biuf":
        raise DataError(f"{path}: a matrix of numbers is wanted, got {values.ndim} dimensions")
    if hasattr(value, "columns"):
        named = value.index.dtype.kind not in "iu"
        return values, tuple(value.index) if named else (), tuple(map(str, value.columns))
    coords = getattr(value, "coords", {})
    names = [
        tuple(map(str, coords[name].values)) if name in coords else ()
        for name in getattr(value, "dims", ("", ""))
    ]
    return values, names[0], names[1]


def _labels(
    path: Path,
    ids: tuple[str, ...],
    traits: tuple[NDArray[Any], tuple[str, ...], tuple[str, ...]] | None,
    asked: Asked,
) -> Labels:
    if traits is None or len(traits[0]) != len(ids):
        raise DataError(f"{path} holds no traits of its {len(ids)} samples: name `labels`")
    values, _, named = traits
    columns = named or tuple(str(column + 1) for column in range(values.shape[1]))
    places = find_columns(Table(path, columns, iter(())), asked.target, "target")
    cells = {
        name: ["" if math.isnan(value) else repr(float(value)) for value in values[:, place]]
        for name, place in zip(asked.target, places, strict=True)
    }
    return Labels(path, ids, tuple(range(1, len(ids) + 1)), cells, {})
