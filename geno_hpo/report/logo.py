"""Sequence logos: letters placed here, drawn by the template in the page's colours.

Letters are paths of the outlines of DejaVu Sans Bold in a box of 100 × 100, so that no font is
needed. Places are in columns (x) and from the top of a part of height 100 (y).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.explanation import Example, Motif
from geno_hpo.report.blocks import Letter, Logo, Logos
from geno_hpo.report.words import number, p_value, plural

__all__ = ["GLYPHS", "example_logos", "logo_rows", "motif_logos"]

Floats = NDArray[np.float64]

GLYPHS = {
    "A": "M69 82 L31 82 L25 100 L0 100 L35 0 L65 0 L100 100 L75 100 L69 82 Z "
    "M37 63 L63 63 L50 23 L37 63 Z",
    "C": "M100 93 Q92 96 83 98 Q74 100 64 100 Q34 100 17 87 Q0 73 0 50 Q0 27 17 13 Q34 0 64 0 "
    "Q74 0 83 2 Q92 4 100 7 L100 27 Q92 22 83 20 Q75 18 66 18 Q50 18 41 27 Q31 35 31 50 "
    "Q31 65 41 73 Q50 82 66 82 Q75 82 83 80 Q92 78 100 73 L100 93 Z",
    "G": "M100 91 Q90 95 79 98 Q68 100 57 100 Q31 100 15 87 Q0 73 0 50 Q0 27 16 13 Q31 0 58 0 "
    "Q69 0 78 2 Q88 4 96 7 L96 27 Q87 23 79 20 Q70 18 61 18 Q45 18 37 26 Q28 35 28 50 Q28 65 36 74 "
    "Q45 82 60 82 Q64 82 68 82 Q72 81 74 80 L74 61 L58 61 L58 45 L100 45 L100 91 Z",
    "T": "M0 0 L100 0 L100 20 L64 20 L64 100 L36 100 L36 20 L0 20 L0 0 Z",
}
BITS = 2.0
# Letters lower than this share of the part's height are not drawn.
SEEN = 0.004


def motif_logos(
    name: str, title: str, caption: str, motifs: Sequence[Motif], known: Sequence[Motif]
) -> Logos | None:
    """Logos of motifs by information (0 to 2 bits); below each the known motif most like it."""
    if not motifs:
        return None
    given = {one.name: one for one in known}
    parts = []
    for motif in motifs:
        parts.append(Logo(motif.name, _detail(motif), _stacked(motif.matrix), len(motif.matrix)))
        match = given.get(motif.known)
        if match is not None and motif.p_value < 0.05:
            matrix = match.matrix[::-1, ::-1] if motif.reversed_strand else match.matrix
            strand = ", other strand" if motif.reversed_strand else ""
            first = min(0, motif.offset)
            last = max(len(motif.matrix), motif.offset + len(matrix))
            parts[-1] = Logo(
                motif.name,
                _detail(motif),
                _stacked(motif.matrix, -first),
                last - first,
                below=_stacked(matrix, motif.offset - first),
                below_label=f"{match.name}{strand}",
            )
    return Logos(name, title, caption, tuple(parts), columns=2 if len(parts) > 1 else 1)


def example_logos(examples: Sequence[Example]) -> Logos | None:
    """Single sequences with each base as high as it contributes; planted copies underlined."""
    if not examples:
        return None
    planted = any(one.planted for one in examples)
    parts = []
    for one in examples:
        first, last = _stretch(one)
        heights = one.heights[first:last]
        top = float(np.abs(heights).max()) or 1.0
        letters = []
        for place, (code, height) in enumerate(zip(one.codes[first:last], heights, strict=True)):
            size = abs(float(height)) / top
            if 0 <= code < 4 and size > SEEN:
                up = 62 * size if height > 0 else 0.0
                letters.append(
                    _letter("ACGT"[code], place, 62 - up, up or min(38 * size, 38.0), height < 0)
                )
        spans = tuple(
            (max(start, first) - first, min(stop, last) - first)
            for start, stop in one.planted
            if stop > first and start < last
        )
        where = f", positions {first + 1} to {last}" if last - first < len(one.codes) else ""
        parts.append(
            Logo(
                one.sample,
                f"{one.label}{where}",
                tuple(letters),
                last - first,
                baseline=62.0,
                spans=spans,
            )
        )
    return Logos(
        "examples",
        "Three sequences, base by base" if len(parts) == 3 else "Sequences, base by base",
        "The height of a letter is what it contributes to the output (integrated gradients, mean "
        "over restarts), each row relative to its largest; letters below the line speak against. "
        "Shown are those with the largest sum."
        + (" Underlined: the copy of a motif that the simulation planted." if planted else ""),
        tuple(parts),
    )


def _detail(motif: Motif) -> str:
    if motif.source == "filter":
        tie = f"goes with the output by r = {number(motif.tie, 2)}, " if motif.tie else ""
        text = f"{tie}{plural(motif.sites, 'site')}"
    else:
        text = plural(motif.sites, "site")
    if motif.known:
        text += f"; most like {motif.known} (similarity {number(motif.similarity, 2)}, "
        text += f"{p_value(motif.p_value)})"
    return text


def _stretch(one: Example, most: int = 60) -> tuple[int, int]:
    """The columns that are drawn: all, or `most` around the highest stretch."""
    if len(one.codes) <= most:
        return 0, len(one.codes)
    sums = np.convolve(np.maximum(one.heights, 0), np.ones(10), mode="same")
    first = int(np.clip(int(sums.argmax()) - most // 2, 0, len(one.codes) - most))
    return first, first + most


def _stacked(matrix: Floats, shift: int = 0) -> tuple[Letter, ...]:
    """Letters of an information logo, the highest on top."""
    safe = np.clip(matrix, 1e-12, None)
    bits = np.maximum(BITS + (matrix * np.log2(safe)).sum(axis=1), 0.0)
    letters = []
    for place, (row, high) in enumerate(zip(matrix, bits, strict=True)):
        bottom = 100.0
        for base in np.argsort(row, kind="stable"):
            size = 100.0 * float(row[base] * high) / BITS
            bottom -= size
            if size > 100 * SEEN:
                letters.append(_letter("ACGT"[base], place + shift, bottom, size, False))
    return tuple(letters)


def _letter(base: str, place: int, top: float, size: float, below: bool) -> Letter:
    return Letter(base, float(place), _round(top), _round(size), below)


def _round(x: float) -> float:
    return math.floor(x * 100 + 0.5) / 100


def logo_rows(block: Logos) -> tuple[tuple[str, ...], list[tuple[Any, ...]]]:
    """The letters as a table: part, column from 1, base, height as a share of the part."""
    rows = [
        (part.title, int(one.x) + 1, one.base, (-1 if one.below else 1) * one.height / 100)
        for part in block.parts
        for one in part.letters
    ]
    return ("part", "column", "base", "height"), rows
