from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from geno_hpo.compare.calibration import calibrate
from geno_hpo.compare.wilson import wilson, wilson_of


@pytest.mark.parametrize(("hits", "samples"), [(0, 5), (5, 5), (3, 10), (480, 1000)])
@pytest.mark.parametrize("level", [0.8, 0.95])
def test_it_is_scipys(hits: int, samples: int, level: float) -> None:
    ends = binomtest(hits, samples).proportion_ci(level, method="wilson")
    assert wilson(hits, samples, level=level) == pytest.approx((ends.low, ends.high), abs=1e-12)


def test_groups_of_one_are_nearly_independent_samples() -> None:
    hits = np.arange(400) % 3 == 0
    alone = wilson_of(hits, np.arange(400))
    assert alone == pytest.approx(wilson_of(hits, None), abs=1e-3)


def test_copies_of_samples_say_no_more_than_the_samples() -> None:
    hits = np.arange(60) % 3 == 0
    copies = wilson_of(np.repeat(hits, 8), np.repeat(np.arange(60), 8))
    assert copies == pytest.approx(wilson_of(hits, np.arange(60)), abs=1e-3)
    naive = wilson_of(np.repeat(hits, 8), None)
    assert copies[1] - copies[0] > 2 * (naive[1] - naive[0])


def test_intervals_of_groups_hold_the_true_share_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    held = naive = 0
    for _ in range(300):
        share = rng.beta(2, 2, 30)
        hits = rng.random((30, 6)) < share[:, None]
        groups = np.repeat(np.arange(30), 6)
        low, high = wilson_of(hits.ravel(), groups)
        held += low <= 0.5 <= high
        low, high = wilson_of(hits.ravel(), None)
        naive += low <= 0.5 <= high
    assert 0.91 <= held / 300 <= 0.98
    assert naive / 300 < 0.9


def test_what_cannot_be_known_is_not_said() -> None:
    assert np.isnan(wilson_of(np.array([True, False]), np.array(["a", "a"]))).all()
    assert np.isnan(wilson(0, 0)).all()
    assert wilson_of(np.ones(50, bool), np.arange(50) // 5)[0] < wilson(50, 50)[0]
    with pytest.raises(ValueError, match="got 3 of 2"):
        wilson(3, 2)


def test_groups_widen_what_calibration_allows_chance() -> None:
    rng = np.random.default_rng(2)
    kin = np.repeat(np.arange(50), 8)
    p = np.repeat(rng.uniform(0.2, 0.8, 50), 8)
    event = (np.repeat(rng.random(50), 8) < p).astype(float)  # a family shares its fate
    alone, grouped = calibrate(event, p), calibrate(event, p, groups=kin)
    assert grouped.ece == alone.ece > alone.by_chance
    assert grouped.by_chance > 1.5 * alone.by_chance
    assert grouped.ece < grouped.by_chance
    width = [sum(b.ci[1] - b.ci[0] for b in found.bins) for found in (alone, grouped)]
    assert width[1] > 1.3 * width[0]
