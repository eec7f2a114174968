"""Attributions of trained networks find what simulations planted."""

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig, SplitConfig
from geno_hpo.data.simulate import simulate_katg
from geno_hpo.data.simulate_sequences import MOTIF, simulate_motif
from geno_hpo.data.simulate_snps import simulate_trait
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.explanation import consensus
from geno_hpo.interpret import (
    Explained,
    average_precision,
    compare_motifs,
    consensus_motif,
    explain,
    find_motifs,
    peaks_on_copies,
    rank_correlation,
)
from geno_hpo.splits import split_for

MLP = {"family": "mlp", "layers": 1, "neurons": 16, "batch_size": 64, "learning_rate": 3e-3}
CNN = {
    "family": "cnn",
    "conv_layers": 1,
    "filters": 16,
    "kernel": 12,
    "pool": 4,
    "pooling_head": "max",
    "dense_layers": 0,
    "batch_norm": True,
    "batch_size": 32,
    "learning_rate": 5e-3,
}


def explained(dataset, params, epochs, metric="auc"):
    split = split_for(dataset, SplitConfig(folds=2, test=0.2), seed=1, root=None)
    evaluation = NetworkEvaluation(dataset, split, PreprocessConfig(), metric)
    weights = evaluation.refit(params, epochs=epochs, seed=1)
    return evaluation, weights, explain(evaluation, params, weights, seed=1)


@pytest.mark.slow
def test_causal_positions_of_a_gene_are_found():
    data = simulate_katg(1, 1000)
    _, _, found = explained(data, MLP, epochs=6)
    causal = np.zeros(data.features, bool)
    causal[list(data.truth.positions)] = True
    varied = np.ptp(data.codes[:, causal], axis=0) > 0
    assert varied.all()
    assert average_precision(found.mutated, causal) >= 0.9
    assert average_precision(found.plain, causal) >= 0.9
    assert found.gap < 0.02
    assert found.single.size == 0  # aligned: no motifs to look for
    assert abs(rank_correlation(found.pairs, found.untrained)) < 0.2


@pytest.mark.slow
def test_the_planted_motif_is_found_in_attributions_and_filters():
    data = simulate_motif(1, 1500, changed=0.1)
    evaluation, weights, found = explained(data, CNN, epochs=12)
    rows = np.flatnonzero(data.target.values[found.samples, 0] == 1)
    copies = [one for one in data.truth.taking(found.samples).copies if one[0] in set(rows)]
    hits, whole = peaks_on_copies(found.single[0].astype(float), copies)
    assert whole == len(rows)
    assert hits / whole >= 0.95
    (motif, *_) = find_motifs(found.single[0, rows], data.codes[found.samples][rows], seed=1)
    assert MOTIF in consensus(motif.matrix).upper()
    known = consensus_motif("planted", MOTIF)
    match = compare_motifs(found.filters[0], [known], seed=1)
    assert match is not None
    assert match.similarity > 0.7
    assert found.filter_tie[0] > 0.8
    assert abs(rank_correlation(found.pairs, found.untrained)) < 0.3
    # what is kept in a file comes back
    again = Explained.of(found.arrays)
    np.testing.assert_array_equal(again.single, found.single)
    # logits of the probe are those the study predicts with
    test = evaluation.split.test
    probe = evaluation.probe(CNN, weights)
    logits = probe.logits(evaluation.model_inputs(CNN, np.asarray(data.codes[test])))
    np.testing.assert_allclose(
        evaluation.predictions(CNN, logits), evaluation.predict(CNN, weights, test), atol=1e-4
    )


@pytest.mark.slow
def test_variants_that_matter_cost_most_when_shuffled():
    data = simulate_trait(1, 600, 200, 5, heritability=0.8)
    evaluation, weights, found = explained(data, {**MLP, "l2": 1e-3}, 12, metric="pearson")
    loss = found.permuted.mean(axis=1)
    causal = np.zeros(data.features, bool)
    causal[list(data.truth.positions)] = True
    assert average_precision(loss, causal) > 0.6
    assert np.isnan(found.mutated).all()
    assert found.gap < 0.1
    test = evaluation.split.test
    inputs = evaluation.model_inputs(MLP, np.asarray(data.codes[test]))
    logits = evaluation.probe(MLP, weights).logits(inputs)
    np.testing.assert_allclose(
        evaluation.predictions(MLP, logits), evaluation.predict(MLP, weights, test), atol=1e-3
    )
