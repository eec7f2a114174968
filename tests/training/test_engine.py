"""Determinism, the cache, runtime values, ends of a trial, export and gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from geno_hpo.errors import InputError, TrialFailed
from geno_hpo.models import build
from geno_hpo.training import setup
from geno_hpo.training.compiled import Compiled
from geno_hpo.training.protocol import FitPlan
from geno_hpo.training.tensorflow import TensorFlowEngine

from . import problems
from .problems import CNN, MLP, go_on

FULL = {**CNN, "dropout": 0.3, "batch_norm": True, "l2": 1e-3}
CHANCE = {**MLP, "noise": 0.2, "mutation_rate": 0.1, "dropout": 0.2}


@pytest.fixture(scope="module")
def engine():
    return problems.engine()


def fit(engine, params, **options):
    return engine.fit(problems.plan(params, **options), go_on)


def equal(one, other):
    np.testing.assert_array_equal(one.train_loss, other.train_loss)
    for a, b in zip(one.weights, other.weights, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def test_same_seed_gives_the_same_bits(engine):
    first = fit(engine, FULL, folds=2, epochs=3)
    fit(engine, {**FULL, "dropout": 0.6, "learning_rate": 0.1, "l2": 0.1})
    again = fit(engine, FULL, folds=2, epochs=3)
    assert again.reused
    equal(first, again)
    equal(first, fit(problems.engine(), FULL, folds=2, epochs=3))


def test_noise_and_mutations_come_from_the_seed(engine):
    first = fit(engine, CHANCE, folds=2)
    equal(first, fit(problems.engine(), CHANCE, folds=2))
    other = FitPlan(CHANCE, (problems.replica(seed=8),), epochs=2)
    assert first.train_loss[0, 0] != engine.fit(other, go_on).train_loss[0, 0]


def test_inputs_made_once_or_for_each_batch_give_the_same(monkeypatch):
    for kind in ("sequence", "variants"):
        ready = fit(problems.engine(kind), MLP, kind=kind, folds=2)
        monkeypatch.setattr("geno_hpo.training.engine.READY_BYTES", 0)
        coded = fit(problems.engine(kind), MLP, kind=kind, folds=2)
        monkeypatch.undo()
        equal(ready, coded)


def test_replicas_do_not_touch_each_other(engine):
    together = fit(engine, FULL, folds=3, epochs=3, restore="last")
    alone = fit(engine, FULL, folds=1, epochs=3, restore="last")
    np.testing.assert_array_equal(together.train_loss[0], alone.train_loss[0])
    for x, y in zip(together.weights[0], alone.weights[0], strict=True):
        np.testing.assert_array_equal(x, y)


def test_another_seed_gives_another_model(engine):
    one, other = (
        FitPlan(FULL, (problems.replica(seed=seed),), epochs=1, restore="last") for seed in (1, 2)
    )
    first, second = engine.fit(one, go_on).weights[0], engine.fit(other, go_on).weights[0]
    assert not np.array_equal(first[0], second[0])


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("dropout", 0.0, 0.5),
        ("l2", 0.0, 0.3),
        ("learning_rate", 1e-4, 1e-2),
        ("label_smoothing", 0.0, 0.5),
        ("weight_decay", 0.0, 0.3),
        ("beta_1", 0.5, 0.95),
        ("l1", 0.0, 0.1),
        ("focal_gamma", 0.0, 3.0),
        ("clip_norm", 1e-3, 1e3),
        ("noise", 0.0, 0.5),
        ("mutation_rate", 0.0, 0.4),
        ("strand_flip", 0.0, 0.5),
        ("cutout", 0.0, 0.5),
        ("mixup", 1e-3, 0.5),
        ("max_norm", 0.5, 1e3),
        ("batch_size", 8, 45),
        ("warmup", 0.0, 2.0),
    ],
)
def test_runtime_values_share_a_function_and_act(name, low, high):
    engine = problems.engine()
    first = fit(engine, {**MLP, name: low})
    second = fit(engine, {**MLP, name: high})
    assert (first.reused, second.reused, engine.compiled) == (False, True, 1)
    assert not np.allclose(first.weights[0][0], second.weights[0][0])


def test_off_equals_absent(engine):
    zero = dict.fromkeys(("dropout", "l1", "l2", "label_smoothing", "focal_gamma"), 0.0)
    zero |= {"noise": 0.0, "mutation_rate": 0.0, "clip_norm": 1e9, "warmup": 0.0}
    zero |= {"cutout": 0.0, "strand_flip": 0.0, "mixup": 1e-6, "max_norm": 1e9}
    one, other = fit(engine, MLP), fit(engine, {**MLP, **zero})
    for x, y in zip(one.weights[0], other.weights[0], strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


def test_cache_is_bounded():
    engine = problems.engine(cache_size=2)
    kinds = [{**MLP, "neurons": n} for n in (2, 3, 4)]
    reused = [fit(engine, params, epochs=1).reused for params in (*kinds, kinds[2], kinds[0])]
    assert reused == [False, False, False, True, False]
    assert engine.compiled == 2


def test_prediction_alone_does_not_count_as_reuse():
    engine = problems.engine()
    weights = tuple(v.numpy() for v in build(MLP, problems.shape("sequence", "binary")).weights)
    assert engine.predict(MLP, weights, np.arange(5)).shape == (5, 1)
    assert not fit(engine, MLP).reused


def by_epoch(values):
    """An engine whose validation score in epoch e is values[e − 1]."""
    given, told = problems.coding("sequence"), iter(values)
    return TensorFlowEngine(
        given,
        problems.targets("binary", given.codes),
        problems.shape("sequence", "binary"),
        lambda truth, prediction: next(told),
    )


@pytest.mark.parametrize(
    ("scores", "options", "epochs", "best", "ended"),
    [
        ([0.1, 0.3, 0.2, 0.2, 0.9], {"patience": 2}, 4, 2, "early stopping"),
        ([0.9, 0.3, 0.2, 0.25], {"patience": 2, "maximise": False}, 4, 3, "epochs"),
        ([0.1, 0.3, 0.2, 0.4], {"patience": 2}, 4, 4, "epochs"),
        ([0.2, 0.2, 0.2, 0.2], {}, 4, 1, "epochs"),
        ([float("nan"), 0.2, 0.1, 0.1], {}, 4, 2, "epochs"),
    ],
)
def test_best_epoch_and_patience(scores, options, epochs, best, ended):
    result = by_epoch(scores).fit(problems.plan(MLP, **{"epochs": len(scores), **options}), go_on)
    assert (result.epochs, result.best_epoch, result.ended) == (epochs, best, ended)
    np.testing.assert_array_equal(result.scores, [scores[:epochs]])
    assert result.best_score == scores[best - 1]


def test_best_weights_are_restored(engine):
    result = by_epoch([0.5, 0.9, 0.1]).fit(problems.plan(FULL, epochs=3), go_on)
    shorter = fit(engine, FULL, epochs=2, restore="last")
    for x, y in zip(result.weights[0], shorter.weights[0], strict=True):
        np.testing.assert_array_equal(x, y)
    one = problems.replica()
    again = engine.predict(FULL, result.weights[0], one.valid, one.constants)
    np.testing.assert_allclose(result.valid_predictions[0], again, atol=1e-6)


def test_the_report_can_stop(engine):
    told = []

    def report(epoch):
        told.append(epoch)
        return epoch.epoch == 2

    result = engine.fit(problems.plan(MLP, epochs=9, folds=2), report)
    assert (result.ended, result.epochs, len(told)) == ("stopped", 2, 2)
    assert told[1].score == pytest.approx(np.mean(told[1].fold_scores))
    assert told[0].train_loss.shape == (2,)
    np.testing.assert_array_equal(result.valid_loss[:, 1], told[1].valid_loss)
    assert {"trace", "train", "validate", "report", "other"} == set(result.seconds)


def test_loss_and_accuracy_are_those_of_the_predictions(engine):
    result = fit(engine, MLP, epochs=1)
    one = problems.replica()
    truth = problems.targets("binary", problems.coding("sequence").codes)[one.valid]
    chance = result.valid_predictions[0]
    loss = -np.mean(truth * np.log(chance) + (1 - truth) * np.log1p(-chance))
    assert result.valid_loss[0, 0] == pytest.approx(loss, rel=1e-5)
    assert result.valid_accuracy[0, 0] == pytest.approx(np.mean((chance > 0.5) == truth))


def test_without_validation_samples(engine):
    one = problems.replica()
    bare = type(one)(one.train, one.train[:0], one.seed)
    result = engine.fit(FitPlan(FULL, (bare,), epochs=2, restore="last"), go_on)
    assert np.isnan(result.scores).all()
    assert result.best_epoch == 2
    assert result.valid_predictions[0].shape == (0, 1)
    judged = fit(engine, FULL, restore="last")
    np.testing.assert_array_equal(result.train_loss, judged.train_loss)


def test_non_finite_loss_ends_the_trial():
    engine = problems.engine(task="regression")
    params = {**MLP, "optimizer": "sgd", "learning_rate": 1e12, "activation": "elu"}
    with pytest.raises(TrialFailed, match=r"in epoch 1, fold 1 \(learning rate 1e\+12\)") as told:
        fit(engine, params, task="regression", folds=2)
    assert told.value.kind == "non-finite"
    fine = fit(engine, {**params, "learning_rate": 1e-3}, task="regression", folds=2)
    assert fine.reused
    assert np.isfinite(fine.train_loss).all()


@pytest.fixture
def small_memory(monkeypatch):
    """Epochs run out of memory above a batch size; gives the sizes that were tried."""
    tried = []
    whole = Compiled.epoch

    def limit(most, begin=1):
        def epoch(self, state, order, *rest):
            tried.append(self._batch)
            if self._batch > most and len(tried) >= begin:
                raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
            return whole(self, state, order, *rest)

        monkeypatch.setattr(Compiled, "epoch", epoch)
        return tried

    return limit


def test_out_of_memory_halves_the_batch(small_memory):
    engine = problems.engine()
    expected = fit(engine, {**MLP, "batch_size": 5}, folds=2)
    told = []
    tried = small_memory(5, begin=4)  # in the middle of the trial: traced, two replicas trained
    plan = problems.plan({**MLP, "batch_size": 20}, folds=2)
    result = engine.fit(plan, lambda epoch: told.append(epoch.epoch))
    assert (tried[0], tried[-1], result.batch_size) == (20, 5, 5)
    assert result.notes == (
        "out of memory with batch size 20; begun again with 10",
        "out of memory with batch size 10; begun again with 5",
    )
    assert told == [1, 1, 2]
    equal(result, expected)
    assert (expected.batch_size, expected.notes) == (5, ())


@pytest.mark.parametrize(("asked", "last"), [(64, 8), (9, 1), (2, 1), (1, 1)])
def test_out_of_memory_ends_the_trial(asked, last, small_memory):
    engine = problems.engine()
    small_memory(0)
    with pytest.raises(TrialFailed, match=f"out of memory with batch size {last}: OOM") as told:
        fit(engine, {**MLP, "batch_size": asked})
    assert told.value.kind == "memory"
    assert engine.compiled == 0


@pytest.mark.parametrize("kind", ["sequence", "variants"])
@pytest.mark.parametrize(
    ("family", "task"),
    [
        (family, task)
        for family in ("cnn", "mlp")
        for task in problems.TASKS
        if (family, task) != ("cnn", "counts")
    ],
)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's own
def test_tasks_and_kinds(family, task, kind, tmp_path):
    """Models train, are exported, saved and loaded for every task and kind of data."""
    params = {"family": family, "batch_norm": True, "dropout": 0.2, "batch_size": 16}
    engine = problems.engine(kind, task)
    result = fit(engine, params, kind=kind, task=task, folds=2, epochs=3)
    assert result.train_loss.shape == (2, 3)
    assert np.isnan(result.valid_accuracy).all() == (task in ("regression", "counts"))
    one = problems.replica(1, kind, task)
    scaled = engine.predict(params, result.weights[1], one.valid, one.constants)
    original = engine.predict(params, result.weights[1], one.valid, one.constants, one.target_scale)
    np.testing.assert_allclose(original, result.valid_predictions[1], atol=1e-5)
    model = engine.export(params, result.weights[1])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    coding = problems.coding(kind)
    inputs = np.array(coding.inputs(coding.codes[one.valid], *one.constants))
    for given in (model, loaded):
        np.testing.assert_allclose(given.predict_on_batch(inputs), scaled, atol=1e-6)
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)


@pytest.mark.parametrize("kind", ["sequence", "variants"])
def test_input_gradients_equal_finite_differences(kind):
    params = {**MLP, "activation": "tanh", "batch_norm": True}
    engine = problems.engine(kind, "multiclass", chunk=4)
    one = problems.replica(0, kind, "multiclass")
    result = fit(engine, params, kind=kind, task="multiclass")
    samples = one.valid[:5]
    given = engine.input_gradients(params, result.weights[0], samples, one.constants, output=2)
    coding = problems.coding(kind)
    inputs = np.array(coding.inputs(coding.codes[samples], *one.constants))
    assert given.shape == inputs.shape
    model = build(params, problems.shape(kind, "multiclass"), plain=True)
    model.set_weights(list(result.weights[0]))
    step = 1e-2
    for place in list(np.ndindex(inputs.shape))[::7]:
        moved = np.repeat(inputs[place[0]][None], 2, axis=0)
        moved[(0, *place[1:])] += step
        moved[(1, *place[1:])] -= step
        up, down = model.predict_on_batch(moved)[:, 2]
        assert given[place] == pytest.approx((up - down) / (2 * step), abs=2e-3)


@pytest.mark.parametrize("size", [0, 1, 4, 5, 60])
def test_chunks_do_not_change_predictions(size):
    params = {**CNN, "batch_norm": True}
    weights = tuple(v.numpy() for v in build(params, problems.shape("sequence", "binary")).weights)
    samples = np.arange(size)
    small = problems.engine(chunk=4).predict(params, weights, samples)
    whole = problems.engine().predict(params, weights, samples)
    assert small.shape == (size, 1)
    np.testing.assert_allclose(small, whole, atol=1e-6)


def test_wide_inputs_are_predicted_fewer_at_once(monkeypatch):
    weights = tuple(v.numpy() for v in build(MLP, problems.shape("sequence", "binary")).weights)
    whole = problems.engine().predict(MLP, weights, np.arange(60))
    monkeypatch.setattr("geno_hpo.training.engine.CHUNK_BYTES", 1)
    alone = problems.engine()
    assert alone._chunk == 1
    np.testing.assert_allclose(alone.predict(MLP, weights, np.arange(60)), whole, atol=1e-6)


def test_bad_input_is_told(engine):
    one = problems.replica()
    with pytest.raises(InputError, match=r"sample indices must lie in \[0, 60\), got \[60, 60\]"):
        engine.predict(MLP, (), np.array([60]))
    with pytest.raises(InputError, match=r"constants of shapes \[\], got \[\(2,\)\]"):
        engine.predict(MLP, (), np.array([0]), (np.zeros(2),))
    with pytest.raises(InputError, match=r"output must lie in \[0, 1\), got 1"):
        engine.input_gradients(MLP, (), one.valid, output=1)
    coding = problems.coding("sequence")
    with pytest.raises(InputError, match="targets must be"):
        TensorFlowEngine(
            coding, np.zeros((3, 1), np.float32), problems.shape("sequence", "binary"), go_on
        )
    with pytest.raises(InputError, match="the coding gives inputs"):
        TensorFlowEngine(
            coding, np.zeros((60, 1), np.float32), problems.shape("variants", "binary"), go_on
        )


def test_threads_are_set_once():
    setup.configure(threads=1)
    with pytest.raises(InputError, match="it runs with 1"):
        setup.configure(threads=2)
    with pytest.raises(InputError, match="threads must be at least 1, got 0"):
        setup.configure(threads=0)
