"""The split to scale: every part as wide as it has samples, divided by class."""

from __future__ import annotations

from typing import Any

import numpy as np

from geno_hpo.outcome import StudyOutcome
from geno_hpo.report.blocks import Mosaic, MosaicPart
from geno_hpo.report.words import count

__all__ = ["split_mosaic"]

CLASSES = 6
SPACE = 0.7


def split_mosaic(outcome: StudyOutcome) -> Mosaic:
    """Validation folds and test set; classes where the labels are known and few."""
    split = outcome.summary["split"]
    parts = outcome.parts
    folds = split["folds"] // (split.get("repeats") or 1)
    if parts is None:
        share = split["development_samples"] // folds
        sizes = [share] * folds + [split["test_samples"]]
        shares: list[tuple[float, ...]] = [()] * len(sizes)
        classes: tuple[str, ...] = ()
    else:
        numbers = [*([-2] if (parts == -2).any() else []), *range(int(parts.max()) + 1), -1]
        folds = int(parts.max()) + 1
        members = [parts == number for number in numbers]
        sizes = [int(m.sum()) for m in members]
        classes = _class_names(outcome)
        shares = [_shares(outcome, m, len(classes)) for m in members]
    labels = ["train"] * (len(sizes) - folds - 1) + [str(i + 1) for i in range(folds)] + ["test"]
    total = sum(sizes)
    room = 100 - SPACE * (len(sizes) - 1)
    drawn, left = [], 0.0
    for i, (size, share_of) in enumerate(zip(sizes, shares, strict=True)):
        sealed = i == len(sizes) - 1
        width = room * size / max(total, 1)
        drawn.append(
            MosaicPart(labels[i], count(size), round(left, 3), round(width, 3), share_of, sealed)
        )
        left += width + SPACE
    caption = (
        f"{split['kind'].capitalize().replace('_', ' ')} split. {_who_validates(split, folds)}; "
        "the hatched test set was sealed before anything was fitted. Width: samples"
        + ("; height: share of each class." if classes else ".")
    )
    return Mosaic("split", "Who learns, who judges, who is sealed", caption, tuple(drawn), classes)


def _who_validates(split: dict[str, Any], folds: int) -> str:
    if folds == 1:
        return "The numbered part validates, and the others train"
    once = f"Each of the {folds} numbered parts is the validation fold once, the others train"
    repeats = split.get("repeats") or 1
    return once if repeats == 1 else f"{once} (the first of {repeats} repeats is drawn)"


def _class_names(outcome: StudyOutcome) -> tuple[str, ...]:
    fits = outcome.task in ("binary", "multiclass") and outcome.labels is not None
    return outcome.classes if fits and len(outcome.classes) <= CLASSES else ()


def _shares(outcome: StudyOutcome, member: np.ndarray, many: int) -> tuple[float, ...]:
    if outcome.labels is None or not many:
        return ()
    labels = outcome.labels[member, 0]
    labels = labels[~np.isnan(labels)].astype(np.intp)
    counts = np.bincount(labels, minlength=many)
    return tuple(float(round(x, 4)) for x in counts / max(int(counts.sum()), 1))
