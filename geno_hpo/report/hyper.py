"""What the hyperparameters' importance says, in a plain paragraph by a fixed rule."""

from __future__ import annotations

from geno_hpo.explanation import Importance
from geno_hpo.report.words import join, percent, plural

__all__ = ["importance_sentence"]

MOST = 0.7  # the named ones explain at least this share …
NAMED = 3  # … unless it takes more of them
HARDLY = 0.03
FEW = 40


def importance_sentence(found: Importance) -> str:
    """Name what mattered and what hardly did; say so where there is too little to tell."""
    if not found.shares:
        return (
            f"{plural(found.trials, 'complete trial')} are too few, or too alike, to tell which "
            "hyperparameters mattered."
        )
    named: list[str] = []
    total = 0.0
    for name, share in found.shares.items():
        if total >= MOST or len(named) == NAMED:
            break
        named.append(name)
        total += share
    head = join([name.replace("_", " ") for name in named])
    verb = "explain" if len(named) > 1 else "explains"
    text = (
        f"{head[0].upper()}{head[1:]} {verb} {percent(total)} of what parted the best trials from "
        "the others"
    )
    hardly = [name.replace("_", " ") for name, x in found.shares.items() if x < HARDLY][:4]
    if hardly:
        text += f"; {join(hardly)} hardly {'mattered' if len(hardly) > 1 else 'matters'}"
    text += "."
    if found.trials < FEW:
        text += (
            f" That is drawn from {plural(found.trials, 'complete trial')} only: a hint, no proof."
        )
    return text
