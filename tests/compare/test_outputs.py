"""Each of several outputs by itself."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from geno_hpo.compare import output_scores
from geno_hpo.metrics import METRICS

NAMES = ("a", "b", "c")


def test_each_output_is_scored_where_it_has_labels() -> None:
    rng = np.random.default_rng(1)
    truth = (rng.random((200, 3)) < 0.4).astype(float)
    truth[:80, 1] = np.nan
    truth[:, 2] = 0.0
    network = rng.random((2, 200, 3)) + 0.8 * np.nan_to_num(truth)
    oracle = rng.random((200, 3))
    rows = output_scores(
        truth, network, network[:1], METRICS["auc"], NAMES, oracle=oracle, resamples=200
    )
    assert [row.samples for row in rows] == [200, 120, 200]
    expected = np.mean([roc_auc_score(truth[80:, 1], each[80:, 1]) for each in network])
    assert rows[1].score == pytest.approx(expected)
    assert rows[1].baseline == pytest.approx(roc_auc_score(truth[80:, 1], network[0, 80:, 1]))
    assert rows[1].oracle == pytest.approx(roc_auc_score(truth[80:, 1], oracle[80:, 1]))
    assert rows[0].ci[0] < rows[0].score < rows[0].ci[1]
    assert np.isnan(rows[2].score)
    assert np.isnan(rows[2].ci).all()


def test_one_output_is_the_study_s_score_itself() -> None:
    truth, network = np.array([[0.0], [1.0]]), np.array([[[0.1], [0.9]]])
    assert output_scores(truth, network, None, METRICS["auc"], ("a",)) == ()


def test_names_must_fit() -> None:
    truth, network = np.zeros((4, 2)), np.zeros((1, 4, 2))
    with pytest.raises(ValueError, match=r"2 outputs need as many names .* got 3 and 2"):
        output_scores(truth, network, None, METRICS["auc"], NAMES)
