"""Cells of a genotype table → int8: dosages as they are, two letters as a pair of alleles.

A row is read before all alleles of its variants are known, so a pair such as ``AG`` is kept as a
pair code first (8 + 6 · first + second, letters in the order of `_ALLELES`). The counted allele of
a variant is the alphabetically second of its two: ``AA`` 0, ``AG`` 1, ``GG`` 2 copies of G.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.genotypes import Index, Spool
from geno_hpo.data.tables import MISSING
from geno_hpo.errors import DataError

__all__ = ["CELLS", "Alleles", "find_alleles"]

_ALLELES = "ACDGIT"  # with D and I, as chips call deletions and insertions
_FIRST_PAIR = 8


def _cells() -> dict[str, int]:
    dosages = {"0": 0, "1": 1, "2": 2, "-1": -1}
    known = {f"{text}{tail}": value for text, value in dosages.items() for tail in ("", ".0")}
    missing = {*MISSING, "NA", "NaN", "N/A", "--", "-/-", "-|-", "00", "NN", "N/N"}
    known |= dict.fromkeys(missing, -1)
    for a, first in enumerate(_ALLELES):
        for b, second in enumerate(_ALLELES):
            code = _FIRST_PAIR + len(_ALLELES) * min(a, b) + max(a, b)
            for between in ("", "/", "|", " "):
                known[f"{first}{between}{second}"] = code
    return known


CELLS = _cells()
"""Code of every cell that is understood: −1 to 2, or a pair of letters."""


def _pair_tables() -> tuple[NDArray[np.uint8], NDArray[np.int8]]:
    """Alleles of a pair as bits ``(44,)``, and copies of each letter in it ``(44, 6)``."""
    size = len(_ALLELES)
    bits = np.zeros(_FIRST_PAIR + size * size, dtype=np.uint8)
    copies = np.full((len(bits), size), -1, dtype=np.int8)
    for a in range(size):
        for b in range(a, size):
            code = _FIRST_PAIR + size * a + b
            bits[code] = (1 << a) | (1 << b)
            copies[code] = [(a == letter) + (b == letter) for letter in range(size)]
    return bits, copies


_BITS, _COPIES = _pair_tables()


class Alleles:
    """The counted allele of each variant of a table with letters.

    Parameters
    ----------
    counted
        ``(variants,)``: index of the counted letter, −1 where the table gives dosages.
    single
        Variants with one allele only.
    letters
        Counted and other letter of each variant, ``""`` for one that does not occur.
    """

    def __init__(
        self, counted: NDArray[np.intp], single: int, letters: tuple[tuple[str, str], ...] = ()
    ) -> None:
        self.counted = counted
        self.single = single
        self.letters = letters if (counted >= 0).any() else ()

    @property
    def notes(self) -> tuple[str, ...]:
        """What the rule did; nothing for a table of dosages."""
        lettered = int((self.counted >= 0).sum())
        if not lettered:
            return ()
        told = f"{lettered} variants in letters: counted is the alphabetically second allele"
        if self.single:
            told += f" ({self.single} have one allele only, read as 0 copies)"
        return (told,)

    def dosages(self, codes: NDArray[np.int8], columns: Index) -> NDArray[np.int8]:
        """Copies of the counted allele; `codes` are of these columns."""
        counted = self.counted[columns]
        if (counted < 0).all():
            return codes
        pairs = np.maximum(codes, 0)
        return np.where(codes >= _FIRST_PAIR, _COPIES[pairs, np.maximum(counted, 0)], codes)


def find_alleles(spool: Spool, names: Sequence[str], path: Path) -> Alleles:
    """Look through a table's codes for each variant's alleles.

    Raises
    ------
    DataError
        A variant with more than two alleles, or with letters in one row and numbers in another.
    """
    seen = np.zeros(spool.width, dtype=np.uint8)
    numbers = np.zeros(spool.width, dtype=np.bool_)
    for codes in _all_rows(spool):
        seen |= np.bitwise_or.reduce(_BITS[np.maximum(codes, 0)], axis=0)
        numbers |= ((codes >= 0) & (codes < _FIRST_PAIR)).any(axis=0)
    for column in np.flatnonzero((seen > 0) & numbers)[:1]:
        raise DataError(
            f"column {names[column]!r} of {path} has letters in some rows and numbers in others"
        )
    number = np.array([value.bit_count() for value in range(64)])[seen]
    for column in np.flatnonzero(number > 2)[:1]:
        letters = [each for bit, each in enumerate(_ALLELES) if seen[column] >> bit & 1]
        raise DataError(
            f"a variant has two alleles, got {', '.join(letters)} in column {names[column]!r} "
            f"of {path} ({int((number > 2).sum())} such columns)"
        )
    highest = np.array([value.bit_length() - 1 for value in range(64)])[seen]
    unseen = len(_COPIES[0]) - 1  # a variant with one allele counts a letter it does not have
    single = number == 1
    other = np.where(highest == unseen, 0, unseen)
    counted = np.where(single, other, highest)
    pairs = tuple(_letters(int(bits)) for bits in seen)
    return Alleles(counted.astype(np.intp), int(single.sum()), pairs)


def _letters(bits: int) -> tuple[str, str]:
    """Counted and other letter of a variant's alleles, given as bits."""
    found = [letter for place, letter in enumerate(_ALLELES) if bits >> place & 1]
    if len(found) == 2:
        return found[1], found[0]
    return "", "".join(found)


def _all_rows(spool: Spool) -> Iterator[NDArray[np.int8]]:
    for _, codes in spool.read(np.arange(spool.length)):
        yield codes
