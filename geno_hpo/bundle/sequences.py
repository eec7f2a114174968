"""Sequences in files (FASTA, one-hot CSV, text) → codes ``(samples, width)`` in the bundle's order.

Letters stay letters, a byte a base, until their batch is asked for. Loci are found by name. Rows
without locus names (what `geno-hpo encode` writes for one sample) are cut in the bundle's order
when their number is that of all loci together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.bundle.columns import Columns, find_columns, genome_of
from geno_hpo.bundle.folder import Bundle
from geno_hpo.bundle.samples import Batch, Samples
from geno_hpo.data.sequence_files import Form, open_texts
from geno_hpo.data.texts import Texts, join_loci
from geno_hpo.errors import BundleError, DataError

__all__ = ["open_sequences", "samples_of_texts"]


def open_sequences(bundle: Bundle, path: Path) -> Samples:
    """Read a file or folder of sequences without labels.

    Raises
    ------
    DataError
        Any fault of a file; letters that are no bases.
    BundleError
        Other loci or lengths than the study's.
    """
    _, texts = open_texts(path, Form(alphabet="gapped"))
    return samples_of_texts(bundle, texts)


def samples_of_texts(bundle: Bundle, texts: Texts) -> Samples:
    """Match loci and give batches of codes; see `open_sequences`."""
    texts, notes = _named(bundle, texts)
    joined = join_loci(texts)
    longest = {
        locus.name: max(map(len, joined.loci[locus.name].values()))
        for locus in bundle.manifest.stretches
    }
    columns = [
        find_columns(
            bundle,
            locus,
            longest[locus.name],
            joined.genome.get(locus.name, ()),
            texts.path,
        )
        for locus in bundle.manifest.stretches
    ]
    for one in columns:
        _check_lengths(one, joined.loci[one.locus.name], texts.path)
        lost = one.length - int((one.source >= 0).sum())
        if lost > 0:
            notes.append(f"{lost} positions of {one.locus.name} outside the study's not used")
        if one.inserted.any():
            notes.append(
                f"{int(one.inserted.sum())} columns of {one.locus.name or 'the sequence'} stand "
                "for insertions in the study's samples: read as none here"
            )
    if labels := joined.labels:
        notes.append(f"{len(labels)} labels in {texts.path.name} not looked at")
    keep = bundle.manifest.reading.get("ambiguous") == "probabilities"
    notes += _letters(joined, "ACGT-" + ("".join(encoding.AMBIGUOUS) if keep else ""))
    if bundle.manifest.reading.get("ambiguous") == "draw":
        notes.append("the study drew bases for IUPAC codes; here they are unknown")

    def batches(size: int) -> Iterator[Batch]:
        for start in range(0, len(joined.ids), size):
            ids = joined.ids[start : start + size]
            parts = [
                _codes(one, joined.loci[one.locus.name], ids, texts.path, keep) for one in columns
            ]
            codes = np.concatenate(parts, axis=1)
            if bundle.manifest.symbols <= encoding.GAP:
                codes[codes == encoding.GAP] = encoding.UNKNOWN
            yield Batch(ids, codes)

    return Samples(len(joined.ids), batches, (*joined.notes, *notes))


def _codes(
    one: Columns, texts: Mapping[str, str], ids: tuple[str, ...], path: Path, keep: bool
) -> NDArray[np.int8]:
    letters = [texts[each] for each in ids]
    if one.shorter:
        letters = [text.ljust(one.length, "N") for text in letters]
    try:
        found = encoding.encode_alignment(letters, ids, ambiguous=True, keep=keep)
    except DataError as error:
        raise DataError(f"{error} ({path})") from error
    return one.place(found.codes)


def _letters(texts: Texts, known: str) -> list[str]:
    """Count the letters that become unknown."""
    unknown = sum(
        len(text) - sum(map(text.count, known + known.lower().replace("-", "")))
        for samples in texts.loci.values()
        for text in samples.values()
    )
    if not unknown:
        return []
    return [f"{unknown} letters (N and other IUPAC codes) read as unknown"]


def _check_lengths(one: Columns, texts: Mapping[str, str], path: Path) -> None:
    for sample, text in texts.items():
        if len(text) != one.length and not one.shorter:
            of = f" of locus {one.locus.name!r}" if one.locus.name else ""
            raise BundleError(
                f"sequences{of} must be equally long: {sample!r} has {len(text)} letters, others "
                f"{one.length} ({path})"
            )


def _named(bundle: Bundle, texts: Texts) -> tuple[Texts, list[str]]:
    """Give the input's loci the bundle's names, in its order."""
    wanted = [locus.name for locus in bundle.manifest.stretches]
    given = list(texts.loci)
    if given == [""] and wanted != [""]:
        return _cut(bundle, texts)
    if wanted == [""] and len(given) == 1:
        (name,) = given
        genome = {"": texts.genome[name]} if name in texts.genome else {}
        note = [f"the study named no locus: {name!r} is taken for it"] if name else []
        return replace(texts, loci={"": texts.loci[name]}, genome=genome), note
    missing = [name for name in wanted if name not in texts.loci]
    if missing:
        raise BundleError(
            f"{texts.path} must have the study's loci {', '.join(wanted)}; "
            f"{len(missing)} are missing, the first is {missing[0]!r} "
            f"(it has: {', '.join(name for name in given if name) or 'no names'})"
        )
    others = [name for name in given if name not in wanted]
    note = [f"{len(others)} loci that the study does not know not used: {', '.join(others[:5])}"]
    return texts.choose(wanted), note if others else []


def _cut(bundle: Bundle, texts: Texts) -> tuple[Texts, list[str]]:
    """Cut letters without locus names into the bundle's loci, in order."""
    loci = bundle.manifest.stretches
    widths = [locus.stop - locus.start for locus in loci]
    placed = [int((genome_of(bundle, locus) >= 0).sum()) for locus in loci]
    lengths = {len(text) for text in texts.loci[""].values()}
    for sizes in (widths, placed):
        if lengths == {sum(sizes)} and all(sizes):
            stops = np.cumsum(sizes).tolist()
            cut = {
                locus.name: {
                    sample: text[stop - size : stop] for sample, text in texts.loci[""].items()
                }
                for locus, size, stop in zip(loci, sizes, stops, strict=True)
            }
            genome = texts.genome.get("", ())
            parts = {
                locus.name: genome[stop - size : stop]
                for locus, size, stop in zip(loci, sizes, stops, strict=True)
                if genome
            }
            note = (
                f"{texts.path.name} names no loci: its {sum(sizes)} positions are taken for "
                f"{', '.join(locus.name for locus in loci)} in this order"
            )
            return replace(texts, loci=cut, genome=parts), [note]
    raise BundleError(
        f"{texts.path} names no loci, so it must have the {sum(widths)} positions of "
        f"{', '.join(locus.name for locus in loci)} one after another; got {min(lengths)}"
    )
