"""The pooled summary of outer folds, computed by hand from the folds' own."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from geno_hpo.compare import corrected_t_test
from geno_hpo.errors import StudyChangedError
from geno_hpo.report import check_summary
from geno_hpo.study.pooled import agreement, pooled_summary
from tests.report import example

SCORES = {
    "cnn": [0.91, 0.93, 0.88],
    "ridge": [0.89, 0.90, 0.89],
    "lightgbm": [0.90, 0.94, 0.86],
    "random_forest": [0.80, 0.82, 0.81],
}
CHOSEN = ["ridge", "lightgbm", "ridge"]
SIZES = [(1200, 600), (1200, 600), (1180, 620)]


def folds() -> list[dict[str, Any]]:
    """Three outer folds of one study: an MLP wins the second."""
    found = []
    for i, (development, test) in enumerate(SIZES):
        one = copy.deepcopy(example.binary().summary)
        one |= {"outer_fold": i + 1, "question": "Which changes decide?"}
        one["best"] |= {"trial": 3 + i, "epochs": 12}
        one["split"] |= {"development_samples": development, "test_samples": test}
        for row in one["leaderboard"]:
            row["test"] = SCORES[row["model"]][i]
            row["cv_mean"] = row["test"] + 0.01
        one["best"] |= {"model": "cnn", "params": {"layers": 2, "rate": 0.1 * i, "batch_size": 32}}
        one["comparison"]["best_baseline"] = CHOSEN[i]
        found.append(one)
    found[1]["best"] |= {"model": "mlp", "params": {"neurons": 8, "rate": 0.1, "batch_size": 32}}
    next(row for row in found[1]["leaderboard"] if row["kind"] == "network")["model"] = "mlp"
    return found


def test_scores_are_pooled_as_by_hand() -> None:
    summary = pooled_summary(folds())
    check_summary(summary)
    board = {row["model"]: row for row in summary["leaderboard"]}
    assert set(board) == {"network", *SCORES} - {"cnn"}
    for name, scores in SCORES.items():
        row = board["network" if name == "cnn" else name]
        assert row["test_folds"] == scores
        assert row["test_mean"] == pytest.approx(np.mean(scores))
        assert row["test_std"] == pytest.approx(np.std(scores, ddof=1))
        assert row["cv_mean"] == pytest.approx(np.mean(scores) + 0.01)
    means = [row["test_mean"] for row in summary["leaderboard"]]
    assert means == sorted(means, reverse=True)


def test_differences_are_paired_and_corrected_for_the_parts_sizes() -> None:
    summary = pooled_summary(folds())
    sizes = np.mean(SIZES, axis=0)
    for found in summary["differences"]:
        expected = corrected_t_test(
            SCORES["cnn"], SCORES[found["baseline"]], train=sizes[0], valid=sizes[1]
        )
        assert found["difference"] == pytest.approx(expected.difference)
        assert found["ci"] == pytest.approx([expected.low, expected.high])
        assert found["p_value"] == pytest.approx(expected.p_value)
    rival = [SCORES[name][i] for i, name in enumerate(CHOSEN)]
    comparison = summary["comparison"]
    assert comparison["best_baselines"] == CHOSEN
    assert comparison["folds"] == pytest.approx(np.subtract(SCORES["cnn"], rival))
    assert len(summary["differences"]) == 3


def test_counts_and_seconds_are_sums() -> None:
    found = folds()
    summary = pooled_summary(found)
    assert summary["trials"]["asked"] == found[0]["trials"]["asked"]
    assert summary["trials"]["complete"] == 3 * found[0]["trials"]["complete"]
    assert summary["seconds"]["total"] == pytest.approx(3 * found[0]["seconds"]["total"])
    assert [fold["test_samples"] for fold in summary["outer_folds"]] == [600, 600, 620]


def test_without_baselines_there_is_no_comparison() -> None:
    found = folds()
    for one in found:
        one["leaderboard"] = [row for row in one["leaderboard"] if row["kind"] == "network"]
        one["comparison"] = None
    summary = pooled_summary(found)
    check_summary(summary)
    assert (summary["comparison"], summary["differences"]) == (None, [])


def test_winners_are_compared_on_what_was_searched() -> None:
    searched = frozenset({"layers", "neurons", "rate"})
    found = pooled_summary(folds(), searched)["agreement"]
    assert found["models"] == {"cnn": 2, "mlp": 1}
    values = {each["name"]: each["values"] for each in found["parameters"]}
    assert values == {
        "layers": [2, None, 2],
        "rate": [0.0, 0.1, 0.2],
        "neurons": [None, 8, None],
    }
    assert not any(each["same"] for each in found["parameters"])
    assert "different families (cnn in 2, mlp in 1); of 3 searched" in found["sentence"]


def test_equal_winners_agree() -> None:
    winner = {"model": "cnn", "params": {"layers": 2, "gated": True, "size": [3, 5]}}
    found = agreement([winner, copy.deepcopy(winner)], frozenset({"layers", "gated", "size"}))
    assert [each["same"] for each in found["parameters"]] == [True, True, True]
    assert found["sentence"] == (
        "All 2 outer folds chose the family cnn; of 3 searched parameters 3 have the same value "
        "in every fold: layers, gated, size."
    )


@pytest.mark.parametrize("what", ["data", "budgets"])
def test_folds_that_do_not_belong_together_are_refused(what: str) -> None:
    found = folds()
    if what == "data":
        found[2]["data"]["fingerprint"] = "another"
    else:
        found[2]["leaderboard"][0]["trials"] += 1
    with pytest.raises(StudyChangedError, match=f"must share their {what}: fold 1 has .*fold 3"):
        pooled_summary(found)
