"""Write consensus sequences: one-hot CSV (one file, or a folder) and FASTA.

One-hot CSV has one row a position and the columns ``A,C,G,T`` (and ``-`` with gaps): a one in the
column of the base, zeros only where it is unknown (and, without the gap's column, deleted).
Before them come ``sample,locus,position`` when asked for; positions count from 1 on the contig.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from geno_hpo import encoding
from geno_hpo.errors import DataError
from geno_hpo.pileup.consensus import Called

__all__ = ["Sample", "write_fasta", "write_fasta_folder", "write_folder", "write_table"]

_ROWS = {
    4: np.array(["1,0,0,0", "0,1,0,0", "0,0,1,0", "0,0,0,1", "0,0,0,0", "0,0,0,0"]),
    5: np.array(["1,0,0,0,0", "0,1,0,0,0", "0,0,1,0,0", "0,0,0,1,0", "0,0,0,0,1", "0,0,0,0,0"]),
}
_HEADS = {4: "A,C,G,T", 5: "A,C,G,T,-"}


@dataclass(frozen=True)
class Sample:
    """The regions of one sample.

    Parameters
    ----------
    name
        Sample id.
    called
        Its regions in order, at least one.
    doubts
        What the user should look at, in words.

    Raises
    ------
    DataError
        A name that a table cannot hold, no region.
    """

    name: str
    called: tuple[Called, ...]
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set(',"/\\\n\r\t >'):
            raise DataError(
                f"a sample has a name without comma, quote, slash, blank or '>', got {self.name!r}"
            )
        if not self.called:
            raise DataError(f"sample {self.name!r} has no region")


@contextmanager
def _writing(path: Path) -> Iterator[IO[str]]:
    """Open text to write; what is half-written never bears the final name."""
    half = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            gzip.open(half, "wt", encoding="utf-8")
            if path.suffix == ".gz"
            else half.open("w", encoding="utf-8")
        ) as stream:
            yield stream
        half.replace(path)
    except OSError as error:
        with suppress(OSError):
            half.unlink()
        raise DataError(f"{path} cannot be written: {error}") from error


def write_table(
    samples: Sequence[Sample], path: Path, *, named: bool = True, gaps: bool = False
) -> None:
    """Write one-hot rows of all samples, one after another.

    Parameters
    ----------
    samples
        Any number; several need `named`.
    path
        CSV file, gzipped when it ends in ``.gz``.
    named
        Whether rows begin with sample, locus and position.
    gaps
        Whether deletions have a column of their own.

    Raises
    ------
    DataError
        Several samples without names, or a file that cannot be written.
    """
    if len(samples) > 1 and not named:
        raise DataError(f"a table of {len(samples)} samples names them in its rows")
    symbols = 5 if gaps else 4
    rows = _ROWS[symbols]
    with _writing(path) as stream:
        stream.write(f"{'sample,locus,position,' if named else ''}{_HEADS[symbols]}\n")
        for sample in samples:
            for called in sample.called:
                hot = rows[called.codes].tolist()
                if named:
                    head = f"{sample.name},{called.region.name}"
                    places = called.region.positions()
                    hot = [f"{head},{at + 1},{row}" for at, row in zip(places, hot, strict=True)]
                stream.write("\n".join(hot))
                stream.write("\n")


def write_folder(
    samples: Sequence[Sample], folder: Path, *, named: bool = False, gaps: bool = False
) -> None:
    """Write one one-hot CSV a sample, ``folder/SAMPLE.csv``.

    Raises
    ------
    DataError
        A file that cannot be written.
    """
    for sample in samples:
        write_table([sample], folder / f"{sample.name}.csv", named=named, gaps=gaps)


def write_fasta(samples: Sequence[Sample], path: Path) -> None:
    """Write one record a sample, its regions joined in order; deletions are ``-``.

    Raises
    ------
    DataError
        A file that cannot be written.
    """
    with _writing(path) as stream:
        for sample in samples:
            _record(stream, sample.name, sample.called)


def write_fasta_folder(samples: Sequence[Sample], folder: Path) -> None:
    """Write one multi-FASTA a region, ``folder/LOCUS.fasta``, with a record a sample.

    Raises
    ------
    DataError
        A file that cannot be written.
    """
    for place, first in enumerate(samples[0].called):
        with _writing(folder / f"{first.region.name}.fasta") as stream:
            for sample in samples:
                _record(stream, sample.name, [sample.called[place]])


def _record(stream: IO[str], name: str, called: Sequence[Called]) -> None:
    text = "".join(encoding.decode(each.codes) for each in called)
    lines = (text[i : i + 60] for i in range(0, len(text), 60))
    stream.write(f">{name}\n" + "\n".join(lines) + "\n")
