from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.compare import compare_restarts
from geno_hpo.metrics import METRICS

AUC, RMSE = METRICS["auc"], METRICS["rmse"]


def test_a_clear_winner_stays_and_a_lucky_one_does_not() -> None:
    clear = compare_restarts([[0.9, 0.91, 0.92], [0.8, 0.81, 0.79]], [0.91, 0.82], AUC)
    assert clear.ranked[0].place == 0
    assert clear.winner.wins == 1
    assert "Hardly: of the 2 leading configurations the winner" in clear.sentence
    lucky = compare_restarts([[0.8, 0.81, 0.79], [0.9, 0.91, 0.92]], [0.93, 0.92], AUC)
    assert [row.place for row in lucky.ranked] == [1, 0]
    assert lucky.winner.wins == 0
    assert "Most likely yes" in lucky.sentence
    assert "the search's number 2 leads (0.910 against 0.800)" in lucky.sentence


def test_of_a_loss_less_is_better() -> None:
    found = compare_restarts([[1.0, 1.1], [2.0, 2.1]], [1.0, 2.0], RMSE)
    assert [row.place for row in found.ranked] == [0, 1]
    assert found.winner.wins == 1


def test_chances_are_those_of_drawing_seeds_at_random() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(5, size=(4, 6)) / 10  # with ties
    found = compare_restarts(scores, [0.0] * 4, AUC)
    drawn = np.stack([rng.choice(own, 40_000) for own in scores])
    best = drawn == drawn.max(axis=0)
    slow = (best / best.sum(axis=0)).mean(axis=1)
    wins = [next(r.wins for r in found.ranked if r.place == i) for i in range(4)]
    assert sum(wins) == pytest.approx(1)
    np.testing.assert_allclose(wins, slow, atol=0.01)


def test_spreads_are_the_variance_components_that_were_planted() -> None:
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(400, 1)) * 0.3 + rng.normal(size=(400, 5)) * 0.1
    found = compare_restarts(scores, scores[:, 0], AUC)
    assert found.within == pytest.approx(0.1, rel=0.05)
    assert found.between == pytest.approx(0.3, rel=0.1)
    same = compare_restarts(rng.normal(size=(5, 5)), [0.0] * 5, AUC)
    assert same.between < same.within
    assert "more than these configurations differ" in same.sentence


def test_a_seed_without_a_score_is_counted() -> None:
    found = compare_restarts([[0.9, np.nan], [np.nan, np.nan]], [0.9, 0.8], AUC)
    assert found.lost == 3
    assert (found.winner.wins, found.ranked[1].wins) == (1, 0)
    assert np.isnan(found.ranked[1].mean)
    with pytest.raises(ValueError, match="2 or more configurations, got 1 and 1"):
        compare_restarts([[0.9]], [0.9], AUC)
