from __future__ import annotations

import time

import numpy as np
import pytest
from numpy.typing import NDArray

from geno_hpo import encoding
from geno_hpo.data.clonal_tree import grow_tree
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.simulate import CODONS, simulate_katg
from geno_hpo.errors import DataError


@pytest.fixture(scope="module")
def cohort() -> Dataset:
    return simulate_katg()


def majority(codes: NDArray[np.int8]) -> NDArray[np.int8]:
    counts = np.stack([(codes == base).sum(axis=0) for base in range(4)])
    gene: NDArray[np.int8] = counts.argmax(axis=0).astype(np.int8)
    return gene


def test_the_gene_is_like_katg(cohort: Dataset) -> None:
    gene = majority(cohort.codes)
    protein = encoding.translate(gene)
    assert (len(gene), len(protein)) == (2223, CODONS)
    assert np.isin(gene, (1, 2)).mean() == pytest.approx(0.65, abs=0.02)
    assert protein[0] == "M"
    assert protein.index("*") == CODONS - 1
    assert encoding.decode(gene[942:945]) == "AGC"
    (locus,) = cohort.loci
    assert (locus.strand, locus.coding) == ("-", 0)
    assert (locus.genome[0], locus.genome[-1]) == (2156110, 2153888)
    assert cohort.axis[943] == "katG:315.2"


def test_no_isolate_has_a_stop_inside_the_gene(cohort: Dataset) -> None:
    assert not any("*" in encoding.translate(row)[:-1] for row in cohort.codes)


@pytest.mark.parametrize("seed", [1, 2, 3, 11])
def test_resistance_is_as_promised(seed: int) -> None:
    cohort = simulate_katg(seed)
    gene, resistant = majority(cohort.codes), cohort.target.values[:, 0] == 1
    truth = cohort.truth
    assert truth is not None
    assert 0.35 <= resistant.mean() <= 0.40
    assert 0.93 <= truth.oracle["auc"] <= 0.97
    assert 943 in truth.positions
    assert len(truth.positions) == 11
    carriers = (cohort.codes != gene) & (cohort.codes >= 0)
    assert carriers[:, truth.positions].sum(axis=0).min() >= 8
    dominant = carriers[:, 943]
    assert np.all(cohort.codes[dominant, 943] == encoding.encode("C")[0])
    assert dominant[resistant].mean() == pytest.approx(0.63, abs=0.05)
    lineages = cohort.groups["lineage"]
    assert len(set(lineages)) == 7
    assert len(set(lineages[dominant])) >= 5
    for position in truth.positions:
        assert len(set(cohort.groups["clone"][carriers[:, position]])) >= 3


def test_variation_is_clonal_and_mostly_rare(cohort: Dataset) -> None:
    gene = majority(cohort.codes)
    carriers = ((cohort.codes != gene) & (cohort.codes >= 0)).sum(axis=0)
    varies = carriers > 0
    assert 500 < varies.sum() < 1000
    assert (carriers[varies] < 18).mean() > 0.8
    assert (cohort.codes < 0).mean() == pytest.approx(0.003, abs=0.001)
    lineages, clones = cohort.groups["lineage"], cohort.groups["clone"]
    for clone in np.unique(clones):
        assert len(set(lineages[clones == clone])) == 1


def test_any_missense_is_no_shortcut(cohort: Dataset) -> None:
    gene = majority(cohort.codes)
    protein = encoding.translate(gene)
    filled = np.where(cohort.codes < 0, gene, cohort.codes).astype(np.int8)
    missense = np.array([encoding.translate(row) != protein for row in filled])
    resistant = cohort.target.values[:, 0] == 1
    assert missense[~resistant].mean() > 0.9


def test_a_linear_model_comes_near_the_oracle(cohort: Dataset) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    changed = encoding.one_hot(cohort.codes)
    changed[:, np.arange(cohort.features), majority(cohort.codes)] = 0
    sites = changed.reshape(cohort.samples, -1)
    scores = cross_val_score(
        LogisticRegression(solver="liblinear"),
        sites[:, sites.any(axis=0)],
        cohort.target.values[:, 0],
        cv=StratifiedKFold(5, shuffle=True, random_state=0),
        scoring="roc_auc",
    )
    assert cohort.truth is not None
    assert scores.mean() == pytest.approx(cohort.truth.oracle["auc"], abs=0.015)


def test_the_oracle_scores_causal_states(cohort: Dataset) -> None:
    from sklearn.metrics import roc_auc_score

    assert cohort.truth is not None
    positions = list(cohort.truth.positions)
    codes = cohort.codes[:, positions]
    score = ((codes != majority(cohort.codes)[positions]) & (codes >= 0)).any(axis=1)
    observed = roc_auc_score(cohort.target.values[:, 0], score)
    assert observed == pytest.approx(cohort.truth.oracle["auc"], abs=0.005)  # uncalled bases


def test_same_seed_same_data_in_little_time() -> None:
    start = time.perf_counter()
    first = simulate_katg(7)
    assert time.perf_counter() - start < 2
    assert simulate_katg(7).fingerprint == first.fingerprint
    assert simulate_katg(8).fingerprint != first.fingerprint


def test_it_says_that_it_is_simulated(cohort: Dataset) -> None:
    assert cohort.origin.simulated
    assert cohort.origin.notes[0].startswith("Simulated data: ")
    assert "S315T" in cohort.origin.notes[1]


@pytest.mark.parametrize("isolates", [100, 333])
def test_small_cohorts(isolates: int) -> None:
    assert simulate_katg(1, isolates).samples == isolates


def test_too_few_isolates_are_refused() -> None:
    with pytest.raises(DataError, match="at least 100 isolates, got 99"):
        simulate_katg(1, 99)


def test_a_tree_nests_its_branches() -> None:
    tree = grow_tree(np.random.default_rng(0), 300)
    assert len(tree.lineage) == len(tree.clone) == 300
    resistant = np.concatenate(tree.resistance)
    assert len(set(resistant)) == len(resistant) <= 111
    for carriers in tree.events:
        assert len(set(tree.lineage[carriers])) == 1
