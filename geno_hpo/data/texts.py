"""What every reader of sequences gives: text by locus and sample, not yet joined with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from geno_hpo.errors import DataError

__all__ = ["Texts", "join_loci", "refuse_archive", "some"]


@dataclass(frozen=True)
class Texts:
    """Sequences as letters.

    Parameters
    ----------
    path
        File or folder they come from, for messages.
    loci
        Letters by locus and sample id; one locus with an empty name where there are none.
    genome
        0-based genome position of each letter, by locus, where the file says it.
    labels
        Label of each sample, where the file holds them.
    notes
        What was counted or left out.

    Raises
    ------
    DataError
        No sequence at all.
    """

    path: Path
    loci: Mapping[str, Mapping[str, str]]
    genome: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, texts in self.loci.items():
            if not texts:
                raise DataError(f"{self.path} holds no sequence{f' of {name}' if name else ''}")
        if not self.loci:
            raise DataError(f"{self.path} holds no sequence")

    @property
    def ids(self) -> tuple[str, ...]:
        """Samples, in the order of the first locus."""
        return tuple(next(iter(self.loci.values())))

    def strand(self, locus: str) -> Literal["+", "-"]:
        """Strand that a locus's letters show: ``-`` where genome positions fall."""
        places = self.genome.get(locus, ())
        return "-" if len(places) > 1 and places[1] < places[0] else "+"

    def choose(self, wanted: Sequence[str]) -> Texts:
        """Take these loci, in this order; all of them when none is named.

        Raises
        ------
        DataError
            An unknown locus.
        """
        for name in wanted:
            if name not in self.loci:
                known = ", ".join(each for each in self.loci if each) or "none"
                raise DataError(f"locus {name!r} is not in {self.path}; its loci: {known}")
        return replace(self, loci={name: self.loci[name] for name in wanted}) if wanted else self


def join_loci(texts: Texts) -> Texts:
    """Keep the samples that every locus has, in the order of the first locus, and tell it.

    Raises
    ------
    DataError
        No sample has all loci.
    """
    kept = [
        sample for sample in texts.ids if all(sample in samples for samples in texts.loci.values())
    ]
    everyone = dict.fromkeys(sample for samples in texts.loci.values() for sample in samples)
    if not kept:
        firsts = "; ".join(f"{name}: {some(list(each))}" for name, each in texts.loci.items())
        raise DataError(f"no sample of {texts.path} has all loci; samples are called {firsts}")
    notes = texts.notes
    if left := len(everyone) - len(kept):
        lacking = [sample for sample in everyone if sample not in set(kept)]
        notes = (
            *notes,
            f"{left} of {len(everyone)} samples without all {len(texts.loci)} loci left out: "
            + some(lacking),
        )
    loci = {name: {each: samples[each] for each in kept} for name, samples in texts.loci.items()}
    return replace(texts, loci=loci, notes=notes)


def some(names: Sequence[str]) -> str:
    """Name the first three."""
    return ", ".join(repr(name) for name in names[:3]) + (" …" if len(names) > 3 else "")


def refuse_archive(path: Path) -> None:
    """Refuse a zip or tar archive where a file of sequences is wanted.

    Raises
    ------
    DataError
        It is one.
    """
    with path.open("rb") as stream:
        head = stream.read(262 + 3)
    if head.startswith(b"PK\x03\x04") or head[257:262] == b"ustar":
        raise DataError(f"sequences file {path} is an archive: unpack it and name the file in it")
