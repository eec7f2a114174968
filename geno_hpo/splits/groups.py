"""Groups of samples that stay together: their names, numbers and members."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.errors import InputError
from geno_hpo.splits.split import Indices

__all__ = ["Mask", "Names", "group_names", "group_numbers", "members_of"]

Mask = NDArray[np.bool_]
Names = NDArray[np.str_]


def group_names(
    dataset: Dataset, kind: str, group: str | None, found: Names | None
) -> Names | None:
    """Group of each sample, None where none is asked for.

    Raises
    ------
    InputError
        No or an unknown grouping, or samples without a group.
    """
    if found is not None:
        return found
    if group is None and kind in ("stratified", "random", "holdout"):
        return None
    if group is not None and kind in ("stratified", "random"):
        raise InputError(f"group {group!r} is for split kind 'grouped', the kind is {kind!r}")
    known = ", ".join(dataset.groups) or "none"
    if group is None or group not in dataset.groups:
        what = "names no group" if group is None else f"names group {group!r}"
        raise InputError(f"a {kind} split {what}; data set {dataset.name!r} has: {known}")
    names = dataset.groups[group]
    if nameless := int((names == "").sum()):
        raise InputError(f"{nameless} samples have no {group!r}: a {kind} split cannot place them")
    return names


def group_numbers(names: Names, least: int, what: str) -> Indices:
    """Group number of each sample.

    Raises
    ------
    InputError
        Fewer groups than parts.
    """
    unique, codes = np.unique(names, return_inverse=True)
    if len(unique) < least:
        shown = ", ".join(map(str, unique[:10]))
        raise InputError(f"{what} need {least} groups, there are {len(unique)}: {shown}")
    return codes.astype(np.intp)


def members_of(names: Names, chosen: tuple[str, ...], key: str) -> Mask:
    """Samples of the chosen groups.

    Raises
    ------
    InputError
        A group that no sample belongs to.
    """
    known = np.unique(names)
    unknown = [name for name in chosen if name not in known]
    if unknown:
        shown = ", ".join(map(str, known[:10])) + (" …" if len(known) > 10 else "")
        raise InputError(
            f"{key} names {', '.join(unknown)}, which no sample belongs to (groups: {shown})"
        )
    members: Mask = np.isin(names, chosen)
    return members
