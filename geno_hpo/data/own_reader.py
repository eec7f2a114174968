"""Data that a reader of an installed package opens: what it is asked, and what it must give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geno_hpo.config import ReaderData
from geno_hpo.data.dataset import Dataset, Task
from geno_hpo.errors import DataError, GenoHpoError
from geno_hpo.plugins import Plugin, Registry, takes

__all__ = ["READERS", "Reader", "Reading", "read_by_package"]


@dataclass(frozen=True)
class Reading:
    """What a study asks of a reader.

    Parameters
    ----------
    path
        File or folder to open, as it can be opened from here.
    labels
        Table of labels, if the study names one.
    target
        Columns to predict.
    task, positive
        Kind of target; label of the positive class, if the study names one. For
        `geno_hpo.data.labels.build_target`.
    groups
        Groups that the study needs.
    options
        What the data block says beside.
    seed
        The study's seed.
    """

    path: Path
    labels: Path | None
    target: tuple[str, ...]
    task: Task
    positive: str | None
    groups: tuple[str, ...]
    options: Mapping[str, Any]
    seed: int


Reader = Callable[[Reading], Dataset]


def _of_a_package(plugin: Plugin, found: Any) -> Reader:
    if isinstance(found, type) or not takes(found, "reading"):
        raise plugin.refuse("must be a function that takes (reading) and returns a Dataset")
    reader: Reader = found
    return reader


READERS: Registry[Reader] = Registry("readers", {}, _of_a_package)
"""Readers of installed packages, by name."""


def read_by_package(
    config: ReaderData,
    target: tuple[str, ...],
    task: Task,
    positive: str | None,
    root: Path,
    seed: int,
) -> Dataset:
    """Ask a reader, and see that it gave what was asked.

    Raises
    ------
    PluginError
        The reader cannot be loaded, or is none.
    DataError
        It failed, or gave something else than a data set of these targets and groups.
    """
    reader = READERS[config.reader]
    labels = None if config.labels is None else root / config.labels
    asked = Reading(
        root / config.path, labels, target, task, positive, config.groups, config.options, seed
    )
    try:
        found: object = reader(asked)
    except GenoHpoError:
        raise
    except Exception as error:  # it may fail in any way
        lines = str(error).splitlines() or [""]
        raise DataError(
            f"reader {config.reader!r} failed at {asked.path}: {type(error).__name__}: {lines[0]}"
        ) from error
    if not isinstance(found, Dataset):
        raise DataError(
            f"reader {config.reader!r} must return a geno_hpo.data.dataset.Dataset, got "
            f"{type(found).__name__}"
        )
    given = (found.target.names, found.target.task)
    if given != (target, task):
        raise DataError(
            f"reader {config.reader!r} was asked for {', '.join(target)} ({task}), it gave "
            f"{', '.join(given[0])} ({given[1]})"
        )
    for name in config.groups:
        if name not in found.groups:
            known = ", ".join(found.groups) or "none"
            raise DataError(
                f"reader {config.reader!r} gave no group {name!r} (its groups: {known})"
            )
    return found.labelled()
