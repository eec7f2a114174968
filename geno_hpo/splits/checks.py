"""Refuse splits that cannot be trained on or scored: a class is missing from a part."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Target
from geno_hpo.errors import InputError
from geno_hpo.splits.split import Indices, Split

__all__ = ["check_classes", "check_members"]

ADVICE = {
    "grouped": "take fewer folds, or a finer grouping",
    "leave_one_group_out": "take kind grouped, which joins groups into folds",
    "published": "the given parts cannot be scored",
    "file": "the given parts cannot be scored",
}


def _classes(target: Target) -> list[tuple[str, NDArray[np.bool_]]]:
    """Name and membership, ``(samples,)``, of every class of every output."""
    if target.task == "regression":
        return []
    if target.task == "multilabel":
        return [
            (f"value {value} of {name!r}", target.values[:, column] == value)
            for column, name in enumerate(target.names)
            for value in (0, 1)
        ]
    return [
        (f"class {name!r}", target.values[:, 0] == index)
        for index, name in enumerate(target.classes)
    ]


def check_members(target: Target, rest: Indices, folds: int) -> None:
    """Refuse a class of which not every fold can validate a member.

    Raises
    ------
    InputError
        Naming the class and its count.
    """
    for name, members in _classes(target):
        if (left := int(members[rest].sum())) < folds:
            raise InputError(
                f"{folds} folds need {folds} members of each class, {name} has {left} outside the "
                f"test set (of {int(members.sum())}): take fewer folds, or leave the class out"
            )


def check_classes(split: Split, target: Target, kind: str) -> None:
    """Refuse parts that cannot be trained on or scored because a class is missing.

    Raises
    ------
    InputError
        Naming the part and the class.
    """
    if target.task == "multilabel":
        return  # an output without both classes in a part has no score there; the others do
    folds = list(enumerate(split.folds, start=1))
    named = [(f"the training part of fold {i}", fold.train) for i, fold in folds]
    if target.task == "binary":
        named += [(f"the validation part of fold {i}", fold.valid) for i, fold in folds]
        named += [("the test set", split.test)]
    for part, samples in named:
        for name, members in _classes(target):
            if not members[samples].any():
                raise InputError(
                    f"{part} ({len(samples)} samples) holds no sample of {name}: "
                    + ADVICE.get(kind, "take fewer folds, or a stratified split")
                )
