"""Checks of the JAX engine alone, run by `tests.training.both` in a process on that backend."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

from geno_hpo.errors import InputError, TrialFailed
from geno_hpo.study.worker import Worker
from geno_hpo.training.jax import JaxEngine, _epoch_of
from geno_hpo.training.protocol import FitPlan
from geno_hpo.training.replicas import stacked
from geno_hpo.training.turns import Courses
from tests.conftest import STUDY, write_project
from tests.study.test_worker import begun, launch_runs, scores

from . import problems
from .keras_fit import compare
from .problems import CNN, MLP, go_on
from .test_families import CASES as FAMILIES

CHANCE = {
    "dropout": 0.3,
    "noise": 0.2,
    "mutation_rate": 0.1,
    "strand_flip": 0.3,
    "cutout": 0.2,
    "mixup": 0.4,
    "label_smoothing": 0.1,
    "focal_gamma": 1.0,
}


def equal(one, other, tolerance=0.0):
    np.testing.assert_allclose(one.train_loss, other.train_loss, rtol=tolerance, atol=tolerance)
    for a, b in zip(one.weights, other.weights, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_allclose(x, y, rtol=0, atol=tolerance)


def check_equals_fit():
    """Weights after two epochs equal those of model.fit; the last batch has 13 samples of 16."""
    compare({**CNN, "batch_norm": True, "l2": 0.02}, tolerance=2e-5)


def check_chance_comes_from_the_seed_and_rates_are_values():
    engine = problems.engine()
    first = engine.fit(problems.plan({**MLP, **CHANCE}, folds=2), go_on)
    other = engine.fit(problems.plan({**MLP, **CHANCE, "dropout": 0.6}, folds=2), go_on)
    again = engine.fit(problems.plan({**MLP, **CHANCE}, folds=2), go_on)
    assert (first.reused, other.reused, again.reused) == (False, True, True)
    assert np.isfinite(first.train_loss).all()
    equal(first, again)
    assert not np.allclose(first.train_loss, other.train_loss)
    one = problems.replica(seed=8)
    plan = FitPlan({**MLP, **CHANCE}, (one, replace(one, seed=9)), epochs=2)
    seeds = engine.fit(plan, go_on)
    assert seeds.reused
    assert seeds.train_loss[0, 0] != seeds.train_loss[1, 0]


def check_groups_and_both_ways_of_going_together():
    """Memory for two of three replicas: groups of two; vmap and map agree."""
    params = {**MLP, "dropout": 0.2, "batch_norm": True}
    plan = problems.plan(params, folds=3, restore="last")
    whole = problems.engine(together="map").fit(plan, go_on)
    equal(whole, problems.engine(together="vmap").fit(plan, go_on), 1e-5)
    engine = problems.engine(together="map")
    batched = engine._compiled(params)
    engine._memory = _room(engine, batched, plan)
    parted = engine.fit(plan, go_on)
    equal(whole, parted, 1e-6)
    assert parted.way.startswith("2 replicas in one program")
    assert "3 replicas at once would need" in parted.notes[0]
    engine._memory = 1000
    with pytest.raises(TrialFailed, match="one replica needs") as told:
        engine.fit(problems.plan({**params, "batch_size": 1}), go_on)
    assert told.value.kind == "memory"


def _room(engine, batched, plan):
    """Just too little memory for all replicas."""
    from geno_hpo.training.joint import USED, _needed

    trial, shared, states = _prepared(engine, batched, plan)
    program, _ = batched.program((stacked(states),), _epoch_of(trial, 1), shared)
    return int((_needed(program) - 1) / USED)


def _prepared(engine, batched, plan):
    from geno_hpo.models import complete

    full = complete(plan.params, problems.shape("sequence", "binary"))
    trial, shared = engine._trial(plan, full, batched)
    states = [
        batched.body.initial_state(replica.seed, "glorot_uniform", {}) for replica in plan.replicas
    ]
    return trial, shared, states


def check_a_replica_that_leaves_the_numbers_harms_no_other():
    """Its trial fails; what its neighbours in the program became is what they are without it."""
    params = {**MLP, "batch_norm": True}
    engine = problems.engine(together="vmap")
    plan = problems.plan(params, folds=2, restore="last")
    batched = engine._compiled(params)
    trial, shared, states = _prepared(engine, batched, plan)
    epoch, stack = _epoch_of(trial, 1), (stacked(states),)
    program, _ = batched.program(stack, epoch, shared)
    well = program(stack, epoch, shared)
    rates = epoch.rates.copy()
    rates[1] = np.inf
    ill = program(stack, epoch._replace(rates=rates), shared)
    assert not np.isfinite(np.asarray(ill[1])[1]).all()
    np.testing.assert_array_equal(np.asarray(ill[0][0][0])[0], np.asarray(well[0][0][0])[0])
    np.testing.assert_array_equal(np.asarray(ill[3])[0], np.asarray(well[3])[0])
    wild = {**params, "optimizer": "sgd", "learning_rate": 1e38}
    with pytest.raises(TrialFailed, match="in epoch") as told:
        problems.engine().fit(problems.plan(wild, folds=2, epochs=3), go_on)
    assert told.value.kind == "non-finite"


def let_on(courses):
    """Let courses on together to their ends: results or errors by key, in the order of ending."""
    ended = {}

    def kept(key, course):
        try:
            ended[key] = yield from course
        except TrialFailed as error:
            ended[key] = error

    under_way = Courses()
    for key, course in courses.items():
        under_way.begin(key, kept(key, course))
    while len(under_way):
        under_way.advance()
    return ended


def check_trials_of_one_shape_go_together_and_end_as_they_do_alone():
    """Four rates in one program; one of them leaves early, one by its numbers."""
    params = {**MLP, "dropout": 0.2, "batch_norm": True, "optimizer": "sgd"}
    rates = {"slow": 1e-3, "quick": 1e-1, "pruned": 1e-2, "wild": 1e38}
    plans = {
        name: problems.plan({**params, "learning_rate": rate}, folds=2, epochs=4)
        for name, rate in rates.items()
    }
    plans["wide"] = problems.plan({**params, "neurons": 9}, folds=2, epochs=3)
    reports = dict.fromkeys(plans, go_on) | {"pruned": lambda epoch: epoch.epoch == 2}
    engine = problems.engine(together="map")
    found = let_on({name: engine.course(plan, reports[name]) for name, plan in plans.items()})
    assert list(found) == ["wild", "pruned", "wide", "slow", "quick"]
    assert found.pop("wild").kind == "non-finite"
    assert found["slow"].way == "8 replicas in one program (map), of 4 trials"
    assert found["wide"].way == "2 replicas in one program (map)"
    assert found["slow"].seconds["neighbours"] > 0
    for name, result in found.items():
        single = engine.fit(plans[name], reports[name])
        assert (result.epochs, result.best_epoch) == (single.epochs, single.best_epoch)
        np.testing.assert_array_equal(result.scores, single.scores)
        equal(result, single)
    other = problems.engine(together="vmap")
    shorter = replace(plans["pruned"], epochs=1)
    pair = let_on({name: other.course(plans[name], go_on) for name in ("slow", "quick")})
    assert other.fit(shorter, go_on).reused, "a larger program that is there serves, too"
    for name, result in pair.items():
        assert result.way == "4 replicas in one program (vmap), of 2 trials"
        np.testing.assert_allclose(result.scores, found[name].scores, rtol=1e-5, atol=1e-5)
        equal(result, found[name], 1e-5)


def check_one_that_joins_later_and_one_without_memory_leave_the_others_alone():
    params = {**MLP, "batch_norm": True}
    engine = problems.engine(together="map")
    first, second = (problems.plan({**params, "l2": x}, folds=2, epochs=4) for x in (0.0, 0.1))
    ended = {}

    def kept(key, course):
        ended[key] = yield from course

    under_way = Courses()
    under_way.begin("first", kept("first", engine.course(first, go_on)))
    under_way.advance()
    assert engine._compiled(first.params).most == {}
    program = engine._compiled(first.params).program
    asked = []

    def too_much(stacks, epoch, shared):
        asked.append(len(epoch.size))
        if len(epoch.size) > 2:
            raise MemoryError
        return program(stacks, epoch, shared)

    engine._compiled(first.params).program = too_much
    under_way.begin("second", kept("second", engine.course(second, go_on)))
    while len(under_way):
        under_way.advance()
    assert asked[:3] == [4, 2, 2]
    assert max(asked[1:]) == 2
    assert ended["first"].notes == ended["second"].notes == ("memory ran out: 2 at once",)
    for name, plan in (("first", first), ("second", second)):
        equal(ended[name], engine.fit(plan, go_on))


def check_a_worker_trains_several_trials_of_two_shapes_at_once():
    """A study's trials, the control's too, score what they score one by one; nothing is lost."""
    for name in ("GENO_HPO_STORAGE", "MLFLOW_TRACKING_URI"):
        os.environ.pop(name, None)
    study = STUDY.replace("trials: 4, epochs: 5", "trials: 5, epochs: 3")
    study = study.replace("ridge: {trials: 2}", "ridge: false")
    found, ways = [], []
    for at_once in (1, 4):
        with (
            tempfile.TemporaryDirectory() as folder,
            begun(write_project(Path(folder), study)) as (launch, pools, record),
        ):
            assert Worker(launch.plan, maximise=True, at_once=at_once).run() == 6
            found.append(scores(pools))
            trials = [*pools["network"].trials(), *pools["control"].trials()]
            assert {trial.state for trial in trials} == {TrialState.COMPLETE}
            ways.append([trial.user_attrs["way"] for trial in trials])
            runs = launch_runs(launch, record)
            assert len(runs) == 6
            assert {run.data.tags["backend"] for run in runs} == {"jax"}
    assert found[0] == found[1]
    assert not any("trials" in way for way in ways[0])
    assert sum("trials" in way for way in ways[1]) >= 3, ways[1]


def check_the_other_families_train_with_fewer_digits_too():
    """Those that the contract of both engines does not train, hidden layers in bfloat16."""
    for name in ("dilated", "residual", "snp_cnn", "rnn", "attention"):
        params, kind, task = FAMILIES[name]
        given = problems.coding(kind)
        shape = replace(problems.shape(kind, task), policy="mixed_bfloat16")
        engine = JaxEngine(given, problems.targets(task, given.codes), shape, problems.score)
        result = engine.fit(problems.plan(params, kind, task, epochs=1), go_on)
        assert np.isfinite(result.train_loss).all(), name
        assert {array.dtype for array in result.weights[0]} == {np.dtype(np.float32)}, name
        assert result.valid_predictions[0].dtype == np.float32, name


def check_early_stopping_and_the_best_epoch():
    values = iter([0.1, 0.3, 0.2, 0.2, 0.9])
    engine = problems.engine(score=lambda truth, prediction: next(values))
    result = engine.fit(problems.plan(MLP, epochs=5, patience=2), go_on)
    assert (result.epochs, result.best_epoch, result.ended) == (4, 2, "early stopping")
    shorter = problems.engine().fit(problems.plan(MLP, epochs=2, restore="last"), go_on)
    for x, y in zip(result.weights[0], shorter.weights[0], strict=True):
        np.testing.assert_array_equal(x, y)
    one = problems.replica()
    again = engine.predict(MLP, result.weights[0], one.valid)
    np.testing.assert_allclose(result.valid_predictions[0], again, atol=1e-6)
    loaded = engine.export(MLP, result.weights[0])
    coding = problems.coding("sequence")
    inputs = np.array(coding.inputs(coding.codes[one.valid]))
    np.testing.assert_allclose(loaded.predict_on_batch(inputs), again, atol=1e-6)
    with pytest.raises(InputError, match=r"sample indices must lie in \[0, 60\)"):
        engine.predict(MLP, result.weights[0], np.array([60]))


def check_a_probe_and_the_engine_agree():
    from geno_hpo.models import build
    from geno_hpo.training.probe import Probe

    params = {**CNN, "batch_norm": True, "activation": "tanh"}
    shape = problems.shape("sequence", "multiclass")
    weights = tuple(np.asarray(v) for v in build(params, shape, seed=3).weights)
    samples = np.arange(5)
    engine = problems.engine(task="multiclass", chunk=4)
    slopes = engine.input_gradients(params, weights, samples, output=2)
    probe = Probe(params, shape, weights)
    coding = problems.coding("sequence")
    inputs = np.array(coding.inputs(coding.codes[samples]))
    np.testing.assert_allclose(probe.gradients(inputs, 2), slopes, atol=1e-5)
    powers = np.exp(probe.logits(inputs))
    chances = powers / powers.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(engine.predict(params, weights, samples), chances, atol=1e-5)
    assert probe.first_layer().activations(inputs).shape == (5, problems.LENGTH, 5)
