"""How much each hyperparameter of a search had to do with being among the best trials.

Conditional PED-ANOVA, as Optuna has it: a hyperparameter matters when its values are distributed
differently among the best trials than among all complete ones.

References
----------
Watanabe S, Bansal A, Hutter F (2023). PED-ANOVA: efficiently quantifying hyperparameter importance
in arbitrary subspaces. IJCAI: 4389-4396.
"""

from __future__ import annotations

import math
import warnings

import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.trial import FrozenTrial, TrialState

from geno_hpo.explanation import Importance
from geno_hpo.study.front import score_of

__all__ = ["FEWEST", "hyperparameter_importance"]

FEWEST = 10
"""Complete trials below which nothing is told."""
FEWEST_BEST = 5
SHARE_BEST = 0.1


def hyperparameter_importance(trials: list[FrozenTrial], *, maximise: bool) -> Importance:
    """Shares of the hyperparameters that varied.

    Parameters
    ----------
    trials
        All trials of a search; complete ones with a finite score count.
    maximise
        Whether a higher score is better.

    Notes
    -----
    Parameters go by their short names; those of the same name in several families or branches are
    summed. The best tenth count as the best trials, at least five. With fewer than ten complete
    trials, or where nothing varied, the shares are empty.
    """
    done = [
        (t, score)
        for t in trials
        if t.state == TrialState.COMPLETE
        and (score := score_of(t)) is not None
        and math.isfinite(score)
    ]
    best = max(FEWEST_BEST, math.ceil(SHARE_BEST * len(done)))
    if len(done) < FEWEST or len({score for _, score in done}) < 2:
        return Importance({}, len(done), best)
    study = optuna.create_study(direction="maximize" if maximise else "minimize")
    for trial, score in done:
        study.add_trial(
            optuna.trial.create_trial(
                params=trial.params, distributions=trial.distributions, value=score
            )
        )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=best / len(done))
    found = dict[str, float]()
    with warnings.catch_warnings():  # the report itself says how few trials there are
        warnings.filterwarnings("ignore", "Some regimes for parameter", UserWarning)
        importances = evaluator.evaluate(study)
    for name, importance in importances.items():
        short = name.rpartition(".")[2]
        found[short] = found.get(short, 0.0) + importance
    whole = sum(found.values())
    if not whole > 0:
        return Importance({}, len(done), best)
    shares = sorted(((name, x / whole) for name, x in found.items()), key=lambda one: -one[1])
    return Importance({name: float(x) for name, x in shares if x > 0}, len(done), best)
