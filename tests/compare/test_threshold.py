from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from geno_hpo.compare import best_threshold, operating_point, wilson

from .cases import guesses, labels


@pytest.mark.parametrize(
    ("hits", "samples", "wanted"),
    [
        # Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0000, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson_s_interval_has_the_published_ends(
    hits: int, samples: int, wanted: tuple[float, float]
) -> None:
    assert wilson(hits, samples) == pytest.approx(wanted, abs=5e-5)


def test_no_samples_have_no_interval() -> None:
    assert np.isnan(wilson(0, 0)).all()


def test_the_threshold_maximises_youden_s_index() -> None:
    truth = labels(200, share=0.3)
    p = guesses(truth, 1.5)[0, :, 0]
    false, true, _ = roc_curve(truth[:, 0], p)
    found = operating_point(truth[:, 0], p, best_threshold(truth[:, 0], p))
    assert found.sensitivity + found.specificity - 1 == pytest.approx((true - false).max())
    assert (found.positives, found.negatives) == (truth.sum(), 200 - truth.sum())
    assert found.sensitivity_ci[0] < found.sensitivity < found.sensitivity_ci[1]


def test_of_equal_thresholds_the_one_nearest_to_a_half_is_taken() -> None:
    truth = np.array([0, 1, 0, 1.0])
    assert best_threshold(truth, np.array([0.1, 0.3, 0.5, 0.9])) == pytest.approx(0.7)
    assert best_threshold(truth, np.array([0.1, 0.2, 0.3, np.nan])) == pytest.approx(0.15)


@pytest.mark.parametrize(
    ("truth", "p"), [([1, 1], [0.2, 0.4]), ([0, 1], [0.3, 0.3]), ([np.nan, 1], [0.1, 0.2])]
)
def test_nothing_to_tell_apart_has_no_threshold(truth: list[float], p: list[float]) -> None:
    assert np.isnan(best_threshold(np.array(truth), np.array(p)))


def test_a_class_that_is_missing_has_no_share() -> None:
    found = operating_point(np.array([1, 1, np.nan]), np.array([0.9, 0.2, 0.9]), 0.5)
    assert (found.sensitivity, found.positives, found.negatives) == (0.5, 2, 0)
    assert np.isnan(found.specificity)
