"""Rates that are judged by scores, and the span of a schedule."""

from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.models import complete
from geno_hpo.training.protocol import EpochReport
from geno_hpo.training.schedules import Rates

from . import problems

SHAPE = problems.shape("sequence", "binary")


def rates(epochs=10, maximise=True, **params):
    given = {"family": "mlp", "learning_rate": 0.1, **params}
    return Rates(complete(given, SHAPE), epochs, maximise)


def report(score, train=1.0, judged=True):
    one = np.array([train])
    valid = one if judged else np.array([np.nan])
    return EpochReport(1, score, (score,), one, valid, one, valid, 0.0)


@pytest.mark.parametrize(
    ("maximise", "scores", "expected"),
    [
        (True, [0.5, 0.5, 0.4, 0.6, 0.6, 0.6], [1, 1, 0.5, 0.5, 0.5, 0.25]),
        (False, [0.5, 0.4, 0.4, 0.5], [1, 1, 1, 0.5]),
        (True, [float("nan"), 0.1, 0.2], [1, 1, 1]),
    ],
)
def test_plateau(maximise, scores, expected):
    given = rates(maximise=maximise, schedule="reduce_on_plateau", plateau_patience=2)
    found = []
    for epoch, score in enumerate(scores, 1):
        given.after(report(score))
        found.append(given.of_epoch(epoch + 1, 1)[0])
    np.testing.assert_allclose(found, 0.1 * np.array(expected), rtol=1e-6)


def test_plateau_without_validation_looks_at_the_training_loss():
    given = rates(schedule="reduce_on_plateau", plateau_patience=1)
    for loss in (1.0, 0.5, 0.6):
        given.after(report(float("nan"), loss, judged=False))
    assert given.of_epoch(4, 1)[0] == pytest.approx(0.05)


def test_a_schedule_spans_the_horizon_not_the_epochs_trained():
    short, whole = rates(5, schedule="cosine"), rates(10, schedule="cosine")
    assert whole.of_epoch(5, 4)[-1] > short.of_epoch(5, 4)[-1]
    np.testing.assert_allclose(whole.of_epoch(6, 4)[0], 0.05, rtol=1e-6)


def test_warm_up_rises_step_by_step():
    np.testing.assert_allclose(rates(warmup=0.5).of_epoch(1, 4), [0, 0.05, 0.1, 0.1], rtol=1e-6)
