"""Everything that is asked of one trained network, within bounds of work that are told.

`explain` gives plain arrays, so that every restart's can be kept in a file and averaged later. The
samples are those of the development part: the network learnt from them; no choice is made here.
Permutation importance alone looks at the test samples, which are open by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.encoding import one_hot
from geno_hpo.interpret.agreement import rank_correlation
from geno_hpo.interpret.integrated import completeness_gap, integrated_gradients
from geno_hpo.interpret.motifs import filter_motif
from geno_hpo.interpret.mutagenesis import seen_symbols, substitutions
from geno_hpo.interpret.permutation import permutation_importance
from geno_hpo.interpret.saliency import contributions

if TYPE_CHECKING:
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.models import Parameters
    from geno_hpo.training.protocol import Weights

__all__ = ["Explained", "explain"]

Floats = NDArray[np.float64]

STEPS = 24  # of integrated gradients
VALUES = 40_000_000  # input values that integrated gradients may send through the network
MOST_SAMPLES = 500
FEWEST_SAMPLES = 16
MUTATED_VALUES = 60_000_000  # input values of all mutated sequences
MUTATED_SAMPLES = 32
SEEN_SAMPLES = 5000  # in which a symbol must occur to be put there
PERMUTED = 200  # variants at most, those with the largest integrated gradients …
PERMUTED_VALUES = 600_000_000  # … within so many input values of all shuffled tables
FEWEST_PERMUTED = 20
TABLE_VALUES = 100_000_000  # of the test samples' variants …
FEWEST_TESTED = 50  # … but so many samples at least
REPEATS = 3
PAIRS = 20_000  # samples × positions at which two networks' attributions are compared at most
KEPT_VALUES = 1_000_000  # of single samples' contributions
FREE = 0.5  # share of positions that vary from which on sequences count as unaligned
UNTRAINED = 101


@dataclass(frozen=True)
class Explained:
    """One restart's attributions; positions are all columns of the data set.

    Parameters
    ----------
    samples
        ``(samples,)`` indices of the samples looked at.
    plain, integrated
        ``(positions,)`` mean absolute contribution over samples and outputs; 0 where the network
        does not look.
    mutated
        ``(positions,)`` mean absolute change of the outputs over substitutions and samples; NaN
        where none was tried. All NaN for variants.
    gap
        What integrated gradients miss of completeness, a share.
    pairs, untrained
        Contributions at a fixed draw of samples × positions, of this network and of one with the
        same configuration and random weights; where the sample has what most have, there is
        nothing to agree on, so only other places are drawn.
    single
        ``(outputs, samples, positions)`` float32 integrated gradients of single samples, where
        sequences are not aligned; else of no sample.
    filters, filter_sites, filter_tie
        ``(filters, width, 4)`` what each filter of the first layer sees, at how many sites, and the
        rank correlation of its largest activation with the first output.
    permuted
        ``(positions, repeats)`` loss of score on the test samples when a variant is shuffled; NaN
        where it was not.
    permuted_samples
        Test samples that this was asked of.
    """

    samples: NDArray[np.intp]
    plain: Floats
    integrated: Floats
    mutated: Floats
    gap: float
    pairs: Floats
    untrained: Floats
    single: NDArray[np.float32]
    filters: Floats
    filter_sites: NDArray[np.intp]
    filter_tie: Floats
    permuted: Floats
    permuted_samples: int

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """What to keep in a file."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def of(cls, arrays: dict[str, Any]) -> Explained:
        """What `arrays` gave."""
        samples = int(arrays["permuted_samples"])
        return cls(**{**arrays, "gap": float(arrays["gap"]), "permuted_samples": samples})


def unaligned(codes: NDArray[np.int8], kind: str) -> bool:
    """Whether these sequences are not aligned, so that a motif may lie anywhere."""
    return kind == "sequence" and float(_varies(codes).mean()) >= FREE and _mixed(codes) >= FREE


def explain(
    evaluation: NetworkEvaluation, params: Parameters, weights: Weights, *, seed: int
) -> Explained:
    """Look at a refitted network.

    Parameters
    ----------
    evaluation, params, weights
        The network.
    seed
        Of the samples drawn, the same for all restarts so that they can be compared.
    """
    dataset = evaluation.dataset
    probe = evaluation.probe(params, weights)
    fresh = evaluation.probe(params, None, seed=UNTRAINED)
    columns = np.asarray(evaluation.selected_columns(params), dtype=np.intp)
    rng = np.random.default_rng([seed, 3])
    samples = _drawn(evaluation.split.development, int(np.prod(probe.input_shape)), rng)
    codes = np.asarray(dataset.codes[samples])
    inputs = evaluation.model_inputs(params, codes)
    reference = _reference(evaluation, params, inputs)
    called = (codes >= 0)[:, columns]
    spots = np.flatnonzero(called & _unusual(codes[:, columns]))
    spots = rng.choice(spots, min(PAIRS, len(spots)), replace=False)

    total = {"plain": np.zeros(len(columns)), "integrated": np.zeros(len(columns))}
    single = []
    gaps = []
    pairs, untrained = np.zeros(len(spots)), np.zeros(len(spots))
    nothing = np.zeros_like(reference)
    for output in range(probe.units):
        slope = partial(probe.gradients, output=output)
        plain = contributions(slope(inputs), _raw(codes, inputs), nothing, called)
        whole = integrated_gradients(slope, inputs, reference, STEPS)
        ends = probe.logits(np.concatenate([inputs, reference[None]]))[:, output]
        gaps.append(completeness_gap(whole, ends[:-1], float(ends[-1])))
        random = integrated_gradients(partial(fresh.gradients, output=output), inputs, reference, 4)
        total["plain"] += np.abs(plain).mean(axis=0)
        total["integrated"] += np.abs(whole).mean(axis=0)
        single.append(whole.astype(np.float32))
        if output == 0:
            pairs, untrained = whole.ravel()[spots], random.ravel()[spots]
    free = unaligned(codes, dataset.kind) and codes.size * probe.units <= KEPT_VALUES
    spread = np.full((2, dataset.features), 0.0)
    spread[:, columns] = np.stack([total["plain"], total["integrated"]]) / probe.units
    tested = _drawn_test(evaluation, len(columns), rng)
    layer = _filters(evaluation, params, weights, codes, inputs) if free else _no_filters()
    return Explained(
        samples=samples,
        plain=spread[0],
        integrated=spread[1],
        mutated=_mutated(evaluation, params, probe, codes, spread[1]),
        gap=float(np.mean(gaps)),
        pairs=pairs,
        untrained=untrained,
        single=np.stack(single) if free else np.zeros((0, 0, 0), np.float32),
        filters=layer[0],
        filter_sites=layer[1],
        filter_tie=layer[2],
        permuted=_permuted(evaluation, params, probe, columns, spread[1], seed, tested),
        permuted_samples=len(tested),
    )


def _drawn(development: NDArray[np.intp], size: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """As many samples as the bounds allow."""
    many = int(np.clip(VALUES // (STEPS * size), FEWEST_SAMPLES, MOST_SAMPLES))
    if many >= len(development):
        return np.asarray(development)
    return np.sort(rng.choice(development, many, replace=False))


def _drawn_test(
    evaluation: NetworkEvaluation, width: int, rng: np.random.Generator
) -> NDArray[np.intp]:
    """Test samples whose variants fit into the bound; none of sequences."""
    if evaluation.dataset.kind != "variants":
        return np.zeros(0, np.intp)
    test = evaluation.split.test
    many = max(FEWEST_TESTED, TABLE_VALUES // width)
    return test if many >= len(test) else np.sort(rng.choice(test, many, replace=False))


def _reference(
    evaluation: NetworkEvaluation, params: Parameters, inputs: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The cohort's mean input: 0 where the input is centred or standardised, else a mean."""
    final = evaluation.form(params).final
    if final.variants is not None or final.mean is not None:
        return np.zeros(inputs.shape[1:], np.float32)
    mean: NDArray[np.float32] = inputs.mean(axis=0, dtype=np.float64).astype(np.float32)
    return mean


def _raw(codes: NDArray[np.int8], inputs: NDArray[np.float32]) -> NDArray[Any]:
    """Plain one-hot bases, which plain gradient × input is about; variants as they are given."""
    if inputs.ndim == 2:
        return inputs
    return one_hot(codes, inputs.shape[2])


def _varies(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Positions that hold more than one known symbol among these samples."""
    highest = codes.max(axis=0)
    lowest = np.where(codes < 0, np.int8(127), codes).min(axis=0)
    varied: NDArray[np.bool_] = (highest >= 0) & (lowest < highest)
    return varied


def _unusual(codes: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Where a sample differs from the commonest symbol or dosage of a column, shaped as `codes`."""
    symbols = np.unique(codes[codes >= 0])
    if len(symbols) == 0:
        return np.zeros(codes.shape, dtype=np.bool_)
    counts = np.stack([(codes == symbol).sum(axis=0) for symbol in symbols])
    commonest = symbols[counts.argmax(axis=0)]
    found: NDArray[np.bool_] = codes != commonest
    return found


def _mixed(codes: NDArray[np.int8]) -> float:
    """Share of positions at which no base is held by more than three of four samples."""
    commonest = np.max([(codes == base).mean(axis=0) for base in range(4)], axis=0)
    return float((commonest <= 0.75).mean())


def _mutated(
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
    allowed &= _varies(seen)[:, None]
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


def _no_filters() -> tuple[Floats, NDArray[np.intp], Floats]:
    return np.zeros((0, 1, 4)), np.zeros(0, np.intp), np.zeros(0)


def _filters(
    evaluation: NetworkEvaluation,
    params: Parameters,
    weights: Weights,
    codes: NDArray[np.int8],
    inputs: NDArray[np.float32],
) -> tuple[Floats, NDArray[np.intp], Floats]:
    """What the filters of the first layer see, the ones tied most to the output first."""
    probe = evaluation.probe(params, weights)
    layer = probe.first_layer()
    if layer is None:
        return _no_filters()
    activations = layer.activations(inputs)
    output = probe.logits(inputs)[:, 0]
    seen = []
    for number in range(layer.filters):
        found = filter_motif(activations[:, :, number], codes, layer.width)
        tie = rank_correlation(activations[:, :, number].max(axis=1), output)
        if found is not None and np.isfinite(tie):
            seen.append((abs(tie), found, tie))
    if not seen:
        return _no_filters()
    seen.sort(key=lambda one: -one[0])
    return (
        np.stack([one[1].matrix for one in seen]),
        np.array([one[1].sites for one in seen], dtype=np.intp),
        np.array([one[2] for one in seen]),
    )


def _permuted(
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
