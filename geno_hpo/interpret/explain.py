"""Everything that is asked of one trained network, within bounds of work that are told.

`explain` gives plain arrays, so that every restart's can be kept in a file and averaged later. The
samples are those of the development part: the network learnt from them; no choice is made here.
Permutation importance alone looks at the test samples, which are open by then.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geno_hpo.encoding import one_hot
from geno_hpo.interpret.explained import Explained
from geno_hpo.interpret.integrated import completeness_gap, integrated_gradients
from geno_hpo.interpret.questions import filters, mutated, no_filters, permuted
from geno_hpo.interpret.saliency import contributions
from geno_hpo.interpret.variation import unaligned, unusual

if TYPE_CHECKING:
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.models import Parameters
    from geno_hpo.training.protocol import Weights

__all__ = ["explain"]

Floats = NDArray[np.float64]

STEPS = 24  # of integrated gradients …
FEWEST_STEPS = 8  # … but fewer where the fewest samples are too many already
VALUES = 40_000_000  # input values that integrated gradients may send through the network
MOST_SAMPLES = 500
FEWEST_SAMPLES = 16
TABLE_VALUES = 100_000_000  # of the test samples' variants …
FEWEST_TESTED = 50  # … but so many samples at least
PAIRS = 20_000  # samples × positions at which two networks' attributions are compared at most
KEPT_VALUES = 1_000_000  # of single samples' contributions
UNTRAINED = 101


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
    size = int(np.prod(probe.input_shape))
    samples = _drawn(evaluation.split.development, size, rng)
    steps = _steps(len(samples), size)
    codes = np.asarray(dataset.codes[samples])
    inputs = evaluation.model_inputs(params, codes)
    reference = _reference(evaluation, params, inputs)
    called = (codes >= 0)[:, columns]
    spots = np.flatnonzero(called & unusual(codes[:, columns]))
    spots = rng.choice(spots, min(PAIRS, len(spots)), replace=False)

    total = {"plain": np.zeros(len(columns)), "integrated": np.zeros(len(columns))}
    single = []
    gaps = []
    pairs, untrained = np.zeros(len(spots)), np.zeros(len(spots))
    nothing = np.zeros_like(reference)
    for output in range(probe.units):
        slope = partial(probe.gradients, output=output)
        plain = contributions(slope(inputs), _raw(codes, inputs), nothing, called)
        whole = integrated_gradients(slope, inputs, reference, steps)
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
    layer = filters(probe, codes, inputs) if free else no_filters()
    return Explained(
        samples=samples,
        plain=spread[0],
        integrated=spread[1],
        mutated=mutated(evaluation, params, probe, codes, spread[1]),
        gap=float(np.mean(gaps)),
        pairs=pairs,
        untrained=untrained,
        single=np.stack(single) if free else np.zeros((0, 0, 0), np.float32),
        filters=layer[0],
        filter_sites=layer[1],
        filter_tie=layer[2],
        permuted=permuted(evaluation, params, probe, columns, spread[1], seed, tested),
        permuted_samples=len(tested),
    )


def _drawn(development: NDArray[np.intp], size: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """As many samples as the bounds allow."""
    many = int(np.clip(VALUES // (STEPS * size), FEWEST_SAMPLES, MOST_SAMPLES))
    if many >= len(development):
        return np.asarray(development)
    return np.sort(rng.choice(development, many, replace=False))


def _steps(samples: int, size: int) -> int:
    """Steps of integrated gradients that the bound leaves to so many samples."""
    return int(np.clip(VALUES // (samples * size), FEWEST_STEPS, STEPS))


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
