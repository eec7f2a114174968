from __future__ import annotations

import re

import numpy as np
import pytest

from geno_hpo.compare import compare_models
from geno_hpo.metrics import METRICS

from .cases import guesses, labels

AUC = METRICS["auc"]
NAMES = ("cnn", "ridge")


@pytest.mark.parametrize(
    ("samples", "network", "baseline", "verdict", "sentence"),
    [
        (400, 2.0, 1.0, "better", r"^On the test set cnn does better than ridge: ROC AUC 0\.8"),
        (400, 1.0, 2.0, "worse", r"^On the test set cnn does worse than ridge: .* −0\.1"),
        (900, 2.0, 2.0, "no difference shown", r"^No difference between cnn and ridge is shown: "),
        (60, 1.0, 1.0, "too little data to tell", r"better \(only differences of about 0\.\d+ or"),
        (16, 9.0, 0.0, "too little data to tell", r"\(the test set has \d samples of a class, few"),
    ],
)
def test_each_verdict_has_its_case(
    samples: int, network: float, baseline: float, verdict: str, sentence: str
) -> None:
    truth = labels(samples)
    found = compare_models(
        truth,
        guesses(truth, network, seeds=5, seed=2),
        guesses(truth, baseline, seed=3),
        AUC,
        names=NAMES,
        resamples=500,
    )
    assert found.verdict == verdict
    assert found.difference == pytest.approx(found.network_score - found.baseline_score)
    assert found.ci[0] <= found.difference <= found.ci[1]
    assert re.search(sentence, found.sentence)
    assert "95 % interval" in found.sentence


def test_of_a_loss_less_is_better() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=(300, 1))
    close, far = (truth + scale * rng.normal(size=(1, 300, 1)) for scale in (0.5, 1.0))
    found = compare_models(truth, close, far, METRICS["rmse"], names=NAMES, resamples=300)
    assert (found.verdict, found.difference < 0) == ("better", True)
    again = compare_models(truth, far, close, METRICS["rmse"], names=NAMES, resamples=300)
    assert again.verdict == "worse"
    few = compare_models(truth[:6], far[:, :6], close[:, :6], METRICS["rmse"], resamples=300)
    assert "the test set has 6 samples, fewer than 10" in few.sentence


def test_without_a_true_difference_the_verdict_errs_at_its_level() -> None:
    wrong = 0
    for seed in range(200):
        truth = labels(120, seed)
        pair = (guesses(truth, 1.0, seeds=1, seed=5000 + 2 * seed + i) for i in (0, 1))
        found = compare_models(truth, *pair, AUC, resamples=300, seed=seed)
        wrong += found.verdict in ("better", "worse")
    # 200 verdicts at 5 %: 99 % of binomial counts lie in 3 … 18.
    assert 3 <= wrong <= 18


def test_a_planted_difference_is_found() -> None:
    right = 0
    for seed in range(40):
        truth = labels(200, seed)
        strong, weak = guesses(truth, 2.0, seed=500 + seed), guesses(truth, 1.2, seed=900 + seed)
        right += compare_models(truth, strong, weak, AUC, resamples=300).verdict == "better"
    assert right >= 36


def test_a_rare_output_does_not_silence_the_others() -> None:
    rng = np.random.default_rng(0)
    truth = (rng.random((300, 3)) < [0.5, 0.5, 0.01]).astype(np.float32)
    strong, weak = guesses(truth, 3.0), guesses(truth, 0.5)
    assert compare_models(truth, strong, weak, AUC, resamples=200).verdict == "better"
    rare = truth[:, [0, 2, 2]]
    sentence = compare_models(rare, strong[..., [0, 2, 2]], weak, AUC, resamples=200).sentence
    assert "in most outputs" in sentence


def test_few_groups_are_too_little() -> None:
    truth = labels(200)
    found = compare_models(
        truth,
        guesses(truth, 3.0),
        guesses(truth, 0.0),
        AUC,
        resamples=100,
        groups=np.arange(200) % 4,
    )
    assert found.verdict == "too little data to tell"
    assert "the test set has 4 groups, fewer than 10" in found.sentence


def test_a_model_without_a_score_gets_no_verdict() -> None:
    truth = labels(100)
    broken = np.full((1, 100, 1), np.nan)
    found = compare_models(truth, broken, guesses(truth, 1.0), AUC, resamples=50)
    assert found.verdict == "too little data to tell"
    assert "100 % of the resamples have no score" in found.sentence


def test_the_margin_can_be_given() -> None:
    truth = labels(900)
    pair = guesses(truth, 2.0, seed=2), guesses(truth, 2.0, seed=3)
    strict = compare_models(truth, *pair, AUC, resamples=200, margin=1e-4)
    assert strict.verdict == "too little data to tell"
