"""Gathers what was asked of the winner's restarts into one plain `Explanation`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.explanation import Association, Example, Explanation, Motif, Track
from geno_hpo.interpret import (
    Explained,
    KnownMotif,
    average_precision,
    compare_motifs,
    consensus_motif,
    find_motifs,
    peaks_on_copies,
    rank_correlation,
    read_motifs,
)
from geno_hpo.interpret.explain import MUTATED_SAMPLES
from geno_hpo.metrics import METRICS
from geno_hpo.preprocess.association import Responses, block_sums, blocks, tested
from geno_hpo.study.jobs import why_path
from geno_hpo.study.plan import Prepared, StudyPlan

__all__ = ["explanation_of", "known_motifs"]

Floats = NDArray[np.float64]

OUTPUTS = 4  # whose motifs are looked for
FILTERS = 8  # shown, of the first restart
EXAMPLES = 3
LABELS = {
    "saliency": "gradient × deviation",
    "plain": "gradient × input",
    "integrated": "integrated gradients",
    "mutated": "in-silico mutagenesis",
    "permuted": "permutation importance",
}


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


def explanation_of(
    plan: StudyPlan, prepared: Prepared, names: list[str], saliency: tuple[Floats, Floats]
) -> Explanation | None:
    """What the restarts' files say together; None where there are none.

    Parameters
    ----------
    plan, prepared
        The study.
    names
        Final fits of the winner.
    saliency
        Scores and spread of the first method, ``(positions,)`` each.
    """
    paths = [why_path(plan.work, name) for name in names]
    restarts = []
    for path in paths:
        if path.exists():
            with np.load(path) as arrays:
                restarts.append(Explained.of(dict(arrays)))
    if not restarts:
        return None
    dataset = prepared.dataset
    between = [
        rank_correlation(one.pairs, other.pairs)
        for i, one in enumerate(restarts)
        for other in restarts[:i]
    ]
    notes = []
    if len(restarts) < len(names):
        notes.append(f"{len(names) - len(restarts)} of {len(names)} restarts left no file.")
    motifs, known, examples, on_copies = _sequences(plan, prepared, restarts)
    association = _association(plan, prepared, restarts)
    tried = np.isfinite(restarts[0].mutated)
    if dataset.kind == "sequence":
        notes.append(
            f"In-silico mutagenesis changed {int(tried.sum()):,} of {dataset.features:,} positions "
            f"on {MUTATED_SAMPLES} samples (those that vary in the development part; the ones that "
            "contribute most first, within a bound of work)."
        )
    if association is not None:
        notes.append(
            f"Permutation importance is told of {len(association.columns):,} of "
            f"{dataset.features:,} variants: those that were among the largest contributions of at "
            f"least half of the restarts, on {restarts[0].permuted_samples:,} test samples."
        )
    return Explanation(
        tracks=_tracks(dataset, restarts, saliency, association),
        samples=len(restarts[0].samples),
        restarts=len(restarts),
        gap=float(np.mean([one.gap for one in restarts])),
        untrained=float(np.mean([rank_correlation(one.pairs, one.untrained) for one in restarts])),
        between=float(np.mean(between)) if between else None,
        motifs=motifs,
        known=known,
        examples=examples,
        on_copies=on_copies,
        association=association,
        notes=tuple(notes),
    )


def _tracks(
    dataset: Dataset,
    restarts: list[Explained],
    saliency: tuple[Floats, Floats],
    association: Association | None,
) -> tuple[Track, ...]:
    causal = np.zeros(dataset.features, dtype=bool)
    if dataset.truth is not None:
        causal[list(dataset.truth.positions)] = True
    stacks = {
        name: np.stack([getattr(one, name) for one in restarts])
        for name in ("integrated", "plain", "mutated")
    }
    pairs: dict[str, tuple[Floats, Floats]] = {"saliency": saliency}
    pairs |= {name: (stack.mean(axis=0), stack.std(axis=0)) for name, stack in stacks.items()}
    if association is not None:
        loss, spread = np.full((2, dataset.features), np.nan)
        loss[association.columns] = association.loss
        spread[association.columns] = association.spread
        pairs["permuted"] = (loss, spread)
    found = []
    for name, (scores, spread) in pairs.items():
        if np.isfinite(scores).any():
            precision = average_precision(scores, causal)
            told = precision if np.isfinite(precision) else None
            found.append(Track(name, LABELS[name], scores, spread, told))
    return tuple(found)


def _association(
    plan: StudyPlan, prepared: Prepared, restarts: list[Explained]
) -> Association | None:
    """Variants that at least half of the restarts shuffled, and everybody's univariate test."""
    dataset, development = prepared.dataset, prepared.split.development
    if dataset.kind != "variants":
        return None
    losses = np.stack([one.permuted for one in restarts])
    told = np.isfinite(losses).all(axis=2).sum(axis=0)
    columns = np.flatnonzero(told >= max(1, (len(restarts) + 1) // 2))
    if len(columns) == 0:
        return None
    means = losses[:, columns].mean(axis=2)  # NaN where a restart did not shuffle a column
    responses = Responses.of(dataset.target.take(development), dataset.target.task)
    p = np.ones(dataset.features)
    for here in blocks(dataset.features, len(development)):
        codes = np.asarray(dataset.codes[development, here])
        p[here] = tested(block_sums(codes, responses), responses)[0]
    return Association(
        columns=columns.astype(np.intp),
        loss=np.nanmean(means, axis=0),
        spread=np.where(told[columns] > 1, np.nanstd(means, axis=0), np.nan),
        log_p=-np.log10(np.maximum(p, 1e-300)),
        metric=METRICS[plan.metric].label,
    )


def _sequences(
    plan: StudyPlan, prepared: Prepared, restarts: list[Explained]
) -> tuple[tuple[Motif, ...], tuple[Motif, ...], tuple[Example, ...], tuple[int, int] | None]:
    """Motifs and examples of sequences that are not aligned; nothing of others."""
    dataset = prepared.dataset
    if restarts[0].single.size == 0:
        return (), (), (), None
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
    return (
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
