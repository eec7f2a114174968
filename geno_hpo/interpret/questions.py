"""What is asked of a network beside gradients, each question within a bound of work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.interpret.agreement import rank_correlation
from geno_hpo.interpret.motifs import filter_motif
from geno_hpo.interpret.mutagenesis import seen_symbols, substitutions
from geno_hpo.interpret.permutation import permutation_importance
from geno_hpo.interpret.variation import unaligned, varies

if TYPE_CHECKING:
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.models import Parameters

__all__ = ["MUTATED_SAMPLES", "filters", "mutated", "no_filters", "permuted"]

Floats = NDArray[np.float64]
Filters = tuple[Floats, NDArray[np.intp], Floats]
"""Motifs ``(filters, width, 4)``, their sites, and their ties to the first output."""

MUTATED_VALUES = 60_000_000  # input values of all mutated sequences
MUTATED_SAMPLES = 32
SEEN_SAMPLES = 5000  # in which a symbol must occur to be put there
PERMUTED = 200  # variants at most, those with the largest integrated gradients …
PERMUTED_VALUES = 600_000_000  # … within so many input values of all shuffled tables
FEWEST_PERMUTED = 20
REPEATS = 3


def mutated(
    evaluation: NetworkEvaluation,
    params: Parameters,
    probe: Any,
    codes: NDArray[np.int8],
    scores: Floats,
) -> Floats:
    """Mean absolute change by substitutions: of all positions that vary, or the first of them.

    Aligned sequences get the symbols that the cohort has there, others all four bases.
    """
    found = np.full(codes.shape[1], np.nan)
    if evaluation.dataset.kind != "sequence":
        return found
    symbols = probe.input_shape[1]
    seen = np.asarray(evaluation.dataset.codes[evaluation.split.development[:SEEN_SAMPLES]])
    allowed = seen_symbols(seen, symbols)
    if unaligned(codes, "sequence"):
        allowed[:, :4] = True
    allowed &= varies(seen)[:, None]
    some = codes[:MUTATED_SAMPLES]
    budget = MUTATED_VALUES // (codes.shape[1] * symbols * len(some))
    order = np.argsort(-scores, kind="stable")
    within = np.cumsum(np.maximum(allowed[order].sum(axis=1) - 1, 0)) <= budget
    allowed[order[~within]] = False

    def outputs(rows: NDArray[np.int8]) -> NDArray[np.float32]:
        logits: NDArray[np.float32] = probe.logits(evaluation.model_inputs(params, rows))
        return logits

    changes = np.abs(substitutions(outputs, some, allowed))
    tried = np.isfinite(changes).any(axis=(0, 1, 3))
    counts = probe.units * np.maximum(_substitutes(some, allowed), 1)
    found[tried] = (np.nansum(changes, axis=(0, 1, 3)) / counts)[tried]
    return found


def _substitutes(codes: NDArray[np.int8], allowed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """How many substitutions were tried at each position."""
    known = (codes >= 0).sum(axis=0)
    present = sum((codes == s).sum(axis=0) * allowed[:, s] for s in range(allowed.shape[1]))
    many: NDArray[np.intp] = known * allowed.sum(axis=1) - present
    return many


def filters(probe: Any, codes: NDArray[np.int8], inputs: NDArray[np.float32]) -> Filters:
    """What the filters of the first layer see, the ones tied most to the output first."""
    layer = probe.first_layer()
    if layer is None:
        return no_filters()
    activations = layer.activations(inputs)
    output = probe.logits(inputs)[:, 0]
    seen = []
    for number in range(layer.filters):
        found = filter_motif(activations[:, :, number], codes, layer.width)
        tie = rank_correlation(activations[:, :, number].max(axis=1), output)
        if found is not None and np.isfinite(tie):
            seen.append((abs(tie), found, tie))
    if not seen:
        return no_filters()
    seen.sort(key=lambda one: -one[0])
    return (
        np.stack([one[1].matrix for one in seen]),
        np.array([one[1].sites for one in seen], dtype=np.intp),
        np.array([one[2] for one in seen]),
    )


def no_filters() -> Filters:
    """The answer where no filter was looked at."""
    return np.zeros((0, 1, 4)), np.zeros(0, np.intp), np.zeros(0)


def permuted(
    evaluation: NetworkEvaluation,
    params: Parameters,
    probe: Any,
    columns: NDArray[np.intp],
    scores: Floats,
    seed: int,
    test: NDArray[np.intp],
) -> Floats:
    """Permutation importance of the variants with the largest contributions."""
    found = np.full((evaluation.dataset.features, REPEATS), np.nan)
    if evaluation.dataset.kind != "variants":
        return found
    inputs = evaluation.model_inputs(params, np.asarray(evaluation.dataset.codes[test]))
    many = int(np.clip(PERMUTED_VALUES // (REPEATS * inputs.size), FEWEST_PERMUTED, PERMUTED))
    chosen = np.argsort(-scores[columns], kind="stable")[:many].astype(np.intp)

    def score(rows: NDArray[np.float32]) -> float:
        return evaluation.score(test, evaluation.predictions(params, probe.logits(rows)))

    found[columns[chosen]] = permutation_importance(
        score,
        inputs,
        chosen,
        repeats=REPEATS,
        seed=seed,
        maximise=evaluation.metric.maximise,
    )
    return found
