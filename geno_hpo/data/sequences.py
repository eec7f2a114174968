"""Sequences of any format and their labels → `Dataset` of codes ``(samples, positions)``."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.config import SequenceData
from geno_hpo.data.dataset import Dataset, Locus, Origin, Task
from geno_hpo.data.fasta import SUFFIXES, read_fasta, read_fasta_loci, read_fasta_regions
from geno_hpo.data.labels import Labels, build_target, read_labels
from geno_hpo.data.one_hot import is_one_hot_header, read_one_hot
from geno_hpo.data.regions import Base
from geno_hpo.data.sequence_lines import read_label_lines, read_labelled, read_lines
from geno_hpo.data.tables import require_file
from geno_hpo.data.texts import Texts, join_loci, refuse_archive, some
from geno_hpo.errors import DataError

__all__ = ["Form", "read_sequences", "read_texts", "sequence_form"]

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


@dataclass
class _Told:
    """What is counted while letters become codes."""

    ambiguous: int = 0
    drawn: int = 0
    kept: int = 0
    lower: int = 0
    padded: dict[str, tuple[int, int]] = field(default_factory=dict)

    def notes(self) -> list[str]:
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


def read_sequences(
    sequences: Path,
    labels: Path | None,
    *,
    target: Sequence[str],
    task: Task,
    positive: str | None = None,
    id_column: str | None = None,
    groups: Sequence[str] = (),
    form: Form | None = None,
) -> Dataset:
    """Join sequences and labels, in the order of the sequences.

    Parameters
    ----------
    sequences
        File, or folder for one FASTA a locus and for one one-hot CSV a sample.
    labels
        CSV or TSV with a header, or label lines; None where the sequences hold the labels.
    target, groups
        Columns of `labels`.
    task, positive
        See `geno_hpo.data.labels.build_target`.
    id_column
        Column of `labels` with the sequence ids; None for the first.
    form
        How the files are read.

    Raises
    ------
    DataError
        Any fault of either file; lengths that differ without padding; letters outside the
        alphabet; no id in common; labels missing, or given twice.
    """
    form = form or Form()
    kind, texts = _open(sequences, form)
    texts = join_loci(texts.choose(form.loci))
    if texts.labels is not None:
        table = _own_labels(texts, texts.labels, labels, target, groups)
    elif labels is None:
        raise DataError(f"{sequences} holds no labels: name their file in `labels`")
    elif (form.match or ("order" if kind == "lines" else "id")) == "order":
        table = read_label_lines(labels, texts.ids, targets=target, groups=groups)
    else:
        table = read_labels(labels, id_column=id_column, targets=target, groups=groups)
    rows = {sample: row for row, sample in enumerate(table.ids)}
    ids = tuple(sample for sample in texts.ids if sample in rows)
    if not ids:
        raise DataError(
            f"no id of {sequences} is in {labels}: sequences are called "
            f"{some(texts.ids)}, labels {some(table.ids)}"
        )
    notes = list(texts.notes)
    if left := len(texts.ids) - len(ids):
        notes.append(f"{left} of {len(texts.ids)} sequences without a row of labels left out")
    if left := len(table.ids) - len(ids):
        notes.append(f"{left} of {len(table.ids)} rows of labels without a sequence left out")
    kept = table.take([rows[sample] for sample in ids])
    told = _Told()
    parts = [_encode(name, each, ids, sequences, form, told) for name, each in texts.loci.items()]
    codes = np.concatenate(parts, axis=1)
    values, counted = build_target(kept, task=task, positive=positive)
    return Dataset(
        name=sequences.name.removesuffix(".gz").rsplit(".", 1)[0],
        kind="sequence",
        ids=ids,
        codes=codes,
        axis=_axis(texts, parts),
        target=values,
        groups=kept.group_arrays(),
        loci=_loci(texts, parts),
        origin=Origin(
            source=" and ".join(each.name for each in (sequences, labels) if each is not None),
            notes=(*notes, *told.notes(), *counted),
        ),
    )


def read_texts(path: Path, form: Form) -> Texts:
    """Sequences as letters, without asking for labels.

    Raises
    ------
    DataError
        A file that cannot be read, or holds no sequences.
    """
    return _open(path, form)[1]


def _open(path: Path, form: Form) -> tuple[str, Texts]:
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


def _own_labels(
    texts: Texts,
    own: Mapping[str, str],
    labels: Path | None,
    target: Sequence[str],
    groups: Sequence[str],
) -> Labels:
    if labels is not None:
        raise DataError(f"{texts.path} holds the labels itself: leave out `labels` ({labels})")
    if len(target) != 1 or groups:
        raise DataError(
            f"{texts.path} holds one label a sequence and no groups: it has one target, got "
            f"{', '.join((*target, *groups))}"
        )
    return Labels(
        path=texts.path,
        ids=tuple(own),
        lines=tuple(range(1, len(own) + 1)),
        targets={target[0]: list(own.values())},
        groups={},
    )


def _encode(
    locus: str,
    samples: Mapping[str, str],
    ids: tuple[str, ...],
    path: Path,
    form: Form,
    told: _Told,
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


def _draw(text: str, name: str, seed: int, told: _Told) -> str:
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


def _axis(texts: Texts, parts: Sequence[NDArray[np.int8]]) -> tuple[str, ...]:
    return tuple(
        f"{name}:{position}" if name else str(position)
        for name, part in zip(texts.loci, parts, strict=True)
        for position in range(1, part.shape[1] + 1)
    )


def _loci(texts: Texts, parts: Sequence[NDArray[np.int8]]) -> tuple[Locus, ...]:
    stops = list(accumulate(part.shape[1] for part in parts))
    return tuple(
        Locus(
            name,
            start,
            stop,
            texts.genome.get(name, ()) if len(texts.genome.get(name, ())) == stop - start else (),
            texts.strand(name),
        )
        for name, start, stop in zip(texts.loci, [0, *stops[:-1]], stops, strict=True)
        if name
    )
