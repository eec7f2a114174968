"""Catalogue entries as data sets: which reader each has, and what a study may ask of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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


def _only(found: Entry, question: Question, names: tuple[str, ...], task: str) -> None:
    """Refuse another target or task than the one there is."""
    if question.target != names or question.task != task:
        raise InputError(
            f"data set {found.name!r} has one target, {', '.join(names)} ({task}), got "
            f"{', '.join(question.target)} ({question.task})"
        )


def _own_target(found: Entry, question: Question, dataset: Dataset) -> Dataset:
    """Give a data set that answers one question, if that is asked."""
    target = dataset.target
    _only(found, question, target.names, target.task)
    if target.task == "binary" and question.positive not in (None, target.classes[1]):
        raise InputError(
            f"the positive class of {found.name!r} is {target.classes[1]!r}, got "
            f"{question.positive!r}"
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
        truth=_part_of(dataset.truth, question.target, columns),
    )


def _part_of(truth: Truth | None, names: Sequence[str], columns: list[int]) -> Truth | None:
    """What is known of these outputs, and the columns that they stand in."""
    if truth is None:
        return None
    outputs = {name: truth.outputs[name] for name in names}
    mean = {"auc": sum(each["auc"] for each in outputs.values()) / len(outputs)}
    scores = None if truth.scores is None else truth.scores[:, columns]
    return replace(truth, oracle=mean, outputs=outputs, scores=scores)


@dataclass(frozen=True)
class _Simulator:
    """How an embedded data set is drawn.

    Parameters
    ----------
    make
        Draws it, from `seed` and the options by name.
    sizes
        Options that are whole numbers: default and least value.
    numbers
        Options that are numbers: the default.
    answers
        Takes what is asked for.
    """

    make: Callable[..., Dataset]
    sizes: Mapping[str, tuple[int, int]]
    numbers: Mapping[str, float] = field(default_factory=dict)
    answers: Callable[[Entry, Question, Dataset], Dataset] = _own_target

    def __call__(self, found: Entry, question: Question) -> Dataset:
        options: dict[str, float] = {"seed": _whole(found, question, "seed", question.seed, 0)}
        for key, (default, least) in self.sizes.items():
            options[key] = _whole(found, question, key, default, least)
        for key, usual in self.numbers.items():
            options[key] = _number(found, question, key, usual)
        return self.answers(found, question, self.make(**options))


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
    return _stamped(found, _own_target(found, question, read_primer(fetch(found.name))))


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
    _only(found, question, ("class",), "multiclass")
    return _stamped(found, read_chromatin_sim4(fetch(found.name)))


def _tfbs_chipseq(found: Entry, question: Question) -> Dataset:
    return _stamped(found, _own_target(found, question, read_tfbs_chipseq(fetch(found.name))))


def _stamped(found: Entry, dataset: Dataset) -> Dataset:
    origin = _origin(found)
    return replace(dataset, origin=replace(origin, notes=(*origin.notes, *dataset.origin.notes)))


_READERS: dict[str, Callable[[Entry, Question], Dataset]] = {
    "simulated": _Simulator(simulate_katg, {"isolates": (1800, 100)}),
    "drugs_simulated": _Simulator(simulate_drugs, {"isolates": (1500, 300)}, answers=_outputs),
    "motif_simulated": _Simulator(
        simulate_motif, {"sequences": (2000, 100), "length": (50, 12)}, {"changed": 0.25}
    ),
    "chromatin_simulated": _Simulator(
        simulate_chromatin,
        {"sequences": (3000, 200), "length": (300, 200)},
        {"changed": 0.1, "wrong": 0.05},
        _outputs,
    ),
    "trait_simulated": _Simulator(
        simulate_trait,
        {"samples": (1000, 50), "variants": (2000, 40), "causal": (50, 2)},
        {"heritability": 0.5, "dominance": 0.0, "epistasis": 0.0, "linkage": 0.9},
    ),
    "ancestry_simulated": _Simulator(
        simulate_ancestry,
        {"samples": (1000, 40), "variants": (300, 1), "populations": (4, 2)},
        {"drift": 0.02},
    ),
    "tb_wdnn": _tb_wdnn,
    "wheat599": _wheat599,
    "primer": _primer,
    "kg1_phase1": _kg1_phase1,
    "kg1_aisnp": _kg1_aisnp,
    "chromatin_sim4": _chromatin_sim4,
    "tfbs_chipseq": _tfbs_chipseq,
}
