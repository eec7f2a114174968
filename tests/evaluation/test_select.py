"""A configuration that selects variants for itself is one of a study that selects as many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.errors import InputError
from geno_hpo.evaluation.baseline import BaselineEvaluation
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.inputs import Inputs
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.evaluation.shape import chosen
from geno_hpo.splits import Split, make_split
from tests.test_preprocess import dosages

MLP = {"family": "mlp", "layers": 1, "neurons": 4, "batch_size": 16, "learning_rate": 0.01}
RIDGE = {"family": "ridge", "penalty": 0.5}


def table(kind: str = "variants", task: str = "binary") -> Dataset:
    codes = dosages(90, 40, seed=2)
    values = codes[:, :5].sum(axis=1, keepdims=True).astype(np.float32)
    if task == "binary":
        values = (values > np.median(values)).astype(np.float32)
    return Dataset(
        name="toy",
        kind=kind,
        ids=tuple(map(str, range(90))),
        codes=codes,
        axis=tuple(map(str, range(40))),
        target=Target(task, values, ("y",), ("no", "yes") if task == "binary" else ()),
        origin=Origin("made up"),
    )


def split_of(data: Dataset) -> Split:
    return make_split(data, kind="random", folds=3, test=0.2, group=None, seed=1)


def kept(folder: Path) -> list[str]:
    return sorted(p.name.partition("-")[0] for p in folder.iterdir() if not p.suffix)


@pytest.mark.parametrize("prune_r2", [None, 0.5])
@pytest.mark.parametrize("study", [None, 7])
def test_baselines_select_for_themselves(
    tmp_path: Path, study: int | None, prune_r2: float | None
) -> None:
    data = table()
    split, fits = split_of(data), Fits(tmp_path, "data")
    base = PreprocessConfig(select=study, prune_r2=prune_r2)
    own = BaselineEvaluation(data, split, base, "auc", fits=fits, most=9)
    for select in (3, 9, 3, None):
        params = RIDGE if select is None else {**RIDGE, "select": select}
        wanted = PreprocessConfig(select=select or study, prune_r2=prune_r2)
        theirs = BaselineEvaluation(data, split, wanted, "auc")
        results = [
            evaluation.trial("ridge", one, seed=1, report=lambda *_: False).fold_scores
            for evaluation, one in ((own, params), (theirs, RIDGE))
        ]
        assert results[0] == results[1]
        told = own.refit("ridge", params, rounds=1, seed=1)[0]
        np.testing.assert_array_equal(told, theirs.refit("ridge", RIDGE, rounds=1, seed=1)[0])
    rankings = 4 if study else 8
    assert kept(tmp_path).count("variants") == rankings, "one ranking serves every number"
    assert kept(tmp_path).count("features") == 4, "only the study's own selection fills the disk"


def test_the_launcher_fits_what_any_trial_will_read(tmp_path: Path) -> None:
    data = table()
    split, fits = split_of(data), Fits(tmp_path, "data")
    parts = [*(fold.train for fold in split.folds), split.development]
    inputs = Inputs(data, split, PreprocessConfig(), fits, most=9)
    inputs.fit_ahead(parts, 2)
    before = kept(tmp_path)
    for select in (2, 9):
        for part in parts:
            inputs.fit(part, chosen(inputs.settings, {"select": select}, data))
    assert kept(tmp_path) == before == ["variants"] * 8


def test_components_are_those_of_the_selected_variants(tmp_path: Path) -> None:
    data = table(task="regression")
    split, fits = split_of(data), Fits(tmp_path, "data")
    train = split.folds[0].train
    inputs = Inputs(data, split, PreprocessConfig(components=2), fits, most=30)
    for select in (5, 30):
        found = inputs.fit(train, chosen(inputs.settings, {"select": select}, data))
        alone = PreprocessConfig(components=2, select=select)
        wanted = Inputs(data, split, alone, Fits()).fit(train)
        for one, two in zip(found.constants, wanted.constants, strict=True):
            np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize(
    ("kind", "components", "select", "message"),
    [
        ("sequence", None, 5, "select belongs to variant tables, got 5 with sequences"),
        ("variants", None, 41, "from 1 to the 40 variants, got 41"),
        ("variants", None, 0, "from 1 to the 40 variants, got 0"),
        ("variants", None, 2.5, "from 1 to the 40 variants, got 2.5"),
        ("variants", None, True, "from 1 to the 40 variants, got True"),
        ("variants", 6, 5, "from the 6 components to the 40 variants, got 5"),
    ],
)
def test_what_cannot_be_selected_is_told(
    kind: str, components: int | None, select: float, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        chosen(PreprocessConfig(components=components), {"select": select}, table(kind))


def test_classes_of_a_trait_are_not_balanced() -> None:
    data = table(task="regression")
    with pytest.raises(InputError, match="class_weight belongs to classes, got balanced"):
        Inputs(data, split_of(data), PreprocessConfig(class_weight="balanced"), Fits())


def test_balanced_classes_are_those_of_the_training_part() -> None:
    data = table()
    split = split_of(data)
    inputs = Inputs(data, split, PreprocessConfig(class_weight="balanced"), Fits())
    train = split.folds[0].train
    weights = inputs.fit(train).weights
    share = data.target.values[train].mean()
    assert weights is not None
    np.testing.assert_allclose(weights, [[0.5 / (1 - share), 0.5 / share]], rtol=1e-6)
    assert Inputs(data, split, PreprocessConfig(), Fits()).fit(train).weights is None


@pytest.mark.slow
@pytest.mark.parametrize("components", [None, 2])
def test_networks_select_for_themselves(components: int | None) -> None:
    data = table()
    split = split_of(data)
    own = NetworkEvaluation(data, split, PreprocessConfig(components=components), "auc", most=9)
    for select in (4, 9):
        rule = PreprocessConfig(components=components, select=select, class_weight="none")
        theirs = NetworkEvaluation(data, split, rule, "auc")
        results = []
        for evaluation, params in ((own, {**MLP, "select": select}), (theirs, MLP)):
            result = evaluation.trial(
                params, epochs=2, patience=None, seed=1, report=lambda _: False
            )
            weights = evaluation.refit(params, epochs=2, seed=1)
            scaled = evaluation.variant_inputs(params, split.test)
            told = evaluation.predict(params, weights, split.test)
            model = evaluation.export(params, weights)
            np.testing.assert_allclose(np.asarray(model(scaled)), told, atol=1e-5)
            columns = evaluation.selected_columns(params)
            gradients = evaluation.gradients(params, weights, split.test)
            assert len(columns) == gradients.shape[1] == select
            results.append((result.scores, told, columns, gradients))
        for one, two in zip(*results, strict=True):
            np.testing.assert_array_equal(one, two)
    assert own.engine.compiled == 2, "one function a number of variants, in one cache"


@pytest.mark.slow
def test_networks_with_balanced_classes_differ_from_others() -> None:
    data = table()
    split = split_of(data)
    told = []
    for rule in ("none", "balanced"):
        settings = PreprocessConfig(class_weight=rule)
        evaluation = NetworkEvaluation(data, split, settings, "auc")
        weights = evaluation.refit(MLP, epochs=3, seed=1)
        told.append(evaluation.predict(MLP, weights, split.test))
    assert not np.allclose(*told)
