"""Fits are made once, kept by what they depend on, and read as they were made."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.evaluation import fits as module
from geno_hpo.evaluation.baseline import BaselineEvaluation
from geno_hpo.evaluation.fits import FEATURES, Fits
from geno_hpo.evaluation.inputs import Inputs
from geno_hpo.preprocess import TargetScale
from geno_hpo.splits import Split, make_split

TRAIN = np.arange(5)
FOREST = {"trees": 5, "max_depth": 3, "max_features": 0.5, "min_samples_leaf": 1}


Learned = tuple[TargetScale, tuple[NDArray[np.int8], None, str]]


def learn() -> Learned:
    scale = TargetScale(np.linspace(0, 1, 1000, dtype=np.float32), np.ones(1000, np.float32))
    return scale, (np.zeros((3, 400), np.int8), None, "word")


def never() -> Learned:
    raise AssertionError("this fit is kept already")


def kept(folder: Path) -> list[str]:
    return sorted(p.name.partition("-")[0] for p in folder.iterdir() if not p.suffix)


def test_a_fit_is_made_once_and_read_as_it_was_made(tmp_path: Path) -> None:
    made = Fits(tmp_path / "folds", "data").get("thing", TRAIN, {"a": 1}, learn)
    again = Fits(tmp_path / "folds", "data").get("thing", TRAIN, {"a": 1}, never)
    for value in (made, again):
        assert np.array_equal(value[0].mean, learn()[0].mean)
        assert isinstance(value[0].mean, np.memmap)
        assert value[1][1:] == learn()[1][1:]
        with pytest.raises(ValueError, match="read-only"):
            value[0].mean[0] = 1


@pytest.mark.parametrize(
    ("what", "data", "train", "depends"),
    [
        ("other", "data", TRAIN, {"a": 1}),
        ("thing", "other data", TRAIN, {"a": 1}),
        ("thing", "data", TRAIN + 1, {"a": 1}),
        ("thing", "data", TRAIN[:4], {"a": 1}),
        ("thing", "data", TRAIN, {"a": 2}),
        ("thing", "data", TRAIN, {"a": 1, "b": None}),
    ],
)
def test_whatever_a_fit_depends_on_makes_another_fit(
    tmp_path: Path, what: str, data: str, train: NDArray[np.intp], depends: dict[str, object]
) -> None:
    Fits(tmp_path, "data").get("thing", TRAIN, {"a": 1}, learn)
    with pytest.raises(AssertionError, match="kept already"):
        Fits(tmp_path, data).get(what, train, depends, never)


def test_changed_preprocessing_code_makes_another_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Fits(tmp_path, "data").get("thing", TRAIN, {}, learn)
    monkeypatch.setattr(module, "_source", lambda: "another source")
    with pytest.raises(AssertionError, match="kept already"):
        Fits(tmp_path, "data").get("thing", TRAIN, {}, never)


def test_a_fit_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        Fits(tmp_path, "data").get("thing", TRAIN, {}, never)
    assert kept(tmp_path) == []
    assert Fits(tmp_path, "data").get("thing", TRAIN, {}, learn)[1][2] == "word"


def test_what_would_fill_the_disk_stays_in_memory(tmp_path: Path) -> None:
    big = Fits(tmp_path, "data").get(FEATURES, TRAIN, {}, learn, size=2**60)
    assert not isinstance(big[0].mean, np.memmap)
    assert kept(tmp_path) == []


def test_features_can_be_dropped_and_stay_open(tmp_path: Path) -> None:
    fits = Fits(tmp_path, "data")
    features = fits.get(FEATURES, TRAIN, {}, learn)
    fits.get("variants", TRAIN, {}, learn)
    fits.drop(FEATURES)
    assert kept(tmp_path) == ["variants"]
    assert features[0].mean[-1] == 1


def _fit_slowly(folder: Path, made: Path) -> float:
    def fit() -> Learned:
        made.open("a").write("made\n")
        time.sleep(0.3)
        return learn()

    return float(Fits(folder, "data").get("thing", TRAIN, {}, fit)[0].mean.sum())


def test_two_processes_that_start_together_fit_once(tmp_path: Path) -> None:
    made = tmp_path / "made"
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        sums = pool.starmap(_fit_slowly, [(tmp_path / "folds", made)] * 2, chunksize=1)
    assert sums == [float(learn()[0].mean.sum())] * 2
    assert made.read_text() == "made\n"


def dataset(kind: str, task: str = "binary") -> Dataset:
    rng = np.random.default_rng(4)
    codes = rng.integers(-1, 3, (60, 30)).astype(np.int8)
    values = (codes[:, :1] > 0).astype(np.float32)
    if task == "regression":
        values = codes[:, :1].astype(np.float32) * 3 + 1
    classes = ("no", "yes") if task == "binary" else ()
    return Dataset(
        name="small",
        kind=kind,
        ids=tuple(map(str, range(60))),
        codes=codes,
        axis=tuple(map(str, range(30))),
        target=Target(task, values, ("y",), classes),
        origin=Origin("made up"),
    )


def split_of(data: Dataset) -> Split:
    return make_split(data, kind="random", folds=3, test=0.2, group=None, seed=1)


@pytest.mark.parametrize("kind", ["sequence", "variants"])
def test_kept_inputs_equal_fresh_ones_and_the_control_shares_them(
    tmp_path: Path, kind: str
) -> None:
    data = dataset(kind, "regression")
    split, settings = split_of(data), PreprocessConfig()
    fits = Fits(tmp_path, "data")
    inputs = Inputs(data, split, settings, fits)
    inputs.fit_all([fold.train for fold in split.folds], 2)
    assert len(kept(tmp_path)) == 3
    fresh = Inputs(data, split, settings, Fits())
    control = Inputs(data, split, settings, fits, permutation=7)
    for fold in split.folds:
        wanted = fresh.fit(fold.train)
        for found in (inputs.fit(fold.train), control.fit(fold.train)):
            assert len(found.constants) == len(wanted.constants)
            for a, b in zip(found.constants, wanted.constants, strict=True):
                assert np.array_equal(a, b)
        assert not np.array_equal(control.labels, inputs.labels)
    assert len(kept(tmp_path)) == 3, "nothing that was fitted looks at a label"


def test_selection_looks_at_labels_so_the_control_has_its_own(tmp_path: Path) -> None:
    data, settings = dataset("variants"), PreprocessConfig(select=5)
    split, fits = split_of(data), Fits(tmp_path, "data")
    train = split.folds[0].train
    for permutation in (None, 7, 8):
        Inputs(data, split, settings, fits, permutation).fit(train)
    assert len(kept(tmp_path)) == 3


@pytest.mark.parametrize("kind", ["sequence", "variants"])
def test_baselines_read_kept_features(tmp_path: Path, kind: str) -> None:
    data = dataset(kind)
    split, settings = split_of(data), PreprocessConfig()
    results = []
    for fits in (Fits(), Fits(tmp_path, "data"), Fits(tmp_path, "data")):
        evaluation = BaselineEvaluation(data, split, settings, "auc", fits=fits)
        for model, params in (("ridge", {"penalty": 1.0}), ("random_forest", FOREST)):
            result = evaluation.trial(model, params, seed=1, report=lambda *_: False)
            results.append((model, result.fold_scores))
    assert results[:2] == results[2:4] == results[4:]
    assert kept(tmp_path).count(FEATURES) == 3
    assert kept(tmp_path).count("variants") == (3 if kind == "variants" else 0)


def test_a_frozen_settings_change_is_another_fit(tmp_path: Path) -> None:
    data = dataset("variants")
    split, fits = split_of(data), Fits(tmp_path, "data")
    train = split.folds[0].train
    Inputs(data, split, PreprocessConfig(), fits).fit(train)
    Inputs(data, split, PreprocessConfig(impute="mode"), fits).fit(train)
    Inputs(replace(data, name="renamed"), split, PreprocessConfig(), fits).fit(train)
    assert len(kept(tmp_path)) == 2
