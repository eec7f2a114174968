"""Gathers what was asked of the winner's restarts and folds into one plain `Explanation`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geno_hpo.data.dataset import Dataset
from geno_hpo.explanation import Association, CodonPlaces, Explanation, Track
from geno_hpo.interpret import Explained, average_precision, rank_codons, rank_correlation
from geno_hpo.interpret.questions import MUTATED_SAMPLES
from geno_hpo.metrics import METRICS
from geno_hpo.preprocess.association import Responses, block_sums, blocks, tested
from geno_hpo.study.files import why_path
from geno_hpo.study.motifs import sequence_findings
from geno_hpo.study.plan import StudyPlan
from geno_hpo.study.prepared import Prepared

__all__ = ["explanation_of"]

Floats = NDArray[np.float64]

CODONS = 40  # kept with their place by each method …
FIRST = 5  # … and all that are among the first of one
LABELS = {
    "saliency": "gradient × deviation",
    "folds": "gradient × deviation, networks of the folds",
    "plain": "gradient × input",
    "integrated": "integrated gradients",
    "mutated": "in-silico mutagenesis",
    "permuted": "permutation importance",
}


def explanation_of(
    plan: StudyPlan,
    prepared: Prepared,
    names: list[str],
    saliency: tuple[Floats, Floats],
    folds: Path | None = None,
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
    folds
        File with what the folds' networks look at; None where they were not asked.
    """
    restarts = _restarts([why_path(plan.work, name) for name in names])
    if not restarts:
        return None
    dataset = prepared.dataset
    between = [
        rank_correlation(one.pairs, other.pairs)
        for i, one in enumerate(restarts)
        for other in restarts[:i]
    ]
    found = sequence_findings(plan, prepared, restarts)
    association = _association(plan, prepared, restarts)
    apart = _fold_tracks(folds)
    tracks = _tracks(dataset, restarts, saliency, apart, association)
    return Explanation(
        tracks=tracks,
        samples=len(restarts[0].samples),
        restarts=len(restarts),
        gap=float(np.mean([one.gap for one in restarts])),
        untrained=float(np.mean([rank_correlation(one.pairs, one.untrained) for one in restarts])),
        between=float(np.mean(between)) if between else None,
        motifs=found.motifs,
        known=found.known,
        examples=found.examples,
        on_copies=found.on_copies,
        association=association,
        folds=0 if apart is None else len(apart),
        over_folds=None if apart is None else _agreement(saliency[0], apart.mean(axis=0)),
        codons=_codons(prepared, tracks),
        notes=_notes(dataset, names, restarts, tracks, association),
    )


def _restarts(paths: list[Path]) -> list[Explained]:
    found = []
    for path in paths:
        if path.exists():
            with np.load(path) as arrays:
                found.append(Explained.of(dict(arrays)))
    return found


def _fold_tracks(path: Path | None) -> Floats | None:
    """What the network of each fold looks at, ``(folds, positions)``."""
    if path is None or not path.exists():
        return None
    with np.load(path) as arrays:
        return np.asarray(arrays["tracks"]) if "tracks" in arrays else None


def _agreement(first: Floats, second: Floats) -> float | None:
    """Rank correlation over the positions at which either of two tracks is not 0."""
    seen = (first > 0) | (second > 0)
    found = rank_correlation(first[seen], second[seen])
    return found if np.isfinite(found) else None


def _notes(
    dataset: Dataset,
    names: list[str],
    restarts: list[Explained],
    tracks: tuple[Track, ...],
    association: Association | None,
) -> tuple[str, ...]:
    """Bounds of work that were met."""
    notes = []
    if len(restarts) < len(names):
        notes.append(f"{len(names) - len(restarts)} of {len(names)} restarts left no file.")
    mutated = next((track for track in tracks if track.method == "mutated"), None)
    if mutated is not None:
        notes.append(
            f"In-silico mutagenesis changed {int(np.isfinite(mutated.scores).sum()):,} of "
            f"{dataset.features:,} positions on {MUTATED_SAMPLES} samples (those that vary in the "
            "development part; the ones that contribute most first, within a bound of work, and "
            "in every restart)."
        )
    if association is not None:
        notes.append(
            f"Permutation importance is told of {len(association.columns):,} of "
            f"{dataset.features:,} variants: those that were among the largest contributions of at "
            f"least half of the restarts, on {restarts[0].permuted_samples:,} test samples."
        )
    return tuple(notes)


def _tracks(
    dataset: Dataset,
    restarts: list[Explained],
    saliency: tuple[Floats, Floats],
    folds: Floats | None,
    association: Association | None,
) -> tuple[Track, ...]:
    """Mean and spread of each method, over the restarts or the folds."""
    causal = np.zeros(dataset.features, dtype=bool)
    if dataset.truth is not None:
        causal[list(dataset.truth.positions)] = True
    stacks = {
        name: np.stack([getattr(one, name) for one in restarts])
        for name in ("integrated", "plain", "mutated")
    }
    if folds is not None:
        stacks = {"folds": folds} | stacks
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


def _codons(prepared: Prepared, tracks: tuple[Track, ...]) -> tuple[CodonPlaces, ...]:
    """Codons with their place by each method, those with the highest places first."""
    dataset = prepared.dataset
    if not any(locus.coding >= 0 for locus in dataset.loci):
        return ()
    codes = np.asarray(dataset.codes[prepared.split.development])
    causal = dataset.truth.positions if dataset.truth is not None else ()
    nothing = np.zeros(dataset.features)
    known = {  # changes are named once: that takes longer than all ranking
        (codon.locus, codon.number): (codon.change, codon.causal)
        for codon in rank_codons(nothing, codes, dataset.loci, causal)
    }
    places: dict[tuple[str, int], dict[str, int]] = {}
    for track in tracks:
        scores = np.where(np.isfinite(track.scores), track.scores, 0.0)
        for place, codon in enumerate(rank_codons(scores, codes[:0], dataset.loci), start=1):
            if codon.score > 0:
                places.setdefault((codon.locus, codon.number), {})[track.method] = place
    last = max((place for own in places.values() for place in own.values()), default=0) + 1

    def typical(key: tuple[str, int]) -> float:
        return float(np.mean([np.log(places[key].get(t.method, last)) for t in tracks]))

    order = sorted(places, key=typical)
    kept = [key for i, key in enumerate(order) if i < CODONS or min(places[key].values()) <= FIRST]
    return tuple(CodonPlaces(*key, *known[key], places[key]) for key in kept)


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
