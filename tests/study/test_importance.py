import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.trial import TrialState

from geno_hpo.study.importance import hyperparameter_importance

RATE = FloatDistribution(1e-4, 1e-1, log=True)
SHARE = FloatDistribution(0.0, 0.6)


def trial(rate, dropout, value, state=TrialState.COMPLETE, family="mlp"):
    return optuna.trial.create_trial(
        params={"family": family, f"{family}.learning_rate": rate, f"{family}.dropout": dropout},
        distributions={
            "family": CategoricalDistribution(["mlp", "cnn"]),
            f"{family}.learning_rate": RATE,
            f"{family}.dropout": SHARE,
        },
        value=value if state == TrialState.COMPLETE else None,
        state=state,
    )


def search(trials=60, maximise=True, seed=0):
    """The score falls with the distance of the learning rate from 0.01; dropout does nothing."""
    rng = np.random.default_rng(seed)
    rates = 10 ** rng.uniform(-4, -1, trials)
    scores = (-1 if maximise else 1) * np.abs(np.log10(rates) + 2)
    families = ["mlp", "cnn"]
    return [
        trial(float(r), float(rng.uniform(0, 0.6)), float(s), family=families[i % 2])
        for i, (r, s) in enumerate(zip(rates, scores, strict=True))
    ]


@pytest.mark.parametrize("maximise", [True, False])
def test_what_matters_gets_the_largest_share(maximise):
    found = hyperparameter_importance(search(maximise=maximise), maximise=maximise)
    assert next(iter(found.shares)) == "learning_rate"
    assert found.shares["learning_rate"] > 0.6
    assert sum(found.shares.values()) == pytest.approx(1.0)
    assert (found.trials, found.best) == (60, 6)


@pytest.mark.parametrize(
    "trials",
    [
        search(9),
        [trial(0.01, 0.1, 0.5)] * 20,
        [trial(0.01, 0.1, 0.5, TrialState.PRUNED)] * 20,
        [trial(0.01, 0.1, float("inf"))] * 20,
    ],
    ids=["few", "all alike", "pruned", "not finite"],
)
def test_too_little_tells_nothing(trials):
    assert hyperparameter_importance(trials, maximise=True).shares == {}
