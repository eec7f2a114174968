"""What chance does to a batch: the other strand, stretches cut out, samples mixed."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from geno_hpo.training.augment import changed_codes, changed_inputs, mutated, reverse_complement
from geno_hpo.training.one_hot import OneHotCoding

from . import problems
from .problems import MLP

SEED = tf.constant([3, 4])


def changed(inputs, **values):
    seeds = dict.fromkeys(values, SEED)
    given, share = changed_inputs(tf.constant(inputs), seeds, lambda name: values[name])
    return given.numpy(), share


def test_the_other_strand():
    codes = np.array([[0, 0, 1, 4, -1, 3, 2]], np.int8)
    given = np.array(reverse_complement(codes))
    assert given.tolist() == [[1, 0, -1, 4, 2, 3, 3]]
    assert given.dtype == np.int8
    np.testing.assert_array_equal(np.array(reverse_complement(given)), codes)
    one, other = (np.array(OneHotCoding(x, 5).inputs(x)) for x in (codes, given))
    np.testing.assert_array_equal(other[:, :, :4], one[:, ::-1, 3::-1])


@pytest.mark.parametrize("rate", [0.0, 0.3])
def test_mutations_replace_known_bases_evenly(rate):
    rng = np.random.default_rng(0)
    codes = rng.integers(-1, 5, (300, 200)).astype(np.int8)
    given = np.array(mutated(codes, np.float32(rate), rng.random(codes.shape, np.float32)))
    base = (codes >= 0) & (codes < 4)
    np.testing.assert_array_equal(given[~base], codes[~base])
    assert given.dtype == np.int8
    assert np.mean(given[base] != codes[base]) == pytest.approx(rate, abs=0.01)
    moved = (given[base] - codes[base]) % 4
    if rate:
        np.testing.assert_allclose(np.bincount(moved)[1:] / np.sum(moved > 0), 1 / 3, atol=0.02)


def test_some_sequences_turn():
    rows = np.random.default_rng(0).integers(0, 4, (500, 30)).astype(np.int8)
    seeds, value = {"strand_flip": SEED}, {"strand_flip": tf.constant(0.3)}
    given = changed_codes(tf.constant(rows), seeds, value.__getitem__).numpy()
    turned = np.array(reverse_complement(rows))
    as_it_was, other = (given == rows).all(axis=1), (given == turned).all(axis=1)
    assert (as_it_was | other).all()
    assert other.mean() == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("shape", [(200, 40), (200, 40, 4)])
def test_one_stretch_is_cut_out(shape):
    given, share = changed(np.ones(shape, np.float32), cutout=0.25)
    assert share is None
    cut = (given.reshape(200, 40, -1) == 0).all(axis=2)
    np.testing.assert_array_equal(given.reshape(200, 40, -1)[cut], 0)
    np.testing.assert_array_equal(given.reshape(200, 40, -1)[~cut], 1)
    assert (cut.sum(axis=1) == 10).all()
    edges = np.diff(np.pad(cut.astype(int), ((0, 0), (1, 1)))) == 1
    assert (edges.sum(axis=1) == 1).all()
    assert {0, 39} <= set(np.flatnonzero(cut.any(axis=0)))


def test_samples_are_mixed_with_the_batch_backwards():
    inputs = np.arange(6, dtype=np.float32)[:, None] * np.ones((6, 3), np.float32)
    given, share = changed(inputs, mixup=1.0)
    share = float(share)
    assert 0 < share < 1
    np.testing.assert_allclose(given, share * inputs + (1 - share) * inputs[::-1], rtol=1e-5)


@pytest.mark.parametrize("alpha", [1e-3, 0.4, 2.0])
def test_mixing_shares_by_the_beta_distribution(alpha):
    draws = []
    for step in range(400):
        seeds = {"mixup": tf.constant([7, step])}
        _, share = changed_inputs(tf.zeros([2, 2]), seeds, lambda _: tf.constant(alpha))
        draws.append(float(share))
    assert np.mean(draws) == pytest.approx(0.5, abs=0.08)
    assert np.var(draws) == pytest.approx(0.25 / (2 * alpha + 1), abs=0.02)


@pytest.mark.parametrize("task", problems.TASKS)
def test_a_mixed_loss_is_that_of_mixed_labels(task):
    """It is that of both partners' labels by their shares; cross-entropy, that of mixed labels."""
    step = problems.engine(task=task)._compiled({**MLP, "mixup": 0.7})._bodies._step
    logits = tf.random.stateless_normal([8, problems.UNITS[task]], [1, 2])
    targets = tf.constant(problems.targets(task, problems.coding("sequence").codes)[:8])
    total, known, _ = step.mixed_loss(logits, targets, None, tf.constant(0.3))
    own, other = (step.loss(logits, x) for x in (targets, tf.reverse(targets, [0])))
    assert float(known) == float(own[1]) == float(other[1])
    if task == "binary":
        mixed = 0.3 * targets + 0.7 * tf.reverse(targets, [0])
        each = keras.losses.binary_crossentropy(mixed, logits, from_logits=True)
        assert float(total) == pytest.approx(float(tf.reduce_sum(each)), rel=1e-5)
    assert float(total) == pytest.approx(0.3 * float(own[0]) + 0.7 * float(other[0]), rel=1e-5)
