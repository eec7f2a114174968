"""Towers as they are described and as they are built: lengths, receptive fields, both strands."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from geno_hpo.models import FAMILIES, ModelShape, build, complete
from geno_hpo.models.tower import Head, positions, receptive_field
from geno_hpo.space import load_space

ROOT = Path(__file__).parents[2]
LENGTH = 101
SEQUENCE = ModelShape("sequence", LENGTH, 4, 1, "binary")
LOCI = ModelShape("sequence", 24, 5, 1, "binary", (10, 14))
PUBLISHED = {
    "family": "cnn",
    "loci": "stacked",
    "padding": "valid",
    "conv_layers": 2,
    "convolutions": 2,
    "filters": 64,
    "growth": "halved",
    "kernel": 12,
    "later_kernel": 3,
    "pool": 3,
    "dense_layers": 2,
    "neurons": 256,
}
TOWERS = [
    {"family": "cnn", "conv_layers": 2, "convolutions": 2, "kernel": 4, "pool": 3},
    {"family": "cnn", "conv_layers": 2, "kernel": 5, "pool": 2, "padding": "valid"},
    *({"family": "dilated", "kernel": 5, "dilated_layers": n} for n in (1, 2, 3, 4)),
    {"family": "dilated", "kernel": 4, "dilated_layers": 3, "pool": 4, "dilated_kernel": 2},
]


def described(params):
    full = complete(params, SEQUENCE)
    tower = FAMILIES[params["family"]].tower(full, SEQUENCE)
    assert isinstance(tower[-1], Head)
    return tower[:-1]


def before_the_head(params):
    """The model up to its positions, with weights and an activation that let everything through."""
    small = {**params, "filters": 6, "activation": "elu", "pooling_head": "flat"}
    model = build(small, SEQUENCE, plain=True, seed=2)
    return keras.Model(model.inputs[0], model.get_layer("head_flat").input)


@pytest.mark.parametrize("params", TOWERS, ids=str)
def test_lengths_and_receptive_fields(params):
    """Which inputs move the middle position is found by moving each of them."""
    tower, model = described(params), before_the_head(params)
    assert model.output_shape[1] == positions(tower, LENGTH)
    rng = np.random.default_rng(1)
    base = rng.normal(size=(LENGTH, 4)).astype(np.float32)
    middle = model.output_shape[1] // 2
    still = np.array(model(base[None]))[0, middle]
    moved = np.zeros(LENGTH, bool)
    for size in (-40.0, 3.0, 40.0):
        steps = size * np.eye(LENGTH, dtype=np.float32)[:, :, None] * rng.normal(size=4)
        found = np.array(model((base + steps).astype(np.float32)))[:, middle]
        moved |= np.abs(found - still).max(axis=1) > 1e-6
    seen = np.flatnonzero(moved)
    assert seen[-1] - seen[0] + 1 == receptive_field(tower)


def test_the_published_architecture_is_reachable():
    loci = (400, 900, 700)
    shape = ModelShape("sequence", sum(loci), 5, 13, "multilabel", loci)
    model = build(PUBLISHED, shape)
    shapes = [
        (layer.name, layer.output.shape[1:])
        for layer in model.layers
        if isinstance(layer, (keras.layers.Conv1D, keras.layers.MaxPooling1D, keras.layers.Dense))
    ]
    assert shapes == [
        ("conv_1", (889, 64)),
        ("conv_1_2", (878, 64)),
        ("pool_1", (292, 64)),
        ("conv_2", (290, 32)),
        ("conv_2_2", (288, 32)),
        ("pool_2", (96, 32)),
        ("dense_1", (256,)),
        ("dense_2", (256,)),
        ("logits", (13,)),
    ]
    assert model.get_layer("conv_1").kernel.shape == (12, 15, 64)


def test_the_published_space_draws_the_published_architecture():
    space = load_space(ROOT / "search_spaces" / "cnn_published.yaml")
    params = space.configure(lambda node: node.default)
    assert {name: params[name] for name in PUBLISHED} == PUBLISHED


@pytest.mark.parametrize("symbols", [4, 5])
@pytest.mark.parametrize("merge", ["max", "mean"])
@pytest.mark.parametrize("head", ["flat", "max"])
def test_a_sequence_and_its_reverse_complement_are_one(symbols, merge, head):
    shape = ModelShape("sequence", 30, symbols, 1, "binary")
    params = {"family": "cnn", "strands": merge, "kernel": 5, "pooling_head": head}
    rng = np.random.default_rng(4)
    codes = rng.integers(0, symbols, (6, 30))
    other = codes[:, ::-1]
    other = np.where(other < 4, 3 - other, other)
    both, one = (build({**params, "strands": way}, shape) for way in (merge, "one"))
    assert both.count_params() == one.count_params()
    x, turned = (np.eye(symbols, dtype=np.float32)[given] for given in (codes, other))
    np.testing.assert_array_equal(np.array(both(x)), np.array(both(turned)))
    assert not np.allclose(np.array(one(x)), np.array(one(turned)))


@pytest.mark.parametrize(
    ("way", "kernels", "features"),
    [
        ("joined", [(3, 5, 4)], 24 * 4),
        ("stacked", [(3, 10, 4)], 14 * 4),
        ("shared", [(3, 5, 4)], 24 * 4),
        ("own", [(3, 5, 4)] * 2, 24 * 4),
    ],
)
def test_ways_to_read_loci(way, kernels, features):
    model = build({"family": "cnn", "loci": way, "filters": 4, "kernel": 3, "pool": 1}, LOCI)
    found = [tuple(v.shape) for v in model.weights if v.name == "kernel" and len(v.shape) == 3]
    assert found == kernels
    assert model.get_layer("dense_1").kernel.shape[0] == features
    full = complete({"family": "cnn", "loci": way}, LOCI)
    assert (FAMILIES["cnn"].tower(full, LOCI) is None) == (way != "joined")


def test_a_locus_is_read_by_itself():
    """What changes in one locus changes the features of that locus only."""
    params = {"family": "cnn", "loci": "shared", "filters": 4, "kernel": 3, "pool": 1}
    model = build({**params, "pooling_head": "max"}, LOCI)
    features = keras.Model(model.inputs[0], model.get_layer("loci").output)
    x = np.random.default_rng(0).random((1, 24, 5)).astype(np.float32)
    y = x.copy()
    y[:, :10] += 1.0
    one, other = np.array(features(x))[0], np.array(features(y))[0]
    assert (one[:4] != other[:4]).any()
    np.testing.assert_array_equal(one[4:], other[4:])


def test_wide_and_deep_joins_the_inputs():
    model = build({"family": "mlp", "neurons": 7, "layers": 2, "wide": True}, SEQUENCE)
    assert model.get_layer("logits").kernel.shape[0] == 4 * LENGTH + 7
