from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.dataset import Dataset, Origin, Target
from geno_hpo.errors import InputError
from geno_hpo.evaluation.baseline import BaselineEvaluation, features_of
from geno_hpo.evaluation.trivial import Trivial, best_columns, trivial_models
from geno_hpo.splits import make_split

N = 240


def cohort(task: str, kind: str = "variants") -> Dataset:
    """Column 3 decides the label but for noise; two lineages differ, too."""
    rng = np.random.default_rng(5)
    lineage = rng.integers(2, size=N)
    codes = rng.integers(3, size=(N, 12)).astype(np.int8)
    drive = 2.0 * (codes[:, 3] - 1) + 2.0 * (lineage - 0.5) + 0.6 * rng.normal(size=N)
    classes: tuple[str, ...] = ()
    if task == "multiclass":
        values, classes = np.digitize(drive, [-1, 1])[:, None], ("a", "b", "c")
    elif task == "multilabel":
        values = np.stack([drive > 0, -drive > 0.5], axis=1).astype(float)
        values[::7, 1] = np.nan
    elif task == "binary":
        values, classes = (drive > 0)[:, None], ("S", "R")
    else:
        values = drive[:, None]
    names = ("one", "two")[: values.shape[1]]
    return Dataset(
        name="cohort",
        kind=kind,
        codes=codes,
        ids=tuple(f"s{i}" for i in range(N)),
        axis=tuple(f"snp{i}" for i in range(12)),
        target=Target(task, values.astype(np.float32), names, classes),
        origin=Origin("made up"),
        groups={"lineage": np.where(lineage == 1, "L1", "L2")},
    )


def models(dataset: Dataset) -> dict[str, Trivial]:
    split = make_split(dataset, folds=3, test=0.2, seed=1)
    metric = {"regression": "pearson"}.get(dataset.target.task, "auc")
    evaluation = BaselineEvaluation(dataset, split, PreprocessConfig(), metric)
    return {one.name: one for one in trivial_models(evaluation, 1)}


@pytest.mark.parametrize("kind", ["variants", "sequence"])
@pytest.mark.parametrize("task", ["binary", "multiclass", "multilabel", "regression"])
def test_each_model_finds_what_it_can(task: str, kind: str) -> None:
    dataset = cohort(task, kind)
    found = models(dataset)
    assert list(found) == ["constant", "best_feature", "group: lineage"]
    chance = 0.0 if task == "regression" else 0.5
    assert found["constant"].fold_scores == pytest.approx((chance,) * 3, abs=1e-6)
    assert np.mean(found["best_feature"].fold_scores) > 0.62
    assert chance + 0.03 < np.mean(found["group: lineage"].fold_scores) < 0.75
    assert found["best_feature"].reads.startswith("snp3")
    for one in found.values():
        assert one.predictions.shape == (48, dataset.target.units)
        assert np.isfinite(one.predictions).all()


def test_the_best_feature_is_chosen_in_the_training_part_alone() -> None:
    """A column that tells the validation labels, and is noise elsewhere, is not chosen."""
    dataset = cohort("binary")
    split = make_split(dataset, folds=3, test=0.2, seed=1)
    codes = dataset.codes.copy()
    hidden = split.folds[0].valid
    codes[hidden, 7] = 2 * dataset.target.values[hidden, 0]
    evaluation = BaselineEvaluation(replace(dataset, codes=codes), split, PreprocessConfig(), "auc")
    honest = {one.name: one for one in trivial_models(evaluation, 1)}["best_feature"]
    assert honest.fold_scores[0] < 0.99


def test_the_best_column_is_the_most_correlated_one() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 9)), rng.normal(size=(50, 2))
    x[:, 4] = 0
    y[::5, 1] = np.nan
    slow = []
    for target in y.T:
        known = ~np.isnan(target)
        own = [abs(np.corrcoef(c[known], target[known])[0, 1]) for c in np.delete(x, 4, 1).T]
        slow.append(np.delete(np.arange(9), 4)[int(np.argmax(own))])
    np.testing.assert_array_equal(best_columns(x, y), slow)


def test_k_mers_are_for_sequences_and_need_a_length() -> None:
    dataset = cohort("binary", "sequence")
    split = make_split(dataset, folds=3, test=0.2, seed=1)
    evaluation = BaselineEvaluation(dataset, split, PreprocessConfig(), "auc")
    params = {"family": "kmer", "features": "kmer", "k": 1, "penalty": 0.1}
    found = evaluation.trial("kmer", params, seed=1, report=lambda *_: False)
    assert 0.5 < found.score < 0.9, "one base of twelve decides, and counts tell a little of it"
    told, _ = evaluation.refit("kmer", params, rounds=1, seed=1)
    assert told.shape == (48, 1)
    for data, wrong, message in (
        (dataset, {"k": 13}, "k must be an integer from 1 to the 12 bases, got 13"),
        (dataset, {"k": True}, "got True"),
        (dataset, {"features": "words"}, "features must be sites or kmer, got 'words'"),
        (cohort("binary"), {}, "belongs to sequences, these data are a variant table"),
    ):
        with pytest.raises(InputError, match=message):
            features_of(PreprocessConfig(), params | wrong, data)
