from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.compare import (
    FoldScores,
    compare_all,
    compare_models,
    corrected_t_test,
    delong_test,
    holm,
    selection_gap,
    shortfall_made_good,
    strata,
)
from geno_hpo.metrics import METRICS

from .cases import guesses, labels

AUC = METRICS["auc"]
FOLDS = FoldScores({"cnn": [0.9, 0.8, 0.9], "ridge": [0.8, 0.82, 0.8], "gbm": [0.9] * 3}, 80, 40)


def models(truth: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "ridge": guesses(truth, 0.9, seeds=1, seed=3),
        "cnn": guesses(truth, 2.0, seed=2),
        "gbm": guesses(truth, 1.9, seed=4),
    }


def test_every_baseline_has_its_row() -> None:
    truth = labels(400)
    given = models(truth)
    found = compare_all(truth, given, AUC, network="cnn", folds=FOLDS, resamples=400)
    assert [row.name for row in found] == ["ridge", "gbm"]
    for row in found:
        alone = compare_models(
            truth, given["cnn"], given[row.name], AUC, names=("cnn", row.name), resamples=400
        )
        assert row.comparison == alone
        assert row.area == delong_test(truth[:, 0], given["cnn"][..., 0], given[row.name][..., 0])
        assert row.folds == corrected_t_test(
            FOLDS.scores["cnn"], FOLDS.scores[row.name], train=80, valid=40
        )
    assert [row.holm for row in found] == holm([row.comparison.p_value for row in found])
    assert [row.folds_won for row in found] == [2, 0]
    assert found[0].verdict == "better"
    assert 0 < found[0].gain < 1


def test_a_verdict_that_falls_to_the_correction_is_taken_back() -> None:
    """A p-value between 0.05/3 and 0.05 claims something alone, and nothing among three."""
    truth = labels(500, seed=3)
    network = guesses(truth, 1.31, seed=2)
    same = {name: guesses(truth, 1.0, seed=7) for name in ("b", "c", "d")}
    found = compare_all(truth, {"a": network, **same}, AUC, network="a", resamples=800)
    row = found[0]
    assert 0.05 / 3 < row.comparison.p_value < 0.05
    assert row.comparison.verdict == "better"
    assert row.holm >= 0.05
    assert row.verdict == (
        "too little data to tell"
        if row.comparison.detectable > row.comparison.margin
        else "no difference shown"
    )


def test_grouped_samples_and_other_scores_have_no_delong_test() -> None:
    truth = labels(120)
    given = models(truth)
    groups = np.arange(120) // 4
    options = {"network": "cnn", "resamples": 100}
    assert compare_all(truth, given, AUC, groups=groups, **options)[0].area is None
    assert compare_all(truth, given, METRICS["average_precision"], **options)[0].area is None
    row = compare_all(truth, given, AUC, **options)[0]
    assert (row.folds, row.folds_won) == (None, 0)
    broken = given | {"cnn": np.full_like(given["cnn"], np.nan)}
    row = compare_all(truth, broken, AUC, **options)[0]
    assert (row.area, row.verdict) == (None, "too little data to tell")


@pytest.mark.parametrize(
    ("metric", "network", "baseline", "gain"),
    [
        ("auc", 0.95, 0.9, 0.5),
        ("auc", 0.85, 0.9, -0.5),
        ("rmse", 1.5, 2.0, 0.25),
        ("pearson", 0.4, 0.2, 0.25),
        ("auc", 1.0, 1.0, None),
    ],
)
def test_the_gain_is_the_shortfall_made_good(
    metric: str, network: float, baseline: float, gain: float | None
) -> None:
    found = shortfall_made_good(METRICS[metric], network, baseline)
    assert np.isnan(found) if gain is None else found == pytest.approx(gain)


@pytest.mark.parametrize(
    ("metric", "folds", "test", "finding"),
    [
        ("auc", [0.9, 0.91, 0.92], 0.80, "fell"),
        ("auc", [0.9, 0.91, 0.92], 0.90, "no more than chance"),
        ("auc", [0.9, 0.91, 0.92], 0.99, "rose"),
        ("rmse", [0.9, 0.91, 0.92], 0.99, "fell"),
        ("auc", [0.9], 0.5, "unknown"),
    ],
)
def test_a_winner_s_fall_is_set_against_its_spread(
    metric: str, folds: list[float], test: float, finding: str
) -> None:
    found = selection_gap(folds, test, 0.02, METRICS[metric], train=80, valid=40)
    assert found.finding == finding
    assert found.loss == pytest.approx((np.mean(folds) - test) * (-1 if metric == "rmse" else 1))


def test_no_folds_no_gap() -> None:
    with pytest.raises(ValueError, match="got 0 folds, train 80, valid 40"):
        selection_gap([], 0.5, 0.1, AUC, train=80, valid=40)


def test_a_group_where_the_model_fails_is_seen() -> None:
    truth = labels(300)
    groups = np.repeat(["a", "b", "c", "d", "e"], [150, 80, 50, 15, 5])
    network, baseline = guesses(truth, 3.0), guesses(truth, 1.0, seed=9)
    network[:, groups == "b"] = guesses(truth, 0.0)[:, groups == "b"]
    rows, left = strata(truth, network, baseline, AUC, groups, resamples=200)
    assert [(row.name, row.samples) for row in rows] == [
        ("a", 150),
        ("b", 80),
        ("c", 50),
        ("d", 15),
    ]
    assert left == 1
    assert rows[0].ci[0] > 0.9
    assert rows[1].ci[0] < 0.5 < rows[1].ci[1]
    assert rows[0].baseline < rows[0].score
    assert np.isnan([rows[3].score, *rows[3].ci, rows[3].baseline]).all()
    alone, _ = strata(truth, network, None, AUC, groups, resamples=50)
    assert np.isnan(alone[0].baseline)
    with pytest.raises(ValueError, match=r"groups must be \(300,\)"):
        strata(truth, network, None, AUC, groups[:4])
