"""The simulators beside katG: what they promise holds, and the oracle cannot be beaten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from geno_hpo import encoding
from geno_hpo.config import CatalogueData
from geno_hpo.data.dataset import Dataset
from geno_hpo.data.oracle import auc, outputs_truth
from geno_hpo.data.saved import load_dataset, save_dataset
from geno_hpo.data.simulate_drugs import DRUGS, LOCI, simulate_drugs
from geno_hpo.data.simulate_sequences import MARKS, MOTIF, simulate_chromatin, simulate_motif
from geno_hpo.data.simulate_snps import simulate_ancestry, simulate_trait
from geno_hpo.data.source import open_dataset
from geno_hpo.errors import DataError, InputError

SIMULATORS: tuple[Callable[..., Dataset], ...] = (
    simulate_drugs,
    simulate_motif,
    simulate_chromatin,
    simulate_trait,
    simulate_ancestry,
)


@pytest.mark.parametrize("simulate", SIMULATORS)
def test_same_seed_same_data_and_told_as_simulated(simulate: Callable[..., Dataset]) -> None:
    first = simulate(3)
    assert simulate(3).fingerprint == first.fingerprint
    assert simulate(4).fingerprint != first.fingerprint
    assert first.origin.simulated
    assert first.origin.notes[0].startswith("Simulated data: ")
    assert first.truth is not None
    assert all(0 < score < 1 for score in first.truth.oracle.values())
    assert max(first.truth.positions) < first.features


def test_areas_agree_with_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(0)
    label = rng.random(200) < 0.3
    score = np.round(rng.normal(size=200) + label, 1)  # with ties
    assert auc(score, label) == pytest.approx(roc_auc_score(label, score))
    both = np.stack([label, ~label], axis=1).astype(float)
    both[:50, 1] = np.nan
    expected = (roc_auc_score(label, score) + roc_auc_score(~label[50:], score[50:])) / 2
    truth = outputs_truth((0,), np.stack([score, score], axis=1), both, ("a", "b"))
    assert truth.oracle["auc"] == pytest.approx(expected)
    assert truth.outputs["a"]["auc"] == pytest.approx(roc_auc_score(label, score))
    assert np.isnan(auc(score[label], label[label]))


@pytest.mark.parametrize("seed", [1, 2])
def test_drugs_go_together_and_some_are_not_tested(seed: int) -> None:
    cohort = simulate_drugs(seed)
    values = cohort.target.values
    assert cohort.target.names == DRUGS
    assert len(DRUGS) == 13
    assert [locus.name for locus in cohort.loci] == list(LOCI)
    missing = np.isnan(values).mean(axis=0)
    assert missing[0] == pytest.approx(0.02, abs=0.015)
    assert missing[-1] == pytest.approx(0.55, abs=0.06)
    share = np.nanmean(values, axis=0)
    assert 0.25 < share[0] < 0.5
    assert share[1:].max() < share[0]
    inh, rif = values[:, 0], values[:, 1]
    both = np.isfinite(inh) & np.isfinite(rif)
    assert inh[both & (rif == 1)].mean() > 0.8
    assert inh[both & (rif == 0)].mean() < 0.3
    for drug in range(13):
        assert (values[:, drug] == 1).sum() >= 10
        assert (values[:, drug] == 0).sum() >= 10


def test_only_causal_loci_tell_a_drug() -> None:
    cohort = simulate_drugs(1)
    assert cohort.truth is not None
    start = LOCI.index("rpoBC") * 240
    causal = [p for p in cohort.truth.positions if start <= p < start + 240]
    common = np.array([np.bincount(cohort.codes[:, p] + 1).argmax() - 1 for p in causal])
    carrier = (cohort.codes[:, causal] != common).any(axis=1)
    rif = cohort.target.values[:, DRUGS.index("rif")]
    known = np.isfinite(rif)
    assert (rif[known] == carrier[known]).mean() == pytest.approx(0.97, abs=0.01)


def test_an_unchanged_motif_decides() -> None:
    planted = simulate_motif(1, changed=0.0)
    holds = np.array([MOTIF in encoding.decode(row) for row in planted.codes])
    assert np.array_equal(holds, planted.target.values[:, 0] == 1)
    assert planted.truth is not None
    assert planted.truth.oracle["auc"] == 1.0


def test_the_more_a_motif_is_changed_the_less_can_be_known() -> None:
    areas = []
    for changed in (0.1, 0.3, 0.5, 0.75):
        truth = simulate_motif(1, changed=changed).truth
        assert truth is not None
        areas.append(truth.oracle["auc"])
    assert areas == sorted(areas, reverse=True)
    assert areas[-1] == pytest.approx(0.5, abs=0.03)


def test_counting_matches_does_not_beat_the_motif_oracle() -> None:
    planted = simulate_motif(2)
    windows = np.lib.stride_tricks.sliding_window_view(planted.codes, len(MOTIF), axis=1)
    best = (windows == encoding.encode(MOTIF)).sum(axis=2).max(axis=1).astype(float)
    assert planted.truth is not None
    found = auc(best, planted.target.values[:, 0] == 1)
    assert 0.85 < found < planted.truth.oracle["auc"] + 0.005


def test_chromatin_follows_its_grammar() -> None:
    marks = simulate_chromatin(1, changed=0.0)
    names = [part.split() for part in marks.origin.notes[1].removeprefix("motifs: ").split(", ")]
    texts = [encoding.decode(row) for row in marks.codes]
    place = {letter: np.array([text.find(motif) for text in texts]) for letter, motif in names}
    held = {letter: found >= 0 for letter, found in place.items()}
    near = held["A"] & held["C"] & (np.abs(place["A"] - place["C"]) <= 60)
    rules = {
        "open": held["A"] | held["B"],
        "active": near,
        "silenced": held["D"] & ~held["B"],
        "enhancer": (held["E"] & held["F"] & (place["E"] < place["F"])) | near,
    }
    for column, mark in enumerate(MARKS):
        agrees = (marks.target.values[:, column] == rules[mark]).mean()
        assert agrees == pytest.approx(0.95, abs=0.015), mark
    assert (held["A"] & held["C"] & ~near).sum() > 100  # distance matters


@pytest.mark.parametrize(("dominance", "epistasis"), [(0.0, 0.0), (0.6, 0.0), (0.0, 0.6)])
def test_a_trait_has_its_heritability(dominance: float, epistasis: float) -> None:
    cohort = simulate_trait(1, samples=4000, dominance=dominance, epistasis=epistasis)
    assert cohort.truth is not None
    assert cohort.truth.oracle["r2"] == pytest.approx(0.5, abs=0.04)
    assert cohort.truth.oracle["pearson"] == pytest.approx(np.sqrt(0.5), abs=0.03)
    causes = cohort.codes[:, cohort.truth.positions].astype(float)
    mean = np.where(causes < 0, np.nan, causes)
    filled = np.where(causes < 0, np.nanmean(mean, axis=0), causes)
    design = np.column_stack([np.ones(len(filled)), filled])
    trait = cohort.target.values[:, 0]
    line = design @ np.linalg.lstsq(design, trait, rcond=None)[0]
    explained = 1 - ((trait - line) ** 2).mean() / trait.var()
    # A line sees the additive part alone (and 2 % of the calls are missing).
    assert explained == pytest.approx(0.5 * (1 - dominance - epistasis), abs=0.05)


def test_neighbours_are_linked_within_blocks() -> None:
    def neighbours(linkage: float) -> tuple[float, float]:
        codes = np.maximum(simulate_trait(1, linkage=linkage).codes, 0)
        together = np.corrcoef(codes.T)
        beside = np.diag(together, 1)
        inside = np.arange(len(beside)) % 20 != 19
        return float(beside[inside].mean()), float(np.abs(beside[~inside]).mean())

    inside, between = neighbours(0.9)
    assert inside > 0.4
    assert between < 0.05
    assert abs(neighbours(0.0)[0]) < 0.02


def test_populations_drift_apart() -> None:
    scores = []
    for drift in (0.002, 0.02, 0.1):
        cohort = simulate_ancestry(1, drift=drift)
        assert cohort.truth is not None
        scores.append(cohort.truth.oracle["accuracy"])
    assert scores == sorted(scores)
    assert scores[0] < 0.7
    assert scores[-1] > 0.99
    many = simulate_ancestry(1, variants=4000, drift=0.1)
    population = many.target.values[:, 0]
    calls = np.where(many.codes < 0, np.nan, many.codes) / 2
    frequency = np.stack([np.nanmean(calls[population == each], axis=0) for each in range(4)])
    mean = frequency.mean(axis=0)
    fst = frequency.var(axis=0, ddof=1).mean() / (mean * (1 - mean)).mean()
    assert fst == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("simulate", "asked", "match"),
    [
        (simulate_drugs, {"isolates": 299}, "at least 300 isolates, got 299"),
        (simulate_motif, {"length": 11}, "100 sequences of 12 bases, got 2000 of 11"),
        (simulate_motif, {"changed": 0.8}, r"changed must lie in \[0, 0.75\], got 0.8"),
        (simulate_chromatin, {"length": 199}, "200 bases, got 3000 of 199"),
        (simulate_trait, {"causal": 101}, r"2 to 100 causal variants .* got 1000 samples and 101"),
        (simulate_trait, {"heritability": 1.0}, r"heritability must lie in \(0, 1\), got 1"),
        (simulate_trait, {"dominance": 0.6, "epistasis": 0.6}, r"dominance \+ epistasis .* 1.2"),
        (simulate_trait, {"linkage": 1.0}, r"linkage must lie in \[0, 1\), got 1"),
        (simulate_ancestry, {"samples": 79}, "got 79 samples, 4 populations"),
        (simulate_ancestry, {"drift": 0.0}, r"drift must lie in \(0, 0.5\], got 0"),
    ],
)
def test_what_cannot_be_simulated(
    simulate: Callable[..., Dataset], asked: dict[str, float], match: str
) -> None:
    with pytest.raises(DataError, match=match):
        simulate(1, **asked)


def test_one_drug_of_many_is_a_binary_study() -> None:
    config = CatalogueData(catalogue="drugs_simulated", options={"isolates": 400})
    one = open_dataset(config, target="rif", task="binary")
    assert one.target.classes == ("0", "1")
    assert one.truth is not None
    assert 0.9 < one.truth.oracle["auc"] < 1
    assert np.isfinite(one.target.values).all()
    two = open_dataset(config, target=("rif", "inh"), task="multilabel")
    assert two.target.names == ("rif", "inh")


@pytest.mark.parametrize(
    ("name", "target", "task", "options", "match"),
    [
        ("drugs_simulated", "rfi", "binary", {}, "no target 'rfi'; it has: inh, rif"),
        ("drugs_simulated", ("rif", "inh"), "binary", {}, "a binary one of one target, got binary"),
        ("trait_simulated", "yield", "regression", {}, r"one target, trait \(regression\)"),
        ("trait_simulated", "trait", "regression", {"dominance": "all"}, "is a number, got 'all'"),
    ],
)
def test_what_an_entry_refuses(
    name: str, target: str, task: str, options: dict[str, str], match: str
) -> None:
    config = CatalogueData(catalogue=name, options=dict(options))
    with pytest.raises(InputError, match=match):
        open_dataset(config, target=target, task=task)  # type: ignore[arg-type]


def test_what_an_oracle_ranks_by_is_kept_with_the_samples(tmp_path: Path) -> None:
    whole = simulate_drugs(isolates=300)
    assert whole.truth is not None
    assert whole.truth.scores is not None
    assert whole.truth.scores.shape == whole.target.values.shape
    values = whole.target.values.copy()
    values[::2] = np.nan
    half = replace(whole, target=replace(whole.target, values=values)).labelled()
    save_dataset(half, tmp_path)
    read = load_dataset(tmp_path).truth
    assert read is not None
    place = [whole.ids.index(name) for name in half.ids]
    np.testing.assert_array_equal(read.scores, whole.truth.scores[place])
