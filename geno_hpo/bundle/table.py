"""Predictions as rows of a CSV file; the file appears when it is whole.

Two classes, also of several outputs: a row a sample and output, with ``sample``, ``drug`` (or
``target``), ``probability``, ``spread``, ``call`` (1, 0 or ``cannot tell``). Several classes: a row
a sample, with the likeliest class as ``call`` and a column a class. A trait: ``value`` instead of
``probability``, and no call but ``cannot tell``.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from geno_hpo.bundle.manifest import Manifest
from geno_hpo.bundle.predict import CANNOT_TELL, Predicted
from geno_hpo.errors import BundleError

__all__ = ["heads", "rows", "write_predictions"]

DOUBT = "cannot tell"


def heads(manifest: Manifest) -> tuple[str, ...]:
    """Names of the columns."""
    if manifest.task == "multiclass":
        return ("sample", "call", "probability", "spread", *(f"p.{x}" for x in manifest.classes))
    value = "value" if manifest.task == "regression" else "probability"
    return ("sample", manifest.subject, value, "spread", "call")


def rows(manifest: Manifest, found: Predicted) -> Iterator[tuple[str, ...]]:
    """Rows of some samples."""
    for row, sample in enumerate(found.ids):
        if manifest.task == "multiclass":
            best = int(found.mean[row].argmax())
            doubt = found.calls[row, 0] == CANNOT_TELL
            yield (
                sample,
                DOUBT if doubt else manifest.classes[best],
                _number(found.mean[row, best]),
                _number(found.spread[row, best]),
                *map(_number, found.mean[row]),
            )
            continue
        for column, target in enumerate(manifest.targets):
            call = int(found.calls[row, column])
            told = "" if manifest.task == "regression" else str(call)
            yield (
                sample,
                target,
                _number(found.mean[row, column]),
                _number(found.spread[row, column]),
                DOUBT if call == CANNOT_TELL else told,
            )


def _number(value: float | np.floating) -> str:
    return f"{value:.9g}" if np.isfinite(value) else ""


def write_predictions(manifest: Manifest, found: Iterable[Predicted], path: Path) -> int:
    """Write a CSV file, batch by batch, and return the number of samples.

    Raises
    ------
    BundleError
        The file cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    samples = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with draft.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(heads(manifest))
            for each in found:
                writer.writerows(rows(manifest, each))
                samples += len(each.ids)
        draft.replace(path)
    except OSError as error:
        raise BundleError(f"{path} cannot be written: {error}") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return samples
