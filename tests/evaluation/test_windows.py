"""Trials over distinct windows: one dictionary a study, and the scores of the plain way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from geno_hpo.config import PreprocessConfig
from geno_hpo.data.simulate import simulate_katg
from geno_hpo.evaluation.fits import Fits
from geno_hpo.evaluation.network import NetworkEvaluation
from geno_hpo.splits import make_split
from geno_hpo.training import windows as chosen
from geno_hpo.windows import build_dictionary

CNN = {"family": "cnn", "filters": 4, "kernel": 5, "pool": 3, "neurons": 4, "batch_size": 32}


def test_a_dictionary_is_kept_for_all_folds_trials_and_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = simulate_katg(isolates=120)
    split = make_split(data, kind="random", folds=2, test=0.2, group=None, seed=1)
    built = []

    def build(codes: Any, geometry: Any) -> Any:
        if len(codes) == len(data.codes):
            built.append(geometry)
        return build_dictionary(codes, geometry)

    monkeypatch.setattr(chosen, "build_dictionary", build)
    told = []
    for setting in ("auto", "auto", "never"):
        fits = Fits(tmp_path, "data")
        evaluation = NetworkEvaluation(
            data, split, PreprocessConfig(), "auc", fits=fits, windows=setting
        )
        result = evaluation.trial(CNN, epochs=2, patience=None, seed=1, report=lambda _: False)
        predicted = evaluation.predict(CNN, result.weights[0], split.test)
        told.append((result, predicted))
    assert len(built) == len(list(tmp_path.glob("windows-????????????????"))) == 1
    assert [result.way.partition(":")[0] for result, _ in told] == ["distinct windows"] * 2 + [
        "plain"
    ]
    (first, seen), (again, same), (plain, other) = told
    np.testing.assert_array_equal(first.scores, again.scores)
    np.testing.assert_array_equal(seen, same)
    np.testing.assert_allclose(first.train_loss, plain.train_loss, atol=1e-5)
    np.testing.assert_allclose(seen, other, atol=1e-4)
