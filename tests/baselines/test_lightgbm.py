from __future__ import annotations

import numpy as np
import pytest

from geno_hpo.baselines import fit_folds
from geno_hpo.errors import InputError

from .cases import PARAMS, problem, silent


def test_rounds_end_when_the_mean_stops_improving() -> None:
    params = {**PARAMS["lightgbm"], "rounds": 500, "patience": 15, "learning_rate": 0.5}
    result = fit_folds("lightgbm", params, problem("binary"), silent)
    assert result.rounds[-1] - result.best_round == 15
    assert result.rounds == tuple(range(5, result.rounds[-1] + 1, 5))
    assert result.score == result.curve[result.rounds.index(result.best_round)]


def test_the_last_round_is_reported_even_off_the_beat() -> None:
    params = {**PARAMS["lightgbm"], "rounds": 7}
    assert fit_folds("lightgbm", params, problem("binary"), silent).rounds == (5, 7)


def test_without_a_round_there_is_no_result() -> None:
    with pytest.raises(InputError, match="rounds must be at least 1, got 0"):
        fit_folds("lightgbm", {**PARAMS["lightgbm"], "rounds": 0}, problem("binary"), silent)


def test_it_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    params = {**PARAMS["lightgbm"], "min_child_samples": 500}
    result = fit_folds("lightgbm", params, problem("binary"), silent)
    assert result.score == 0.5
    assert capfd.readouterr() == ("", "")


def test_one_rare_allele_can_be_split_on() -> None:
    given = problem("regression")
    for fold in given.folds:
        fold.x_train[:], fold.x_valid[:] = 0, 0
        fold.x_train[0, 3], fold.x_valid[0, 3] = 1, 1
        fold.y_train[0], fold.y_valid[0] = 1e5, 1e5
    params = {**PARAMS["lightgbm"], "min_child_samples": 1, "colsample": 1.0, "subsample": 1.0}
    assert np.ptp(fit_folds("lightgbm", params, given, silent).predictions[0]) > 0
