"""Imputation by neighbours: as scikit-learn's, from the training part alone, in every model."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from sklearn.impute import KNNImputer
from sklearn.metrics.pairwise import nan_euclidean_distances

from geno_hpo.config import PreprocessConfig
from geno_hpo.errors import InputError
from geno_hpo.evaluation import inputs as inputs_module
from geno_hpo.evaluation.baseline import BaselineEvaluation
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.inputs import Inputs
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.preprocess import fit_variants, sequence_features
from geno_hpo.preprocess.neighbours import Neighbours
from tests.evaluation.test_select import MLP, RIDGE, kept, split_of, table
from tests.test_preprocess import NO_LABELS, Settings, dosages

KNN = Settings(impute="knn", scale="none", neighbours=4)


def untied(codes: np.ndarray, donors: np.ndarray) -> np.ndarray:
    """Samples to which no two donors are equally near: others may take either."""
    far = nan_euclidean_distances(codes.astype(float), donors.astype(float), missing_values=-1)
    return (np.diff(np.sort(far, axis=1), axis=1) > 1e-6).all(axis=1)


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("missing", [0.02, 0.4])
@pytest.mark.parametrize("count", [1, 3, 9])
def test_it_gives_what_scikit_learn_gives(count: int, missing: float, weights: str) -> None:
    codes = dosages(60, 1500, seed=3, missing=missing)
    train, other = codes[:40], codes[40:]
    imputer = KNNImputer(n_neighbors=count, weights=weights, missing_values=-1)
    imputer.fit(train.astype(np.float64))
    fill = np.where(train < 0, np.nan, train.astype(np.float32))
    own = Neighbours(train, np.nanmean(fill, axis=0).astype(np.float32), count, weights)
    for part in (train, other):
        rows = untied(part, train)
        assert rows.mean() > 0.3
        wanted = imputer.transform(part[rows].astype(np.float64))
        np.testing.assert_allclose(own.impute(part[rows]), wanted, atol=1e-5)


def test_a_copy_tells_what_is_missing() -> None:
    codes = np.array([[0, 1, 2, 1], [0, 1, 2, 1], [2, 0, 0, 2], [2, 0, 0, -1]], np.int8)
    found = Neighbours(codes, np.ones(4, np.float32), 1).impute(
        np.array([[0, 1, -1, 1], [2, -1, 0, 2], [-1, -1, -1, -1]], np.int8)
    )
    np.testing.assert_array_equal(found, [[0, 1, 2, 1], [2, 0, 0, 2], [1, 1, 1, 1]])


def test_the_distance_zero_outweighs_all_others() -> None:
    codes = np.array([[0, 1, 2], [0, 2, 0], [0, 1, 1]], np.int8)
    own = Neighbours(codes, np.zeros(3, np.float32), 2, "distance")
    found = own.impute(np.array([[0, 2, -1]], np.int8))
    assert found[0, 2] == 0


def test_samples_outside_the_training_part_are_never_neighbours() -> None:
    codes, train = dosages(90, 50, missing=0.2), np.arange(60)
    twin = codes.copy()
    twin[60:] = 2 - np.maximum(twin[60:], 0)  # whoever validates or tests is another sample
    first, second = (fit_variants(each, NO_LABELS, train, KNN, "binary") for each in (codes, twin))
    np.testing.assert_array_equal(
        first.transform(codes, train), second.transform(twin, train), "learned from the training"
    )
    alone = first.transform(codes, np.array([70]))
    together = first.transform(codes)[[70]]
    np.testing.assert_array_equal(alone, together, "what is imputed together tells nothing")


def test_a_planted_leak_is_seen() -> None:
    """Neighbours of all samples would tell a validation sample's twin; ours do not."""
    codes = dosages(80, 60, missing=0.0)
    codes[40:] = codes[:40]
    hidden = codes.copy()
    hidden[:40, 7] = -1  # the training part never saw the variant ...
    hidden[60:, 7] = -1  # ... whose dosage half of the others hold
    rule = replace(KNN, neighbours=1)
    fair = fit_variants(hidden, NO_LABELS, np.arange(40), rule, "binary")
    leaky = fit_variants(hidden, NO_LABELS, np.arange(60), rule, "binary")
    truth = codes[60:, 7].astype(np.float32)
    assert (leaky.transform(hidden, np.arange(60, 80))[:, 7] == truth).mean() > 0.3
    assert not fair.transform(hidden, np.arange(60, 80))[:, 7].any(), "silent: nothing is known"


@pytest.mark.parametrize("components", [None, 3])
def test_inputs_are_standardised_after_imputation(components: int | None) -> None:
    codes, train = dosages(80, 30, missing=0.3), np.arange(0, 80, 2)
    rule = replace(KNN, scale="standard", components=components)
    fitted = fit_variants(codes, NO_LABELS, train, rule, "binary")
    x = fitted.scaled(codes)
    np.testing.assert_allclose(x[train].mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x[train].std(axis=0), 1, rtol=1e-5)
    if components is not None:
        np.testing.assert_allclose(fitted.transform(codes), x @ fitted.axes, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("count", [0, 10, 11])
def test_there_are_fewer_neighbours_than_samples(count: int) -> None:
    with pytest.raises(InputError, match=rf"lie in \[1, 10\), .*training samples, got {count}"):
        Neighbours(dosages(10, 5), np.zeros(5, np.float32), count)


def test_what_memory_should_not_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs_module, "MOST_IMPUTED", 4 * 90 * 39)
    data = table()
    split = split_of(data)
    train = split.folds[0].train
    Inputs(data, split, PreprocessConfig(impute="knn", select=39), Fits()).fit(train)
    with pytest.raises(InputError, match=r"90 × 40 need 14,400: select fewer variants"):
        Inputs(data, split, PreprocessConfig(impute="knn"), Fits()).fit(train)


def test_baselines_and_networks_read_the_same_inputs(tmp_path) -> None:
    data = table()
    split, fits = split_of(data), Fits(tmp_path, "data")
    rule = PreprocessConfig(impute="knn", select=12, neighbours=3)
    inputs = Inputs(data, split, rule, fits)
    baselines = BaselineEvaluation(data, split, rule, "auc", fits=fits)
    for fold, made in zip(split.folds, baselines.folds, strict=True):
        (whole,) = inputs.fit(fold.train).constants
        np.testing.assert_array_equal(made.x_train, whole[fold.train])
        np.testing.assert_array_equal(made.x_valid, whole[fold.valid])
    assert kept(tmp_path).count("imputed") == 3
    baselines.trial("ridge", {**RIDGE, "select": 5}, seed=1, report=lambda *_: False)
    assert kept(tmp_path).count("imputed") == 3, "only the study's own selection fills the disk"


@pytest.mark.slow
@pytest.mark.parametrize("components", [None, 2])
def test_networks_learn_from_them(components: int | None) -> None:
    data = table()
    split = split_of(data)
    rule = PreprocessConfig(impute="knn", components=components, neighbours=3)
    evaluation = NetworkEvaluation(data, split, rule, "auc", most=9)
    for params, width in ((MLP, 40), ({**MLP, "select": 9}, 9)):
        result = evaluation.trial(params, epochs=2, patience=None, seed=1, report=lambda _: False)
        assert np.isfinite(result.scores).all()
        weights = evaluation.refit(params, epochs=2, seed=1)
        told = evaluation.predict(params, weights, split.test)
        scaled = evaluation.variant_inputs(params, split.test)
        model = evaluation.export(params, weights)
        np.testing.assert_allclose(np.asarray(model(scaled)), told, atol=1e-5)
        assert evaluation.gradients(params, weights, split.test).shape[1] == width


def test_only_what_is_used_is_copied() -> None:
    """Baselines' matrices: the selected columns, in blocks, whatever else the table holds."""
    samples, variants, select = 400, 50_000, 200
    codes = np.zeros((samples, variants), np.int8)
    codes[:, ::50] = dosages(samples, variants // 50, missing=0.0)
    labels = codes[:, [0]].astype(np.float32)
    train = np.arange(0, samples, 2)
    fitted = fit_variants(codes, labels, train, Settings(select=select), "regression")
    sites = sequence_features(codes, train)
    for transform, most in (
        (fitted.transform, 4 * len(train) * select),
        (sites.transform, len(train) * len(sites.columns)),
    ):
        tracemalloc.start()
        made = transform(codes, train)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert made.nbytes == most
        assert peak < 3 * most, "20 MB of codes stay where they are"
