"""The single door to data: what a study file names → `Dataset`.

Every reader gives the same frozen `Dataset`, labelled samples only. Catalogue entries are
fetched first; the embedded cohort is simulated on the spot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from geno_hpo.config import CatalogueData, DataConfig, SequenceData
from geno_hpo.data.catalogue import Entry, entries, entry, fetch
from geno_hpo.data.dataset import Dataset, Origin, Task
from geno_hpo.data.genotypes import Asked
from geno_hpo.data.plain_text import read_primer, read_wheat599
from geno_hpo.data.sequence_sets import read_chromatin, read_tfbs
from geno_hpo.data.sequences import read_sequences, sequence_form
from geno_hpo.data.simulate import simulate_katg
from geno_hpo.data.tb_regions import ISONIAZID
from geno_hpo.data.tb_wdnn import read_tb_wdnn
from geno_hpo.data.variant_files import read_variants
from geno_hpo.errors import InputError

__all__ = ["open_dataset"]


@dataclass(frozen=True)
class _Question:
    """What a study asks of a catalogue entry."""

    target: tuple[str, ...]
    task: Task
    positive: str | None
    loci: tuple[str, ...]
    options: Mapping[str, object]
    seed: int


def open_dataset(
    config: DataConfig,
    *,
    target: str | Sequence[str],
    task: Task,
    positive: str | None = None,
    root: Path = Path(),
    seed: int = 1,
    scratch: Path | None = None,
) -> Dataset:
    """Read the data of a study.

    Parameters
    ----------
    config
        The study's ``data``.
    target
        Target column or columns.
    task
        What kind of target it is.
    positive
        Label of the positive class of a binary target.
    root
        Folder that relative paths count from: the one that holds ``studies/``.
    seed
        The study's seed. Only simulated data are drawn from it, unless their options give one.
    scratch
        Folder for matrices that are larger than memory should hold; None for the system's
        temporary one. Its files go with the data set.

    Returns
    -------
    Dataset
        Its samples all have a label; what was left out stands in ``origin.notes``.

    Raises
    ------
    InputError
        The catalogue, a locus, a target or an option is unknown.
    DataError
        A file does not say what it should.
    DownloadError
        A catalogue file could not be had.
    """
    names = (target,) if isinstance(target, str) else tuple(target)
    if isinstance(config, CatalogueData):
        found = entry(config.catalogue)
        question = _Question(names, task, positive, config.loci, config.options, seed)
        return _read_entry(found, question).labelled()
    if isinstance(config, SequenceData):
        return read_sequences(
            root / config.sequences,
            root / config.labels if config.labels is not None else None,
            target=names,
            task=task,
            positive=positive,
            id_column=config.id,
            groups=config.groups,
            form=sequence_form(config, root, seed),
        ).labelled()
    asked = Asked(names, task, config.groups, scratch)
    return read_variants(config, asked, positive=positive, root=root)


def _read_entry(found: Entry, question: _Question) -> Dataset:
    if found.reader not in _READERS:
        readable = ", ".join(each.name for each in entries() if each.reader)
        raise InputError(
            f"data set {found.name!r} can be shown and fetched, but geno_hpo has no reader for it "
            f"yet; a study can use: {readable}"
        )
    if question.loci and "loci" not in found.options:
        raise InputError(f"data set {found.name!r} has no loci to choose from: leave `loci` out")
    options = [key for key in found.options if key != "loci"]
    for key in question.options:
        if key not in options:
            near = get_close_matches(key, options, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(options) or "none"
            raise InputError(
                f"data set {found.name!r} has no option {key!r}{hint} (its options: {known})"
            )
    return _READERS[found.reader](found, question)


def _origin(found: Entry) -> Origin:
    first = found.files[0].upstream.partition(":")[0] if found.files else ""
    return Origin(
        source=f"catalogue {found.name} ({first})",
        simulated=found.simulated,
        licence=found.licence,
        citation=found.citation,
        notes=("Simulated data",) if found.simulated else (),
    )


def _whole(found: Entry, question: _Question, key: str, default: int, least: int) -> int:
    value = question.options.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(
            f"option {key!r} of data set {found.name!r} is a whole number of at least {least}, "
            f"got {value!r}"
        )
    return value


def _one_binary(found: Entry, question: _Question, name: str, classes: Sequence[str]) -> None:
    """Refuse what an entry with one binary target cannot answer."""
    if question.target != (name,) or question.task != "binary":
        raise InputError(
            f"data set {found.name!r} has one target, {name} (binary), got "
            f"{', '.join(question.target)} ({question.task})"
        )
    if question.positive not in (None, classes[1]):
        raise InputError(
            f"the positive class of {found.name!r} is {classes[1]!r}, got {question.positive!r}"
        )


def _simulated(found: Entry, question: _Question) -> Dataset:
    dataset = simulate_katg(
        seed=_whole(found, question, "seed", question.seed, 0),
        isolates=_whole(found, question, "isolates", 1800, 100),
    )
    _one_binary(found, question, "inh", dataset.target.classes)
    return dataset


def _tb_wdnn(found: Entry, question: _Question) -> Dataset:
    loci = question.loci or ISONIAZID
    return read_tb_wdnn(
        fetch(found.name),
        fetch("tb_loci", only=("target_loci.csv", *(f"{name}.fasta" for name in loci))),
        target=question.target,
        task=question.task,
        positive=question.positive,
        loci=question.loci,
        longest_insertion=_whole(found, question, "longest_insertion", 3, 1),
        origin=_origin(found),
    )


def _wheat599(found: Entry, question: _Question) -> Dataset:
    folder = fetch(found.name, only=("wheat.X", "wheat.Y"))
    dataset = read_wheat599(folder, target=question.target, task=question.task)
    return _stamped(found, dataset)


def _primer(found: Entry, question: _Question) -> Dataset:
    dataset = read_primer(fetch(found.name))
    _one_binary(found, question, "motif", dataset.target.classes)
    return _stamped(found, dataset)


def _chromatin(found: Entry, question: _Question) -> Dataset:
    dataset = read_chromatin(fetch(found.name), target=question.target, task=question.task)
    return _stamped(found, dataset)


def _tfbs(found: Entry, question: _Question) -> Dataset:
    dataset = read_tfbs(fetch(found.name))
    _one_binary(found, question, "bound", dataset.target.classes)
    return _stamped(found, dataset)


def _stamped(found: Entry, dataset: Dataset) -> Dataset:
    origin = _origin(found)
    return replace(dataset, origin=replace(origin, notes=(*origin.notes, *dataset.origin.notes)))


_READERS: dict[str, Callable[[Entry, _Question], Dataset]] = {
    "simulated": _simulated,
    "tb_wdnn": _tb_wdnn,
    "wheat599": _wheat599,
    "primer": _primer,
    "chromatin_sim4": _chromatin,
    "tfbs_chipseq": _tfbs,
}
