"""Hyperparameters that act together, planted and not."""

import numpy as np
import pytest

from geno_hpo.outcome import TrialRecord
from geno_hpo.report.figures.interactions import together
from geno_hpo.report.interactions import find_interactions, interaction_sentence

NAMES = ("rate", "batch", "optimizer")


def trials(effect, many=80, seed=0, noise=0.05):
    """Trials whose score is `effect` of whether rate is high and batch is large, and noise."""
    rng = np.random.default_rng(seed)
    rates = rng.permutation((np.arange(many) + 0.5) / max(many, 1)).tolist()
    found = []
    for number, rate in enumerate(rates):
        batch = int(rng.choice([32, 128]))
        params = {"rate": rate, "batch": batch, "optimizer": str(rng.choice(["adam", "sgd"]))}
        score = effect(rate > 0.5, batch == 128) + noise * rng.normal()
        found.append(TrialRecord(number, "search", "cnn", "complete", score=score, params=params))
    return found


def test_a_planted_interaction_is_found_and_told():
    found = find_interactions(trials(lambda high, large: 0.1 * (high == large)), NAMES)
    assert (found[0].first, found[0].second) == ("rate", "batch")
    assert found[0].clear
    assert found[0].share > 0.3
    assert not any(one.clear for one in found[1:])
    text = interaction_sentence(found, maximise=True)
    assert text.startswith("Rate and batch act together")
    assert (
        "which batch is best depends on it; with rate up to 0.5 it is 32 and with rate above"
        in text
    )
    worse = interaction_sentence(found, maximise=False)
    assert "with rate up to 0.5 it is 128" in worse
    figure = together(found, "AUC")
    assert figure is not None
    assert len(figure.panels) == 1
    assert [trace["name"] for trace in figure.panels[0].traces] == [
        "rate up to 0.5",
        "rate above 0.5",
    ]


def test_where_one_matters_more_with_the_other():
    found = find_interactions(
        trials(lambda high, large: 0.2 * (high and large) + 0.02 * large), NAMES
    )
    assert "batch matters most with rate above 0.5" in interaction_sentence(found, maximise=True)


def test_what_only_adds_up_is_no_interaction():
    found = find_interactions(trials(lambda high, large: 0.2 * high + 0.1 * large), NAMES)
    assert len(found) == 3
    assert "No two hyperparameters were seen to act together" in interaction_sentence(found, True)
    assert together(found, "AUC") is None


def test_chance_is_rarely_called_an_interaction():
    wrong = sum(
        any(one.clear for one in find_interactions(trials(lambda *_: 0.0, 40, seed), NAMES))
        for seed in range(60)
    )
    assert wrong <= 8  # 3 expected; a binomial count at 5 % exceeds this once in 500 times


@pytest.mark.parametrize("many", [0, 6, 11])
def test_few_trials_tell_nothing(many):
    found = find_interactions(trials(lambda high, large: float(high == large), many), NAMES)
    assert found == []
    assert "too few trials" in interaction_sentence(found, True)
    assert together(found, "AUC") is None
