"""Letters of one locus → codes ``(samples, positions)``, with what is not A, C, G or T counted."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.sequence_files import Form
from geno_hpo.errors import DataError

__all__ = ["LetterCounts", "encode_locus"]


@dataclass
class LetterCounts:
    """What is counted while letters become codes."""

    ambiguous: int = 0
    drawn: int = 0
    kept: int = 0
    lower: int = 0
    padded: dict[str, tuple[int, int]] = field(default_factory=dict)

    def notes(self) -> list[str]:
        """Say what was counted, a sentence each."""
        lines = [
            f"{many} sequences{f' of {name}' if name else ''} padded on the right to {length} "
            "letters"
            for name, (many, length) in self.padded.items()
        ]
        if self.ambiguous:
            lines.append(
                f"{self.ambiguous} ambiguous letters (N and other IUPAC codes) read as unknown"
            )
        if self.drawn:
            lines.append(f"{self.drawn} IUPAC codes drawn among the bases they stand for")
        if self.kept:
            lines.append(
                f"{self.kept} IUPAC codes kept as probabilities of the bases they stand for"
            )
        if self.lower:
            lines.append(f"{self.lower} lower-case letters (soft-masked) read as upper case")
        return lines


def encode_locus(
    locus: str,
    samples: Mapping[str, str],
    ids: tuple[str, ...],
    path: Path,
    form: Form,
    told: LetterCounts,
) -> NDArray[np.int8]:
    """Codes of one locus, ``(samples, positions)``."""
    texts = [samples[each] for each in ids]
    of = f" of locus {locus!r}" if locus else ""
    lengths = [len(text) for text in texts]
    longest, shortest = max(lengths), min(lengths)
    told.lower += sum(_lower(text) for text in texts)
    if form.ambiguous == "draw":
        texts = [
            _draw(text, f"{locus}/{each}", form.seed, told)
            for text, each in zip(texts, ids, strict=True)
        ]
    filled = 0
    if longest != shortest:
        if form.pad == "none":
            long, short = ids[lengths.index(longest)], ids[lengths.index(shortest)]
            raise DataError(
                f"sequences{of} are equally long unless `pad: right` is given: {short!r} has "
                f"{shortest} letters, {long!r} has {longest} ({path})"
            )
        told.padded[locus] = (sum(length < longest for length in lengths), longest)
        filled = sum(longest - length for length in lengths)
    try:
        encoded = encoding.encode_alignment(
            [text.ljust(longest, "N") for text in texts] if filled else texts,
            ids,
            ambiguous=form.ambiguous != "refuse" or bool(filled),
            gaps=form.alphabet == "gapped",
            keep=form.ambiguous == "probabilities",
        )
    except DataError as error:
        raise DataError(f"{error}{of} ({path}){_hint(texts)}") from error
    if form.ambiguous == "refuse" and encoded.ambiguous > filled:
        raise DataError(
            f"{encoded.ambiguous - filled} IUPAC codes stand in {path}{of}, and `ambiguous: refuse`"
        )
    told.ambiguous += encoded.ambiguous - filled
    told.kept += encoded.kept
    return encoded.codes


def _lower(text: str) -> int:
    return int((np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8) >= ord("a")).sum())


def _draw(text: str, name: str, seed: int, told: LetterCounts) -> str:
    """Replace each IUPAC code by one of its bases; the same for a sample whatever else is read."""
    places = [i for i, letter in enumerate(text) if letter.upper() in encoding.AMBIGUOUS]
    if not places:
        return text
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    letters = list(text)
    for place in places:
        letters[place] = str(rng.choice(list(encoding.AMBIGUOUS[text[place].upper()])))
    told.drawn += len(places)
    return "".join(letters)


def _hint(texts: Sequence[str]) -> str:
    letters = set("".join(texts).upper())
    if letters & set("EFILPQXZ*J"):
        return "; this looks like protein: DNA is wanted"
    if "U" in letters:
        return "; this looks like RNA: write T for U"
    if "-" in letters:
        return "; for an alignment say `alphabet: gapped`"
    return ""
