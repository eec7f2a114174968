"""DNA text ↔ integer codes, one-hot, reverse complement, translation.

The code table, int8 everywhere in geno_hpo:

    symbol       A  C  G  T  -   anything not known
    code         0  1  2  3  4   -1
    complement   T  G  C  A  -   not known            (3 - code for A C G T)
    one_hot      1  0  0  0 (0)
                 0  1  0  0 (0)
                 0  0  1  0 (0)
                 0  0  0  1 (0)
                 0  0  0  0 (1)  ← the gap's column, with ``symbols=5`` only
    not known    0  0  0  0 (0)

A study may keep IUPAC codes (``ambiguous: probabilities``); they are codes, too, and in one-hot the
bases that they stand for share the 1:

    symbol       R  Y  S  W  K  M  B  D  H  V
    code         5  6  7  8  9  10 11 12 13 14
    complement   Y  R  S  W  M  K  V  H  D  B
    one_hot of R: A ½, G ½; of B: C ⅓, G ⅓, T ⅓

N stands for any base: it says nothing, and is not known.

Alignments are ``(samples, positions)``. Positions are 0-based inside and 1-based in messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geno_hpo.errors import DataError

__all__ = [
    "AMBIGUOUS",
    "GAP",
    "SYMBOLS",
    "UNKNOWN",
    "Encoded",
    "change_name",
    "decode",
    "encode",
    "encode_alignment",
    "one_hot",
    "probabilities",
    "reverse_complement",
    "translate",
]

SYMBOLS = "ACGT-"
GAP = 4
UNKNOWN = -1
AMBIGUOUS = {
    "R": "AG", "Y": "CT", "S": "CG", "W": "AT", "K": "GT", "M": "AC",
    "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG",
}  # fmt: skip
"""The bases that each IUPAC code stands for, in the order of their codes."""

_ANY = -2
_REFUSED = -3
_ALL = SYMBOLS + "".join(AMBIGUOUS)
# Table 11 (bacterial; its codons mean what the standard code's do), in the order TCAG.
_AMINO_ACIDS = "FFLLSSSSYY**CC*WLLLLPPPPHHQQRRRRIIIMTTTTNNKKSSRRVVVVAAAADDEEGGGG"


def _lookup() -> NDArray[np.int8]:
    table = np.full(256, _REFUSED, dtype=np.int8)
    for code, letter in enumerate(_ALL):
        table[[ord(letter), ord(letter.lower())]] = code
    table[[ord("N"), ord("n")]] = _ANY
    return table


def _codons() -> NDArray[np.uint8]:
    """Amino acid letters by codon index ``16 a + 4 b + c`` over A C G T = 0 1 2 3."""
    order = {letter: place for place, letter in enumerate("TCAG")}
    letters = [
        _AMINO_ACIDS[16 * order[a] + 4 * order[b] + order[c]]
        for a in "ACGT"
        for b in "ACGT"
        for c in "ACGT"
    ]
    return np.frombuffer("".join(letters).encode(), dtype=np.uint8)


_TABLE = _lookup()
_CODONS = _codons()
_LETTERS = np.frombuffer((_ALL + "N").encode(), dtype=np.uint8)  # [-1] is N
_COMPLEMENT = np.array(
    [*(_ALL.index(letter) for letter in "TGCA-YRSWMKVHDB"), UNKNOWN], dtype=np.int8
)  # [-1] is unknown


@dataclass(frozen=True)
class Encoded:
    """Codes of an alignment and what was counted on the way.

    Parameters
    ----------
    codes
        ``(samples, positions)`` int8.
    ambiguous
        How many letters were IUPAC ambiguity codes (N, R, Y …) and became unknown.
    kept
        How many of them have codes of their own.
    """

    codes: NDArray[np.int8]
    ambiguous: int
    kept: int = 0


def encode(text: str, *, ambiguous: bool = False, gaps: bool = True) -> NDArray[np.int8]:
    """Codes of one sequence, ``(positions,)`` int8.

    See `encode_alignment` for the parameters and what is raised.
    """
    encoded = encode_alignment([text], ["sequence"], ambiguous=ambiguous, gaps=gaps)
    return encoded.codes.reshape(-1)


def encode_alignment(
    texts: Sequence[str],
    samples: Sequence[str],
    *,
    ambiguous: bool = False,
    gaps: bool = True,
    keep: bool = False,
) -> Encoded:
    """Codes of equally long sequences.

    Parameters
    ----------
    texts
        DNA text; lower case counts as upper case.
    samples
        Their names, for messages.
    ambiguous
        Whether N and the other IUPAC codes are accepted; they become unknown (−1) and are
        counted.
    gaps
        Whether ``-`` is accepted.
    keep
        Whether accepted IUPAC codes other than N keep codes of their own.

    Raises
    ------
    DataError
        Sequences of two lengths, or a letter outside the alphabet, told with its sample and
        1-based position.
    """
    lengths = {len(text): sample for text, sample in zip(texts, samples, strict=True)}
    if len(lengths) > 1:
        (one, first), (two, second) = list(lengths.items())[:2]
        raise DataError(
            f"an alignment's sequences are equally long: "
            f"{first!r} has {one} letters, {second!r} has {two}"
        )
    length = next(iter(lengths), 0)
    joined = "".join(texts).encode("ascii", "replace")
    codes = _TABLE[np.frombuffer(joined, dtype=np.uint8)].reshape(len(texts), length)
    own = codes > GAP
    uncertain = own | (codes == _ANY)
    wrong = codes == _REFUSED
    if not ambiguous:
        wrong |= uncertain
    if not gaps:
        wrong |= codes == GAP
    if wrong.any():
        row, column = (int(i) for i in np.argwhere(wrong)[0])
        allowed = "A C G T" + (" -" if gaps else "") + (" and IUPAC codes" if ambiguous else "")
        raise DataError(
            f"letter {texts[row][column]!r} in sequence {samples[row]!r} at position "
            f"{column + 1} is outside the alphabet ({allowed}); "
            f"{int(wrong.sum())} such letters in {int(wrong.any(axis=1).sum())} sequences"
        )
    kept = int(own.sum()) if keep else 0
    codes[uncertain & ~own if keep else uncertain] = UNKNOWN
    return Encoded(codes, int(uncertain.sum()) - kept, kept)


def decode(codes: NDArray[np.int8]) -> str:
    """Text of one sequence ``(positions,)``: the inverse of `encode`; unknown becomes N."""
    return _LETTERS[codes].tobytes().decode()


def reverse_complement(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    """Read the other strand 5′ to 3′, along the last axis; its own inverse."""
    return _COMPLEMENT[codes[..., ::-1]]


def one_hot(codes: NDArray[np.int8], symbols: int = 4) -> NDArray[np.float32]:
    """One column a symbol, ``(…, symbols)`` float32; unknown is all zeros, IUPAC codes share 1.

    Parameters
    ----------
    codes
        ``(…,)`` int8.
    symbols
        4: A C G T, a gap is all zeros; 5: the gap has its own column.

    Raises
    ------
    DataError
        `symbols` is neither 4 nor 5.
    """
    return probabilities(symbols)[codes]


def probabilities(symbols: int = 4) -> NDArray[np.float32]:
    """Table of one-hot rows by code, ``(16, symbols)`` float32; the last one is for unknown.

    Raises
    ------
    DataError
        `symbols` is neither 4 nor 5.
    """
    if symbols not in (4, 5):
        raise DataError(f"one-hot has 4 symbols (A C G T) or 5 (with the gap), got {symbols}")
    rows = np.zeros((len(_ALL) + 1, symbols), dtype=np.float32)
    rows[:symbols] = np.eye(symbols, dtype=np.float32)
    for letter, bases in AMBIGUOUS.items():
        rows[_ALL.index(letter), [SYMBOLS.index(base) for base in bases]] = 1 / len(bases)
    return rows


def translate(codes: NDArray[np.int8]) -> str:
    """Amino acids of a reading frame ``(positions,)`` by translation table 11.

    ``*`` is a stop, ``X`` a codon with an unknown base or some gaps, ``-`` a codon of gaps. A
    start codon other than ATG is shown as the amino acid it has inside a gene.

    Raises
    ------
    DataError
        The number of positions is no multiple of three.
    """
    if codes.ndim != 1 or len(codes) % 3:
        raise DataError(f"a reading frame has 3 positions a codon, got shape {codes.shape}")
    codons = codes.reshape(-1, 3).astype(np.int64)
    known = ((codons >= 0) & (codons < GAP)).all(axis=1)
    index = np.where(known, codons @ np.array([16, 4, 1]), 0)
    letters = np.where(known, _CODONS[index], ord("X")).astype(np.uint8)
    letters[(codons == GAP).all(axis=1)] = ord("-")
    return letters.tobytes().decode()


def change_name(reference: NDArray[np.int8], changed: NDArray[np.int8], codon: int) -> str:
    """Name of a codon's change, such as ``S315T``.

    Parameters
    ----------
    reference, changed
        ``(3,)`` int8: the codon in the reference and in the sample.
    codon
        1-based codon number in the gene.
    """
    return f"{translate(reference)}{codon}{translate(changed)}"
