"""What a family takes from a training part: of that part alone, through a whole trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.dataset import Dataset, Locus, Origin, Target
from geno_hpo.errors import InputError
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.evaluation.shape import model_shape
from geno_hpo.splits import make_split
from geno_hpo.training.protocol import Weights

PARAMS = {"family": "diet", "neurons": 4, "auxiliary_neurons": 4, "batch_size": 16}


def variants(seed: int = 0) -> Dataset:
    rng = np.random.default_rng(seed)
    codes = rng.integers(-1, 3, (80, 30)).astype(np.int8)
    values = (codes[:, :1] > 0).astype(np.float32)
    return Dataset(
        "toy",
        "variants",
        tuple(map(str, range(80))),
        codes,
        tuple(f"v{i}" for i in range(30)),
        Target("binary", values, ("y",), ("no", "yes")),
        Origin("test"),
    )


def evaluation(data: Dataset, **settings: object) -> NetworkEvaluation:
    split = make_split(variants(), kind="random", folds=2, test=0.2, group=None, seed=1)
    return NetworkEvaluation(data, split, PreprocessConfig(**settings), "auc")


def test_histograms_are_of_the_training_part_alone() -> None:
    data, other = variants(), variants(seed=1)
    for number, fold in enumerate(evaluation(data).split.folds):
        codes, values = other.codes.copy(), other.target.values.copy()
        codes[fold.train], values[fold.train] = (
            data.codes[fold.train],
            data.target.values[fold.train],
        )
        changed = replace(data, codes=codes, target=replace(data.target, values=values))
        one, same = (
            evaluation(each).form(PARAMS).learned(PARAMS)[number]["histograms"]
            for each in (data, changed)
        )
        assert one.shape == (30, 6)
        np.testing.assert_array_equal(one, same)
    others = {"family": "mlp"}
    assert evaluation(data).form(others).learned(others) == [{}, {}]


def carried(weights: Weights) -> np.ndarray:
    """The histograms among a network's weights: those of 12 variants in 2 classes."""
    (found,) = (value for value in weights if value.shape == (12, 6))
    return found


def test_a_trial_and_its_export_carry_the_histograms() -> None:
    judge = evaluation(variants(), select=12)
    result = judge.trial(PARAMS, epochs=2, patience=None, seed=1, report=lambda _: False)
    form = judge.form(PARAMS)
    for weights, learned in zip(result.weights, form.learned(PARAMS), strict=True):
        np.testing.assert_array_equal(carried(weights), learned["histograms"])
    assert not np.array_equal(carried(result.weights[0]), carried(result.weights[1]))
    weights = judge.refit(PARAMS, epochs=1, seed=1)
    np.testing.assert_array_equal(carried(weights), form.learned_finally(PARAMS)["histograms"])
    told = judge.predict(PARAMS, weights, judge.split.test)
    inputs = judge.variant_inputs(PARAMS, judge.split.test)
    alone = np.asarray(judge.export(PARAMS, weights)(inputs))
    np.testing.assert_allclose(alone, told, atol=1e-5)


def test_permuted_labels_give_other_histograms() -> None:
    data = variants()
    split = make_split(data, kind="random", folds=2, test=0.2, group=None, seed=1)
    one, control = (
        NetworkEvaluation(data, split, PreprocessConfig(), "auc", permutation=permutation)
        for permutation in (None, 3)
    )
    real, permuted = (each.form(PARAMS).learned(PARAMS)[0]["histograms"] for each in (one, control))
    assert not np.array_equal(real, permuted)


def test_components_have_no_histograms() -> None:
    with pytest.raises(InputError, match="family diet reads histograms of variants, which princip"):
        evaluation(variants(), components=3).form(PARAMS)


@pytest.mark.parametrize(
    ("loci", "lengths"),
    [
        ((("a", 0, 12), ("b", 12, 30)), (12, 18)),
        ((("a", 0, 30),), ()),
        ((("a", 0, 12), ("b", 14, 30)), ()),
        ((), ()),
    ],
)
def test_models_know_loci_that_fill_the_axis(
    loci: tuple[tuple[str, int, int], ...], lengths: tuple[int, ...]
) -> None:
    data = replace(variants(), kind="sequence", loci=tuple(Locus(*each) for each in loci))
    assert model_shape(data, PreprocessConfig()).loci == lengths
