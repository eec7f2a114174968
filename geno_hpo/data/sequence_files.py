"""Files of sequences in any format, read as letters."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from geno_hpo.config import SequenceData
from geno_hpo.data.fasta import SUFFIXES, read_fasta, read_fasta_loci, read_fasta_regions
from geno_hpo.data.one_hot import is_one_hot_header, read_one_hot
from geno_hpo.data.regions import Base
from geno_hpo.data.sequence_lines import read_labelled, read_lines
from geno_hpo.data.tables import require_file
from geno_hpo.data.texts import Texts, refuse_archive
from geno_hpo.errors import DataError

__all__ = ["Form", "open_texts", "sequence_form"]

Format = Literal["auto", "fasta", "one_hot", "labelled", "lines"]


@dataclass(frozen=True)
class Form:
    """How files of sequences are read.

    Parameters
    ----------
    format
        ``fasta``, ``one_hot``, ``labelled``, ``lines``, or ``auto``: by the file's look.
    match
        ``id``: labels are a table, joined by id; ``order``: line i of the labels is sequence i.
        None: ``order`` for ``lines``, else ``id``.
    pad
        ``none``: all sequences are equally long. ``right``: shorter ones are filled with
        unknown (−1) at their end, locus by locus.
    alphabet
        ``dna``: A C G T; ``gapped``: A C G T and ``-``.
    ambiguous
        What IUPAC codes such as R become. ``unknown``: −1, counted. ``refuse``: an error.
        ``draw``: one of the bases it stands for, drawn by `seed` and the sample's id;
        ``probabilities``: a code of its own, whose bases share the 1 in one-hot. N stays unknown.
    loci
        Loci to take, in this order; empty takes all.
    regions, coordinates
        For FASTA with an index: a list of regions, each of which is one sequence.
    seed
        For ``draw``.
    """

    format: Format = "auto"
    match: Literal["id", "order"] | None = None
    pad: Literal["none", "right"] = "none"
    alphabet: Literal["dna", "gapped"] = "dna"
    ambiguous: Literal["unknown", "refuse", "draw", "probabilities"] = "unknown"
    loci: tuple[str, ...] = ()
    regions: Path | None = None
    coordinates: Base | None = None
    seed: int = 1


def sequence_form(config: SequenceData, root: Path, seed: int) -> Form:
    """Give the form that a study's data block asks for; paths count from `root`."""
    return Form(
        format=config.format,
        match=config.match,
        pad=config.pad,
        alphabet=config.alphabet,
        ambiguous=config.ambiguous,
        loci=config.loci,
        regions=root / config.regions if config.regions is not None else None,
        coordinates=config.coordinates,
        seed=seed,
    )


def open_texts(path: Path, form: Form) -> tuple[str, Texts]:
    """Tell the format, and read sequences as letters, without asking for labels.

    Raises
    ------
    DataError
        A file that cannot be read, or holds no sequences.
    """
    kind = _look(path) if form.format == "auto" else form.format
    if path.is_dir() and kind not in ("fasta", "one_hot"):
        raise DataError(f"sequences {path} is a folder: format {kind} takes a file")
    if form.regions is not None and (kind != "fasta" or path.is_dir()):
        raise DataError(f"`regions` are taken from an indexed FASTA file, {path} is none")
    if kind == "fasta":
        if path.is_dir():
            return kind, read_fasta_loci(path, form.loci)
        if form.regions is not None:
            return kind, read_fasta_regions(path, form.regions, form.coordinates)
        return kind, Texts(path, {"": read_fasta(path)})
    readers = {"one_hot": read_one_hot, "labelled": read_labelled, "lines": read_lines}
    return kind, readers[kind](path)


def _look(path: Path) -> str:
    """Tell the format by the files of a folder, or by a file's first line."""
    if path.is_dir():
        names = [each.name.removesuffix(".gz") for each in path.iterdir()]
        fasta = any(name.endswith(SUFFIXES) for name in names)
        one_hot = any(name.endswith(".csv") for name in names)
        if fasta == one_hot:
            held = "both FASTA and CSV files" if fasta else "neither FASTA nor CSV files"
            raise DataError(f"folder {path} has {held}: say `format: fasta` or `format: one_hot`")
        return "fasta" if fasta else "one_hot"
    require_file(path, "sequences")
    refuse_archive(path)
    if path.name.removesuffix(".gz").endswith(SUFFIXES):
        return "fasta"
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            line = stream.readline(1 << 20).removeprefix(b"\xef\xbb\xbf").decode().strip("\r\n ")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        raise DataError(f"sequences file {path} is no readable text: {error}") from error
    if line.startswith(">"):
        return "fasta"
    if is_one_hot_header(line):
        return "one_hot"
    if line.count("\t") == 1:
        return "labelled"
    if line.isalpha() or (line and set(line.upper()) <= set("ACGTN-")):
        return "lines"
    raise DataError(
        f"sequences file {path} is neither FASTA (begins with '>'), one-hot CSV (header A,C,G,T), "
        f"label<TAB>sequence, nor a sequence a line; its first line is {line[:60]!r}"
    )
