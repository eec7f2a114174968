"""The contract of every family: trained as by model.fit, saved, loaded, and the same output."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from geno_hpo.errors import InputError
from geno_hpo.models import FAMILIES, build
from geno_hpo.models.initial import inference_variables
from geno_hpo.training.protocol import FitPlan

from . import problems
from .keras_fit import compare

SIZE = {"batch_size": 16, "learning_rate": 0.01}
TOWER = {**SIZE, "filters": 5, "kernel": 3, "neurons": 6}
CASES = {
    "cnn": (
        {
            **TOWER,
            "family": "cnn",
            "conv_layers": 2,
            "convolutions": 2,
            "growth": "doubled",
            "later_kernel": 2,
            "padding": "valid",
            "batch_norm": True,
        },
        "sequence",
        "binary",
    ),
    "cnn both strands": (
        {**TOWER, "family": "cnn", "strands": "mean", "batch_norm": True},
        "sequence",
        "multiclass",
    ),
    "cnn stacked": ({**TOWER, "family": "cnn", "loci": "stacked"}, "sequence", "binary"),
    "cnn shared": (
        {**TOWER, "family": "cnn", "loci": "shared", "batch_norm": True},
        "sequence",
        "binary",
    ),
    "cnn own": ({**TOWER, "family": "cnn", "loci": "own"}, "sequence", "multilabel"),
    "dilated": (
        {**TOWER, "family": "dilated", "dilated_layers": 3, "batch_norm": True, "pool": 2},
        "sequence",
        "regression",
    ),
    "mlp": (
        {**SIZE, "family": "mlp", "layers": 2, "neurons": 6, "wide": True},
        "variants",
        "binary",
    ),
    "residual": (
        {**SIZE, "family": "residual", "neurons": 6, "batch_norm": True},
        "variants",
        "multiclass",
    ),
    "snp_cnn": (
        {**TOWER, "family": "snp_cnn", "stride": 2, "conv_layers": 2, "pool": 2},
        "variants",
        "regression",
    ),
    "snp_cnn local": (
        {**TOWER, "family": "snp_cnn", "kernel": 4, "locally_connected": True, "batch_norm": True},
        "variants",
        "binary",
    ),
    "rnn": (
        {**SIZE, "family": "rnn", "tokens": 5, "rnn_units": 4, "neurons": 6},
        "variants",
        "binary",
    ),
    "rnn both ways": (
        {
            **SIZE,
            "family": "rnn",
            "tokens": 4,
            "kernel": 3,
            "cell": "gru",
            "rnn_units": 4,
            "neurons": 6,
            "bidirectional": True,
            "readout": "average",
        },
        "sequence",
        "multiclass",
    ),
    "attention": (
        {**SIZE, "family": "attention", "tokens": 5, "width": 8, "neurons": 6},
        "variants",
        "regression",
    ),
    "attention on patterns": (
        {**SIZE, "family": "attention", "tokens": 6, "kernel": 3, "width": 8, "neurons": 6},
        "sequence",
        "binary",
    ),
    "diet": (
        {**SIZE, "family": "diet", "neurons": 6, "auxiliary_neurons": 5, "reconstruction": 0.5},
        "variants",
        "multiclass",
    ),
}
LOCI = (5, 7)
SLOW = ("cnn shared", "cnn stacked", "rnn both ways", "attention on patterns", "snp_cnn local")
"""Further ways of a family, tested by ``make slow`` and ``make check``."""
CHANCE = ("dropout", "spatial_dropout", "stochastic_depth")


def test_every_family_is_here():
    assert {params["family"] for params, _, _ in CASES.values()} == set(FAMILIES)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CASES],
)
def test_contract(name, tmp_path):
    params, kind, task = CASES[name]
    loci = LOCI if "loci" in params else ()
    plain = params["family"] != "diet"
    engine, result = compare(params, kind, task, tolerance=2e-5, loci=loci, plain=plain)

    one = problems.replica(0, kind, task)
    told = engine.predict(params, result.weights[0], one.valid, one.constants)
    coding = problems.coding(kind)
    inputs = np.array(coding.inputs(coding.codes[one.valid], *one.constants))
    engine.export(params, result.weights[0]).save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert all(type(layer).__module__.startswith("keras.") for layer in loaded.layers)
    np.testing.assert_allclose(np.array(loaded(inputs)), told, atol=1e-5)


@pytest.mark.parametrize("name", ["cnn", "dilated", "residual", "diet"])
def test_rates_are_values(name):
    """A change of a rate changes training and compiles nothing."""
    params, kind, task = CASES[name]
    known = {parameter.name for parameter in FAMILIES[params["family"]].parameters}
    rates = [rate for rate in CHANCE if rate in known]
    low, high = ({**params, **dict.fromkeys(rates, value)} for value in (0.0, 0.5))
    engine = problems.engine(kind, task)
    given = problems.plan(low, kind, task, epochs=1)
    off, on = (
        engine.fit(FitPlan(each, given.replicas, epochs=1), lambda _: False) for each in (low, high)
    )
    assert (on.reused, engine.compiled) == (True, 1)
    assert not np.allclose(off.train_loss, on.train_loss)


def test_the_auxiliary_network_learns_by_the_loss_alone():
    """Without reconstruction only the loss can move it; the histograms stay as they came."""
    params, kind, task = CASES["diet"]
    params = {name: value for name, value in params.items() if name != "reconstruction"}
    plan = problems.plan(params, kind, task, restore="last")
    result = problems.engine(kind, task).fit(plan, lambda _: False)
    one = plan.replicas[0]
    fresh = build(params, problems.shape(kind, task), seed=one.seed)
    variables = inference_variables(fresh)
    seen = set()
    for variable, value in zip(variables, result.weights[0], strict=True):
        if variable.name == "histograms":
            np.testing.assert_array_equal(value, one.learned["histograms"])
        else:
            assert np.abs(value - variable.numpy()).max() > 1e-4, variable.path
        seen.update(part for part in variable.path.split("/") if part.startswith("forward"))
    assert len(seen) == 2, "a hidden layer and the one that tells the weights"


def test_a_diet_network_needs_histograms():
    params, kind, task = CASES["diet"]
    one = problems.replica(0, kind, task)
    bare = type(one)(one.train, one.valid, one.seed, one.constants)
    with pytest.raises(InputError, match="family diet needs histograms of each training part"):
        problems.engine(kind, task).fit(FitPlan(params, (bare,), epochs=1), lambda _: False)
