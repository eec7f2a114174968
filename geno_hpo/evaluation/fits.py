"""What was learned from a training part, fitted once a study and kept for every process.

The first process that needs a fit holds its lock, makes it and puts it into the folder in one
step; another that comes meanwhile waits for it and reads it. Nothing is fitted twice. Arrays are
read as memory maps: all processes of a machine share their pages.

A file's name carries a digest of everything that the fit depends on: the data and their split,
the training samples, what the caller names, and the source of the methods themselves. So a file
is right for as long as it exists. The distinct windows of a data set, which learn from no label and
are the same for every fold, are kept here too.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from geno_hpo.evaluation.plain import read_value, write_value

__all__ = ["FEATURES", "IMPUTED", "Fits"]

FEATURES = "features"
"""Name of the baselines' whole matrices, which take room and are made again in seconds."""
IMPUTED = "imputed"
"""Name of the same for all samples, where neighbours tell missing dosages."""

DISK_SHARE = 0.25
"""Share of the free disk that one matrix may take; a larger one stays in its process's memory."""

T = TypeVar("T")


class Fits:
    """A folder of fits.

    Parameters
    ----------
    folder
        Where they are kept; None keeps none, and every request is fitted anew.
    data
        Fingerprint of data and split.
    """

    def __init__(self, folder: Path | None = None, data: str = "") -> None:
        self._folder = folder
        self._data = data

    def get(
        self,
        what: str,
        train: NDArray[np.intp],
        depends: dict[str, Any],
        fit: Callable[[], T],
        *,
        size: int = 0,
    ) -> T:
        """Give a fit, made by `fit` where no process has made it before.

        Parameters
        ----------
        what
            Name of the kind of fit.
        train
            Samples that it learns from.
        depends
            Everything else that it depends on, as JSON values.
        fit
            Makes it: a value that `geno_hpo.evaluation.plain` keeps, in which arrays may lie
            anywhere.
        size
            Bytes that it takes, where that is much.
        """
        (kept,) = self.get_all(what, [train], depends, lambda _: [fit()], size=size)
        return kept

    def get_all(
        self,
        what: str,
        parts: Sequence[NDArray[np.intp]],
        depends: dict[str, Any],
        fit: Callable[[list[NDArray[np.intp]]], list[T]],
        *,
        size: int = 0,
    ) -> list[T]:
        """Give the fits of several training parts; `fit` makes all that are missing at once.

        Parameters
        ----------
        what, depends
            See `get`.
        parts
            Samples that each of them learns from.
        fit
            Makes those of some parts.
        size
            Bytes that one takes, where that is much.
        """
        if self._folder is None:
            return fit(list(parts))
        paths = [self._folder / f"{what}-{self._digest(what, train, depends)}" for train in parts]
        if any(not path.exists() for path in paths):
            self._folder.mkdir(parents=True, exist_ok=True)
            if size > DISK_SHARE * shutil.disk_usage(self._folder).free:
                return fit(list(parts))
            with ExitStack() as locks:
                for path in sorted({path for path in paths if not path.exists()}):
                    locks.enter_context(FileLock(path.with_suffix(".lock")))
                missing = [i for i, path in enumerate(paths) if not path.exists()]
                made = fit([parts[i] for i in missing]) if missing else []
                for i, value in zip(missing, made, strict=True):
                    write_value(paths[i], value)
        return [read_value(path) for path in paths]

    def drop(self, what: str) -> None:
        """Remove every fit of a kind; processes that have it open keep it."""
        if self._folder is not None:
            for path in self._folder.glob(f"{what}-*"):
                path.unlink(missing_ok=True)

    def _digest(self, what: str, train: NDArray[np.intp], depends: dict[str, Any]) -> str:
        digest = hashlib.sha256(np.ascontiguousarray(train, np.int64).tobytes())
        told = [what, self._data, _source(), depends]
        digest.update(json.dumps(told, sort_keys=True).encode())
        return digest.hexdigest()[:16]


@cache
def _source() -> str:
    """Digest of the methods' source: a changed method makes its old fits unfit."""
    digest = hashlib.sha256()
    for package in ("geno_hpo.preprocess", "geno_hpo.windows", "geno_hpo.evaluation.plain"):
        spec = find_spec(package)
        origin = Path(str(spec.origin if spec is not None else None))
        files = sorted(origin.parent.rglob("*.py")) if origin.name == "__init__.py" else [origin]
        for file in files:
            digest.update(file.read_bytes())
    return digest.hexdigest()
