"""What one trained network says of every position: gradient × deviation over given samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geno_hpo.interpret.saliency import position_scores

if TYPE_CHECKING:
    from geno_hpo.evaluation.network import NetworkEvaluation
    from geno_hpo.models import Parameters
    from geno_hpo.training.protocol import Weights

__all__ = ["saliency_track"]

SAMPLES = 1000
VALUES = 100_000_000  # samples × columns × outputs at most …
LEAST = 100  # … but so many samples at least


def saliency_track(
    evaluation: NetworkEvaluation,
    params: Parameters,
    weights: Weights,
    samples: NDArray[np.intp],
    *,
    seed: int,
    fold: int | None = None,
) -> NDArray[np.float64]:
    """How much each column moves the outputs, ``(features,)``, mean over the outputs.

    Parameters
    ----------
    evaluation, params, weights
        The network.
    samples
        Of the data set, over which contributions are averaged; at most 1,000 of them are drawn,
        and fewer where columns and outputs are very many.
    seed
        Of that draw.
    fold
        Number of the fold that the network was trained on; None for the whole development part.
    """
    dataset = evaluation.dataset
    most = max(LEAST, min(SAMPLES, VALUES // (dataset.features * dataset.target.units)))
    if len(samples) > most:
        samples = np.sort(np.random.default_rng(seed).choice(samples, most, replace=False))
    columns = evaluation.selected_columns(params, fold)
    inputs = evaluation.variant_inputs(params, samples, fold)
    codes = dataset.codes[np.ix_(samples, columns)]
    total = np.zeros(dataset.features)
    for output in range(dataset.target.units):
        gradients = evaluation.gradients(params, weights, samples, output, fold)
        total[columns] += position_scores(gradients, codes, inputs)
    return total / dataset.target.units
