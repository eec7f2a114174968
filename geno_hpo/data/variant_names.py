"""Parse the variant names of the tb_wdnn table: ``SNP_CN_2155168_C944G_S315T_katG``.

A name is ``KIND_CLASS_POSITION_CHANGE_…`` with KIND SNP, INS or DEL. Positions are 1-based on
H37Rv and letters are on its forward strand, whatever the gene's strand. The forms of CHANGE,
each checked against all 6,483 columns and the genome:

    SNP  C944G  GC.93  GC  GC945-944AG  AGGA   reference letters, then as many new ones
    DEL  d371C  TATT.46                        deleted letters, the first at POSITION
    INS  i4C  i.82-73TGG  AAG.10               inserted letters, before POSITION

A single deleted letter may be written twice (``TT.44`` where the genome has one T).
Columns that sum up variants (``katG_C_snp``) are no variants. The same for a left-aligned VCF
record whose anchor base is taken off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from geno_hpo.errors import DataError

__all__ = ["Variant", "parse_variant"]

_NAME = re.compile(r"(SNP|INS|DEL)_([A-Z]{1,2})_(\d+)_([^_]+)(?:_|$)")
_PLACED = re.compile(r"[di]?[.]?(?:-?\d+(?:-{1,2}\d+)?)?([ACGT]+)")
_SNP = re.compile(r"([ACGT]+?)-?\d+(?:-{1,2}\d+)?([ACGT]+)")
_LETTERS = re.compile(r"([ACGT]+)(?:\.-?\d+)?")


@dataclass(frozen=True)
class Variant:
    """One change of the genome.

    Parameters
    ----------
    name
        Its name in the table.
    kind
        ``snp`` (one or several bases replaced), ``del`` or ``ins``.
    position
        0-based genome position of the first changed base; an insertion stands before it.
    reference
        Forward-strand letters that are replaced or deleted; empty for an insertion.
    allele
        Forward-strand letters in their place; empty for a deletion.
    """

    name: str
    kind: Literal["snp", "ins", "del"]
    position: int
    reference: str
    allele: str

    @property
    def stop(self) -> int:
        """Genome position after the last changed base."""
        return self.position + len(self.reference)


def parse_variant(name: str) -> Variant | None:
    """Read a column name; None for one that names no variant.

    Raises
    ------
    DataError
        The name begins as a variant's does and goes on as none.
    """
    if not (parts := _NAME.match(name)):
        if name.startswith(("SNP_", "INS_", "DEL_")):
            raise DataError(
                f"a variant's name is KIND_CLASS_POSITION_CHANGE_…, got {name!r}: "
                "position or change cannot be read"
            )
        return None
    kind, _, position, change = parts.groups()
    start = int(position) - 1
    if kind == "SNP":
        reference, allele = _snp(name, change)
        return Variant(name, "snp", start, reference, allele)
    marked = change[0] in "di"
    found = (_PLACED if marked else _LETTERS).fullmatch(change)
    if not found or (marked and change[0] != kind[0].lower()):
        raise DataError(f"the change {change!r} in variant {name!r} is no form of {kind} known")
    letters = found.group(1)
    if kind == "DEL":
        return Variant(name, "del", start, letters, "")
    return Variant(name, "ins", start, "", letters)


def _snp(name: str, change: str) -> tuple[str, str]:
    if found := _SNP.fullmatch(change):
        reference, allele = found.groups()
    elif found := _LETTERS.fullmatch(change):
        both = found.group(1)
        reference, allele = both[: len(both) // 2], both[len(both) // 2 :]
    else:
        raise DataError(f"the change {change!r} in variant {name!r} is no form of SNP known")
    if len(reference) != len(allele):
        raise DataError(
            f"a SNP replaces as many letters as it brings, got {reference} → {allele} in {name!r}"
        )
    return reference, allele
