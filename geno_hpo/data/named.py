"""Catalogue entries as data sets: which reader each has, and what a study may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from geno_hpo.data.catalogue import Entry, entries, fetch
from geno_hpo.data.dataset import Dataset, Origin, Target, Task, Truth
from geno_hpo.data.plain_text import read_primer, read_wheat599
from geno_hpo.data.populations import read_kg1_aisnp, read_kg1_phase1
from geno_hpo.data.published_parts import read_chromatin_sim4, read_tfbs_chipseq
from geno_hpo.data.simulate import simulate_katg
from geno_hpo.data.simulate_drugs import simulate_drugs
from geno_hpo.data.simulate_sequences import simulate_chromatin, simulate_motif
from geno_hpo.data.simulate_snps import simulate_ancestry, simulate_trait
from geno_hpo.data.tb_regions import drug_regions
from geno_hpo.data.tb_wdnn import read_tb_wdnn
from geno_hpo.errors import InputError

__all__ = ["Question", "open_entry"]


@dataclass(frozen=True)
class Question:
    """What a study asks of a catalogue entry."""

    target: tuple[str, ...]
    task: Task
    positive: str | None
    loci: tuple[str, ...]
    options: Mapping[str, object]
    seed: int


def open_entry(found: Entry, question: Question) -> Dataset:
    """Read a data set of the catalogue.

    Parameters
    ----------
    found
        The entry.
    question
        What is asked of it.

    Raises
    ------
    InputError
        It has no reader, or not what is asked for.
    DataError
        A file does not say what it should.
    DownloadError
        A file could not be had.
    """
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


def _whole(found: Entry, question: Question, key: str, default: int, least: int) -> int:
    value = question.options.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(
            f"option {key!r} of data set {found.name!r} is a whole number of at least {least}, "
            f"got {value!r}"
        )
    return value


def _number(found: Entry, question: Question, key: str, default: float) -> float:
    value = question.options.get(key, default)
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise InputError(f"option {key!r} of data set {found.name!r} is a number, got {value!r}")
    return float(value)


def _one_binary(found: Entry, question: Question, name: str, classes: Sequence[str]) -> None:
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


def _simulated(found: Entry, question: Question) -> Dataset:
    dataset = simulate_katg(
        seed=_whole(found, question, "seed", question.seed, 0),
        isolates=_whole(found, question, "isolates", 1800, 100),
    )
    _one_binary(found, question, "inh", dataset.target.classes)
    return dataset


def _motif(found: Entry, question: Question) -> Dataset:
    dataset = simulate_motif(
        seed=_whole(found, question, "seed", question.seed, 0),
        sequences=_whole(found, question, "sequences", 2000, 100),
        length=_whole(found, question, "length", 50, 12),
        changed=_number(found, question, "changed", 0.25),
    )
    _one_binary(found, question, "motif", dataset.target.classes)
    return dataset


def _chromatin(found: Entry, question: Question) -> Dataset:
    dataset = simulate_chromatin(
        seed=_whole(found, question, "seed", question.seed, 0),
        sequences=_whole(found, question, "sequences", 3000, 200),
        length=_whole(found, question, "length", 300, 200),
        changed=_number(found, question, "changed", 0.1),
    )
    return _outputs(found, question, dataset)


def _drugs(found: Entry, question: Question) -> Dataset:
    dataset = simulate_drugs(
        seed=_whole(found, question, "seed", question.seed, 0),
        isolates=_whole(found, question, "isolates", 1500, 300),
    )
    return _outputs(found, question, dataset)


def _trait(found: Entry, question: Question) -> Dataset:
    dataset = simulate_trait(
        seed=_whole(found, question, "seed", question.seed, 0),
        samples=_whole(found, question, "samples", 1000, 50),
        variants=_whole(found, question, "variants", 2000, 40),
        causal=_whole(found, question, "causal", 50, 2),
        heritability=_number(found, question, "heritability", 0.5),
        dominance=_number(found, question, "dominance", 0.0),
        epistasis=_number(found, question, "epistasis", 0.0),
        linkage=_number(found, question, "linkage", 0.9),
    )
    return _all_targets(found, question, dataset)


def _ancestry(found: Entry, question: Question) -> Dataset:
    dataset = simulate_ancestry(
        seed=_whole(found, question, "seed", question.seed, 0),
        samples=_whole(found, question, "samples", 1000, 40),
        variants=_whole(found, question, "variants", 300, 1),
        populations=_whole(found, question, "populations", 4, 2),
        drift=_number(found, question, "drift", 0.02),
    )
    return _all_targets(found, question, dataset)


def _all_targets(found: Entry, question: Question, dataset: Dataset) -> Dataset:
    """Refuse another target or task than the one there is."""
    target = dataset.target
    if question.target != target.names or question.task != target.task:
        raise InputError(
            f"data set {found.name!r} has one target, {', '.join(target.names)} ({target.task}), "
            f"got {', '.join(question.target)} ({question.task})"
        )
    return dataset


def _outputs(found: Entry, question: Question, dataset: Dataset) -> Dataset:
    """Take the outputs asked for: several as multilabel, one as multilabel or binary.

    The oracle's score is the mean over the outputs asked for.
    """
    names = dataset.target.names
    for name in question.target:
        if name not in names:
            raise InputError(
                f"data set {found.name!r} has no target {name!r}; it has: {', '.join(names)}"
            )
    if question.task not in ("binary", "multilabel") or (
        question.task == "binary" and len(question.target) != 1
    ):
        raise InputError(
            f"data set {found.name!r} is a multilabel task, or a binary one of one target, got "
            f"{question.task} with {len(question.target)} targets"
        )
    if question.positive not in (None, "1"):
        raise InputError(f"the positive class of {found.name!r} is '1', got {question.positive!r}")
    columns = [names.index(name) for name in question.target]
    return replace(
        dataset,
        target=Target(
            task=question.task,
            values=dataset.target.values[:, columns],
            names=question.target,
            classes=("0", "1") if question.task == "binary" else (),
        ),
        truth=_part_of(dataset.truth, question.target),
    )


def _part_of(truth: Truth | None, names: Sequence[str]) -> Truth | None:
    """What is known of these outputs."""
    if truth is None:
        return None
    outputs = {name: truth.outputs[name] for name in names}
    mean = {"auc": sum(each["auc"] for each in outputs.values()) / len(outputs)}
    return Truth(truth.positions, mean, outputs)


def _tb_wdnn(found: Entry, question: Question) -> Dataset:
    loci = question.loci or drug_regions(question.target)
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


def _wheat599(found: Entry, question: Question) -> Dataset:
    folder = fetch(found.name)
    dataset = read_wheat599(folder, target=question.target, task=question.task)
    return _stamped(found, dataset)


def _primer(found: Entry, question: Question) -> Dataset:
    dataset = read_primer(fetch(found.name))
    _one_binary(found, question, "motif", dataset.target.classes)
    return _stamped(found, dataset)


def _kg1_phase1(found: Entry, question: Question) -> Dataset:
    folder = fetch(found.name)
    return _stamped(found, read_kg1_phase1(folder, target=question.target, task=question.task))


def _kg1_aisnp(found: Entry, question: Question) -> Dataset:
    panel = question.options.get("panel", "kidd")
    dataset = read_kg1_aisnp(
        fetch(found.name), panel=str(panel), target=question.target, task=question.task
    )
    return _stamped(found, dataset)


def _chromatin_sim4(found: Entry, question: Question) -> Dataset:
    if question.target != ("class",) or question.task != "multiclass":
        raise InputError(
            f"data set {found.name!r} has one target, class (multiclass), got "
            f"{', '.join(question.target)} ({question.task})"
        )
    return _stamped(found, read_chromatin_sim4(fetch(found.name)))


def _tfbs_chipseq(found: Entry, question: Question) -> Dataset:
    dataset = read_tfbs_chipseq(fetch(found.name))
    _one_binary(found, question, "bound", dataset.target.classes)
    return _stamped(found, dataset)


def _stamped(found: Entry, dataset: Dataset) -> Dataset:
    origin = _origin(found)
    return replace(dataset, origin=replace(origin, notes=(*origin.notes, *dataset.origin.notes)))


_READERS: dict[str, Callable[[Entry, Question], Dataset]] = {
    "simulated": _simulated,
    "drugs_simulated": _drugs,
    "motif_simulated": _motif,
    "chromatin_simulated": _chromatin,
    "trait_simulated": _trait,
    "ancestry_simulated": _ancestry,
    "tb_wdnn": _tb_wdnn,
    "wheat599": _wheat599,
    "primer": _primer,
    "kg1_phase1": _kg1_phase1,
    "kg1_aisnp": _kg1_aisnp,
    "chromatin_sim4": _chromatin_sim4,
    "tfbs_chipseq": _tfbs_chipseq,
}
