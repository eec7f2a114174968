"""Known motifs: MEME and JASPAR files, or a consensus in letters, as ``(width, 4)`` probabilities.

Columns of a matrix are A, C, G, T.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import InputError

__all__ = ["KnownMotif", "consensus_motif", "read_motifs"]

_AMBIGUITY = {
    **{letter: letter for letter in "ACGT"},
    "R": "AG",
    "Y": "CT",
    "S": "CG",
    "W": "AT",
    "K": "GT",
    "M": "AC",
    "B": "CGT",
    "D": "AGT",
    "H": "ACT",
    "V": "ACG",
    "N": "ACGT",
}
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?")


@dataclass(frozen=True)
class KnownMotif:
    """A motif's name and its ``(width, 4)`` probabilities.

    Raises
    ------
    InputError
        The matrix is not so shaped, or holds what no probability or count can be.
    """

    name: str
    matrix: NDArray[np.float64]

    def __post_init__(self) -> None:
        found = self.matrix
        if found.ndim != 2 or found.shape[1:] != (4,) or len(found) == 0:
            raise InputError(f"motif {self.name!r} must be (width, 4), got {found.shape}")
        if not (np.isfinite(found).all() and (found >= 0).all() and (found.sum(axis=1) > 0).all()):
            raise InputError(
                f"motif {self.name!r} must hold numbers from 0 with a positive sum in each row"
            )
        object.__setattr__(self, "matrix", found / found.sum(axis=1, keepdims=True))


def consensus_motif(name: str, letters: str) -> KnownMotif:
    """A motif from its consensus; IUPAC letters share a position's probability.

    Raises
    ------
    InputError
        A letter that is none of IUPAC's.
    """
    wrong = sorted(set(letters.upper()) - set(_AMBIGUITY))
    if wrong or not letters:
        raise InputError(f"motif {name!r} must be IUPAC letters, got {letters!r}")
    rows = [[float(base in _AMBIGUITY[x]) for base in "ACGT"] for x in letters.upper()]
    return KnownMotif(name, np.array(rows))


def read_motifs(path: Path) -> tuple[KnownMotif, ...]:
    """Read a MEME (minimal) or JASPAR file; which of the two is seen from its text.

    Raises
    ------
    InputError
        The file is missing, or holds no motif or a broken one.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the motifs {path} cannot be read: {error}") from error
    meme = any(line.startswith("MEME version") for line in lines)
    try:
        found = _meme(lines) if meme else _jaspar(lines)
    except ValueError as error:
        raise InputError(f"{path}: {error}") from error
    if not found:
        raise InputError(f"{path} holds no motif: expected a MEME or JASPAR file")
    return tuple(found)


def _meme(lines: list[str]) -> list[KnownMotif]:
    found: list[KnownMotif] = []
    name = ""
    rows: list[list[float]] | None = None
    for line in [*lines, "MOTIF"]:
        words = line.split()
        numbers = len(words) == 4 and all(_NUMBER.fullmatch(word) for word in words)
        if rows is not None and numbers:
            rows.append([float(word) for word in words])
            continue
        if rows:
            found.append(KnownMotif(name, np.array(rows)))
            rows = None
        if words[:1] == ["MOTIF"]:
            name, rows = " ".join(words[1:3]), None
        elif words[:1] == ["letter-probability"]:
            rows = []
    return found


def _jaspar(lines: list[str]) -> list[KnownMotif]:
    found: list[KnownMotif] = []
    name, rows = "", dict[str, list[float]]()
    for number, line in enumerate([*lines, ">"], start=1):
        text = line.strip()
        if text.startswith(">"):
            if rows:
                found.append(KnownMotif(name, _columns(name, rows)))
            name, rows = " ".join(text[1:].split()), {}
        elif text:
            letter = text[0].upper()
            if letter not in "ACGT" or letter in rows:
                raise ValueError(f"line {number}: expected a row A, C, G or T, got {text[:30]!r}")
            rows[letter] = [float(word) for word in _NUMBER.findall(text[1:])]
    return found


def _columns(name: str, rows: dict[str, list[float]]) -> NDArray[Any]:
    if set(rows) != set("ACGT") or len({len(row) for row in rows.values()}) != 1:
        raise ValueError(f"motif {name!r} must have rows A, C, G and T of one length")
    return np.array([rows[letter] for letter in "ACGT"]).T
