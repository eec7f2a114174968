"""Losses against plain formulas, masks, and the gradient where a logit is exactly 0."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.special import expit, log_expit, log_softmax, softmax

from geno_hpo.training.losses import batch_loss
from geno_hpo.training.predictions import activate

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(0, 3, (8, 3)).astype(np.float32)
LABELS = RNG.integers(0, 2, (8, 3)).astype(np.float32)
CLASSES = RNG.integers(0, 3, (8, 1)).astype(np.float32)


def numbers(*given):
    return [float(x) for x in batch_loss(*given)]


def test_binary():
    total, known, right = numbers("multilabel", LOGITS, LABELS)
    each = -LABELS * log_expit(LOGITS) - (1 - LABELS) * log_expit(-LOGITS)
    assert (total, known) == (pytest.approx(each.sum(), rel=1e-5), 24)
    assert right == np.sum((LOGITS > 0) == (LABELS == 1))


def test_multiclass():
    total, known, right = numbers("multiclass", LOGITS, CLASSES)
    each = -np.take_along_axis(log_softmax(LOGITS, axis=1), CLASSES.astype(int), axis=1)
    assert (total, known) == (pytest.approx(each.sum(), rel=1e-5), 8)
    assert right == np.sum(LOGITS.argmax(1) == CLASSES[:, 0])


def test_regression():
    total, known, _ = numbers("regression", LOGITS, LABELS)
    assert (total, known) == (pytest.approx(np.square(LOGITS - LABELS).sum(), rel=1e-5), 24)


@pytest.mark.parametrize("delta", [0.3, 1.0, 50.0])
def test_huber_is_that_of_keras(delta):
    total, *_ = batch_loss("regression", LOGITS, LABELS, delta=np.float32(delta))
    each = keras.losses.Huber(delta, reduction=None)(LABELS[..., None], LOGITS[..., None])
    assert float(total) == pytest.approx(float(np.sum(each)), rel=1e-5)


def test_counts_have_the_likelihood_of_poisson():
    counts = RNG.poisson(3.0, LOGITS.shape).astype(np.float32)
    total, known, _ = batch_loss("regression", LOGITS, counts, counts=True)
    each = keras.losses.Poisson(reduction=None)(counts[..., None], np.exp(LOGITS)[..., None])
    assert float(total) == pytest.approx(float(np.sum(each)), rel=1e-5)
    best = batch_loss("regression", np.log(counts + 1e-9), counts, counts=True)[0]
    assert float(best) < float(batch_loss("regression", np.log(counts + 1), counts, counts=True)[0])
    gone = np.where(counts > 3, np.nan, counts)
    masked, left, _ = batch_loss("regression", LOGITS, gone, counts=True)
    kept = np.exp(LOGITS) - counts * LOGITS
    assert float(masked) == pytest.approx(kept[counts <= 3].sum(), rel=1e-5)
    assert float(left) == (counts <= 3).sum() < float(known)


@pytest.mark.parametrize("task", ["multilabel", "regression", "multiclass"])
@pytest.mark.parametrize("smoothing", [None, np.float32(0.3)])
def test_missing_labels_count_for_nothing(task, smoothing):
    labels = (CLASSES if task == "multiclass" else LABELS).copy()
    gone = labels.copy()
    gone[2:5] = np.nan
    kept = np.r_[0:2, 5:8]
    smoothing = None if task == "regression" else smoothing
    masked = numbers(task, LOGITS, gone, smoothing)
    assert masked == pytest.approx(numbers(task, LOGITS[kept], labels[kept], smoothing), rel=1e-5)


@pytest.mark.parametrize("task", ["multilabel", "regression", "multiclass"])
def test_gradient_is_finite_with_missing_labels(task):
    labels = (CLASSES if task == "multiclass" else LABELS).copy()
    labels[0] = np.nan
    logits = tf.constant(LOGITS)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total, _, _ = batch_loss(task, logits, tf.constant(labels))
    gradient = tape.gradient(total, logits).numpy()
    assert np.isfinite(gradient).all()
    assert not gradient[0].any()


def test_gradient_at_a_logit_of_zero():
    """A network whose hidden units are all off starts there."""
    logits = tf.zeros([2, 1])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        total, _, _ = batch_loss("binary", logits, tf.constant([[1.0], [0.0]]))
    np.testing.assert_allclose(tape.gradient(total, logits), [[-0.5], [0.5]])


def test_activations():
    wide = np.float32([[-200.0, 0.0, 200.0]])
    np.testing.assert_allclose(activate("sigmoid", wide), expit(wide))
    np.testing.assert_allclose(activate("softmax", LOGITS), softmax(LOGITS, axis=1), rtol=1e-5)
    np.testing.assert_array_equal(activate("linear", LOGITS), LOGITS)
    np.testing.assert_allclose(activate("exponential", LOGITS), np.exp(LOGITS), rtol=1e-6)
    assert activate("exponential", wide)[0, 2] == np.inf
    assert activate("sigmoid", LOGITS).dtype == np.float32
