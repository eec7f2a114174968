"""Motifs, filters and single sequences of the winner's restarts, where nothing is aligned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.explanation import Example, Motif
from geno_hpo.interpret import (
    Explained,
    KnownMotif,
    compare_motifs,
    consensus_motif,
    find_motifs,
    peaks_on_copies,
    read_motifs,
)
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared

__all__ = ["SequenceFindings", "known_motifs", "sequence_findings"]

Floats = NDArray[np.float64]

OUTPUTS = 4  # whose motifs are looked for
FILTERS = 8  # shown, of the first restart
EXAMPLES = 3


@dataclass(frozen=True)
class SequenceFindings:
    """Parts of an `Explanation` that only sequences without an alignment have."""

    motifs: tuple[Motif, ...] = ()
    known: tuple[Motif, ...] = ()
    examples: tuple[Example, ...] = ()
    on_copies: tuple[int, int] | None = None


def known_motifs(plan: StudyPlan, dataset: Dataset | None = None) -> tuple[KnownMotif, ...]:
    """Motifs of the study's file, and those that a simulation planted.

    Raises
    ------
    InputError
        The file cannot be read or holds no motif.
    """
    found: tuple[KnownMotif, ...] = ()
    if plan.config.motifs is not None:
        found = read_motifs(plan.project.root / plan.config.motifs)
    planted = dataset.truth.motifs if dataset is not None and dataset.truth is not None else {}
    return (*found, *(consensus_motif(name, letters) for name, letters in planted.items()))


def sequence_findings(
    plan: StudyPlan, prepared: Prepared, restarts: list[Explained]
) -> SequenceFindings:
    """Motifs and examples of sequences that are not aligned; nothing of others.

    Parameters
    ----------
    plan, prepared
        The study.
    restarts
        What was asked of each restart; single samples' contributions are averaged over them.
    """
    dataset = prepared.dataset
    if restarts[0].single.size == 0:
        return SequenceFindings()
    samples = restarts[0].samples
    single = np.mean([one.single for one in restarts], axis=0)
    codes = np.asarray(dataset.codes[samples])
    labels = dataset.target.take(samples)
    known = known_motifs(plan, dataset)
    motifs: list[Motif] = []
    for output, name in enumerate(_outputs(dataset)[: min(OUTPUTS, len(single))]):
        rows = _positives(dataset, labels, output)
        many = f" for {name}" if len(single) > 1 else ""
        for place, one in enumerate(find_motifs(single[output, rows], codes[rows], seed=plan.seed)):
            motifs.append(
                _compared(
                    Motif("attributions", f"Motif {place + 1}{many}", one.matrix, one.sites),
                    known,
                    plan.seed,
                )
            )
    first = restarts[0]
    for place in range(min(FILTERS, len(first.filters))):
        filtered = Motif(
            "filter",
            f"Filter {place + 1}",
            first.filters[place],
            int(first.filter_sites[place]),
            tie=float(first.filter_tie[place]),
        )
        motifs.append(_compared(filtered, known, plan.seed))
    rows = _positives(dataset, labels, 0)
    on_copies = None
    copies = _copies(dataset, samples)
    if copies and len(single) == 1:
        here = set(rows.tolist())
        on_copies = peaks_on_copies(
            single[0].astype(np.float64), [copy for copy in copies if copy[0] in here]
        )
    examples = _examples(dataset, samples, single[0].astype(np.float64), rows, copies)
    return SequenceFindings(
        tuple(motifs),
        tuple(Motif("known", k.name, k.matrix) for k in known),
        examples,
        on_copies,
    )


def _outputs(dataset: Dataset) -> tuple[str, ...]:
    target = dataset.target
    return target.classes if target.task == "multiclass" else target.names


def _positives(dataset: Dataset, labels: NDArray[Any], output: int) -> NDArray[np.intp]:
    """Rows for which the output speaks: positives, the class, or the upper half of a trait."""
    task = dataset.target.task
    if task == "multiclass":
        return np.flatnonzero(labels[:, 0] == output)
    if task == "regression":
        return np.flatnonzero(labels[:, output] > np.nanmedian(labels[:, output]))
    return np.flatnonzero(labels[:, output] == 1)


def _compared(motif: Motif, known: tuple[KnownMotif, ...], seed: int) -> Motif:
    found = compare_motifs(motif.matrix, known, seed=seed)
    if found is None:
        return motif
    return Motif(
        motif.source,
        motif.name,
        motif.matrix,
        motif.sites,
        found.name,
        found.similarity,
        found.p_value,
        found.offset,
        found.reversed_strand,
        motif.tie,
    )


def _copies(dataset: Dataset, samples: NDArray[np.intp]) -> list[tuple[int, int, int]]:
    """Planted copies among these samples, numbered by their place among them."""
    return list(dataset.truth.taking(samples).copies) if dataset.truth is not None else []


def _examples(
    dataset: Dataset,
    samples: NDArray[np.intp],
    heights: Floats,
    rows: NDArray[np.intp],
    copies: list[tuple[int, int, int]],
) -> tuple[Example, ...]:
    """The positives with the largest sum of contributions."""
    order = rows[np.argsort(-heights[rows].sum(axis=1), kind="stable")][:EXAMPLES]
    name = _outputs(dataset)[0]
    if dataset.target.task == "binary":
        name = f"{dataset.target.names[0]}: {dataset.target.classes[1]}"
    return tuple(
        Example(
            sample=dataset.ids[samples[row]],
            label=name,
            codes=np.asarray(dataset.codes[samples[row]]),
            heights=heights[row],
            planted=tuple((start, stop) for i, start, stop in copies if i == row),
        )
        for row in order
    )
